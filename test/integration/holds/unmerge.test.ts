import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DBusError } from 'dbus-next';
import { AgentHost } from '../../support/agentHost.js';
import { runCtl } from '../../support/daemon.js';

/** 3.8 GiB are saved, 97.7 MiB available; there is swap enough for it. */
async function fullHost(): Promise<AgentHost> {
  const host = await AgentHost.create({ bus: {} });
  host.memoryIsShort();
  host.tree.setMeminfo({ MemAvailable: 100_000, SwapTotal: 64_000_000, SwapFree: 64_000_000 });
  host.tree.setKsm('pages_shared', 1000);
  host.tree.setKsm('pages_sharing', 1_000_000);
  return host;
}

const FIGURES = 'unmerging needs 3.8 GiB; 97.7 MiB are available, of which a tenth must stay free';

describe('samepagectl unmerge', { concurrency: true }, () => {
  it('samepagectl unmerge is refused with the figures when it may not fit into memory, and nothing is changed', async () => {
    await using host = await fullHost();
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    const { status, stdout, stderr } = await runCtl(['--bus', host.address, 'unmerge']);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.ok(stderr.startsWith(`samepagectl: ${FIGURES}`), stderr);
    assert.equal(host.pace, '1 300 10');
    const manager = await host.manager();
    assert.equal((await manager.properties())['Hold'], '');
    await assert.rejects(manager.command('Unmerge', 'b', [false]), (error: DBusError) => {
      assert.equal(error.type, 'org.samepaged1.Error.Refused');
      assert.equal(error.text, FIGURES);
      return true;
    });

    await manager.command('Pause', 't', [0n]);
    assert.equal((await runCtl(['--bus', host.address, 'unmerge'])).status, 1);
    assert.equal((await manager.properties())['Hold'], 'paused', 'a pause stays as it is');
    assert.equal(host.pace, '0 300 10');
    assert.equal(await daemon.end(), 0);
  });

  it('samepagectl unmerge --force unmerges also what may not fit into memory', async () => {
    await using host = await fullHost();
    await host.started();
    const { status, stdout } = await runCtl(['--bus', host.address, 'unmerge', '--force', '--json']);
    assert.equal(status, 0);
    const { reason, changes } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual([reason, changes], ['unmerged', ['run 1 -> 2']]);
    assert.equal(host.pace, '2 300 10');
  });

  it('samepagectl unmerge --gradually stops merging first, and without a guest to unmerge is as unmerge', async () => {
    await using host = await fullHost();
    await host.started();
    const words = ['--bus', host.address, '--json', 'unmerge', '--gradually', '--force', '--libvirt', 'none'];
    const { status, stdout, stderr } = await runCtl(words);
    assert.equal(status, 0, stdout + stderr);
    const { retune } = JSON.parse(stdout) as { retune: Record<string, unknown> };
    assert.deepEqual([retune['reason'], retune['changes']], ['unmerged', ['run 0 -> 2']]);
    assert.equal(host.pace, '2 300 10');
  });

  it('an unmerge that the kernel does not take is reported', async () => {
    await using host = await fullHost();
    await host.started();
    host.tree.write('proc/meminfo', 'MemTotal: many kB\n');
    const { status, stderr } = await runCtl(['--bus', host.address, 'unmerge', '--force']);
    assert.equal(status, 1);
    assert.match(stderr, /^samepagectl: .*proc\/meminfo: MemTotal: expected a whole number, found "many"\n$/);
    assert.equal(host.pace, '1 300 10');
  });
});

describe('holds mistyped or without a daemon', { concurrency: true }, () => {
  for (const [words, pattern] of [
    [
      ['pause', 'nonsense'],
      /^samepagectl: "nonsense" is not a duration; expected for example 90s, 10m, 2h30m or 1d\n$/,
    ],
    [['pause', '-5'], /-5/],
    [['resume', '--force'], /^samepagectl: resume does not take --force; see samepagectl help resume\n$/],
  ] as const) {
    it(`${['samepagectl', ...words].join(' ')} ends with 64`, async () => {
      const { status, stdout, stderr } = await runCtl(['--bus', 'unix:path=/nonexistent/bus', ...words]);
      assert.equal(status, 64, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, pattern);
      assert.doesNotMatch(stderr, /^ {4}at /m);
    });
  }

  it('samepagectl stop and unmerge end with 3 when samepaged does not run', async () => {
    await using host = await AgentHost.create({ bus: {} });
    for (const verb of ['stop', 'unmerge']) {
      const { status, stdout, stderr } = await runCtl(['--bus', host.address, verb]);
      assert.deepEqual([status, stdout], [3, '']);
      assert.match(stderr, /^samepagectl: samepaged is not running on /);
    }
  });
});
