import assert from 'node:assert/strict';
import { check } from '../support/machine/check.js';
import type { Machine } from '../support/machine/machine.js';
import { VERSION } from '../support/version.js';
import { CHECKOUT } from './sources.js';

interface Evaluated {
  readonly assertions: readonly { readonly assertion: boolean; readonly message: string }[];
  readonly environment: { readonly etc: { readonly 'ksmtuned.conf': { readonly text: string } } };
  readonly systemd: { readonly services: { readonly samepaged: { readonly wantedBy: readonly string[] } } };
  readonly package: { readonly pname: string; readonly version: string; readonly installPhase: string };
}

export function checkNix(machine: Machine): void {
  const evaluate = async (settings: string, ksm: boolean) => {
    const args = [
      '--arg',
      'settings',
      settings,
      '--arg',
      'ksm',
      String(ksm),
      `${CHECKOUT}/fixtures/packages/evaluate.nix`,
    ];
    const options = ['--eval', '--strict', '--json', '--store', 'dummy://'];
    return JSON.parse(await machine.run('nix-instantiate', ...options, ...args)) as Evaluated;
  };

  check(machine, 'the NixOS module makes ksmtuned.conf and the service of settings', async () => {
    const made = await evaluate('{ KSM_POLICY = "adaptive"; KSM_CPU_MAX = 30; }', false);
    assert.equal(made.environment.etc['ksmtuned.conf'].text, 'KSM_CPU_MAX=30\nKSM_POLICY=adaptive\n');
    assert.deepEqual(made.systemd.services.samepaged.wantedBy, ['multi-user.target']);
    assert.deepEqual(
      made.assertions.map(({ assertion }) => assertion),
      [true],
    );
  });

  check(machine, 'the NixOS module with hardware.ksm fails by its assertion', async () => {
    const [only] = (await evaluate('{ }', true)).assertions;
    assert.equal(only?.assertion, false);
    assert.match(only.message, /hardware\.ksm/);
  });

  check(machine, 'the Nix derivation has the version of package.json, and installs by install.sh', async () => {
    const made = (await evaluate('{ }', false)).package;
    assert.equal(made.version, VERSION);
    assert.match(made.installPhase, /deploy\/install\.sh --prefix=\$out .*--node=\/nodejs\/bin\/node/);
  });
}
