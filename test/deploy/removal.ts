import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { Machine } from '../support/machine/machine.js';
import { KSMTUNED_PACKAGE } from '../support/machine/machineImage.js';
import { check } from '../support/machine/check.js';
import { hasHostSettings, setHostSettings, untilKsm } from '../support/machine/ksmFigures.js';

const CONFIG = '# kept\nKSM_WHEN=always\n';
const STATE = '/var/lib/samepaged';

export function checkRemoval(machine: Machine): void {
  check(machine, 'after removal of the package the host has what it had, and nothing of it runs', async () => {
    await machine.run('systemctl', 'stop', 'samepaged');
    setHostSettings();
    await machine.write('/etc/ksmtuned.conf', CONFIG);
    await machine.run('systemctl', 'start', 'samepaged');
    await untilKsm('run', (run) => run === 1);
    await machine.run('apt-get', 'remove', '--yes', 'samepaged');
    assert.ok(hasHostSettings());
    assert.equal(machine.read('/etc/ksmtuned.conf'), CONFIG);
    assert.ok(existsSync(machine.path(STATE)));
    const units = await machine.run('systemctl', 'list-units', '--plain', '--no-legend', 'ksm*', 'samepage*');
    assert.equal(units, '');
  });

  check(machine, 'after a purge of the package its state is gone, the configuration is not', async () => {
    await machine.run('apt-get', 'purge', '--yes', 'samepaged');
    assert.ok(!existsSync(machine.path(STATE)));
    assert.equal(machine.read('/etc/ksmtuned.conf'), CONFIG);
  });

  check(machine, 'ksmtuned comes back to the same configuration after samepaged', async () => {
    await machine.run('apt-get', 'install', '--yes', KSMTUNED_PACKAGE);
    assert.equal(await machine.run('systemctl', 'is-active', 'ksmtuned'), 'active\n');
    assert.equal(await machine.run('systemctl', 'show', '--property=Id', '--value', 'ksmtuned'), 'ksmtuned.service\n');
    assert.equal(machine.read('/etc/ksmtuned.conf'), CONFIG);
  });
}
