import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AgentHost } from '../../support/agentHost.js';
import { eventually, runCtl } from '../../support/daemon.js';
import { HostTree } from '../../support/hostTree.js';
import { CTL } from '../../support/programs.js';

const PACE = ['run', 'pages_to_scan', 'sleep_millisecs'];

function start(...words: readonly string[]): ChildProcess {
  return spawn(process.execPath, [CTL, 'estimate', '--yes', ...words], { stdio: 'ignore' });
}

async function untilRuns(tree: HostTree): Promise<void> {
  await eventually(() => tree.ksm('run') === '1');
}

describe('samepagectl estimate', { concurrency: 4 }, () => {
  it('samepagectl estimate without samepaged merges for a while, tells the result, and leaves the host as it was', async () => {
    using tree = HostTree.create();
    tree.addGuest(12, 'web', 300_000);
    const before = tree.allKsm(PACE);
    const [{ status, stdout, stderr }] = await Promise.all([
      runCtl(['estimate', '--root', tree.root, '--for', '3s', '--yes']),
      untilRuns(tree).then(() => {
        tree.write('proc/12/ksm_stat', 'ksm_rmap_items 60000\nksm_merging_pages 25600\n');
        tree.setKsm('pages_sharing', 25_600);
      }),
    ]);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^Merging saves 100\.0 MiB here \(100\.0 MiB shared\)/);
    assert.match(stdout, /^ {2}web: 100\.0 MiB merged, 34 % of its memory\nEverything is unmerged again\.$/m);
    assert.match(stderr, /^samepagectl: ksmd merges equal pages of 1 guest for up to 3 s, .*side channel/);
    assert.deepEqual(tree.allKsm(PACE), before);
    assert.ok(!existsSync(join(tree.root, 'var/lib/samepaged/ledger.json')));
  });

  it('samepagectl estimate ends with Ctrl-C and leaves the host as it was; killed, it leaves that to the next', async () => {
    using tree = HostTree.create();
    const before = tree.allKsm(PACE);
    const interrupted = start('--root', tree.root, '--for', '10m');
    await untilRuns(tree);
    interrupted.kill('SIGINT');
    assert.deepEqual(await once(interrupted, 'close'), [130, null]);
    assert.deepEqual(tree.allKsm(PACE), before);

    const killed = start('--root', tree.root, '--for', '10m');
    await untilRuns(tree);
    killed.kill('SIGKILL');
    await once(killed, 'close');
    assert.notDeepEqual(tree.allKsm(PACE), before);
    assert.equal((await runCtl(['estimate', '--root', tree.root, '--for', '1s', '--yes', '--keep'])).status, 0);
    assert.deepEqual(tree.allKsm(PACE), before);
  });

  it('samepagectl estimate through samepaged has its policy wait, and then decide again', async () => {
    await using host = await AgentHost.create({ bus: {} });
    host.memoryIsEnough();
    await host.started();
    const manager = await host.manager();
    const words = ['--bus', host.address, '--root', host.tree.root, '--libvirt', 'none'];
    const [{ status, stdout, stderr }] = await Promise.all([
      runCtl(['--json', 'estimate', ...words, '--for', '2s', '--yes']),
      untilRuns(host.tree).then(async () => {
        assert.equal((await manager.properties())['Hold'], 'estimating');
        host.tree.setKsm('pages_sharing', 25_600);
      }),
    ]);
    assert.equal(status, 0, stderr);
    const { end, after, kept, back } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual([end, kept, back], ['cut', false, ['Everything is unmerged again.']]);
    assert.equal((after as { sharedBytes: number }).sharedBytes, 25_600 * 4096);
    assert.equal((await manager.properties())['Hold'], '');
    assert.equal((await manager.command('Explain'))['Reason'], 'enough-memory');
    assert.equal(host.tree.ksm('run'), '0');
  });

  it('samepagectl estimate gives back nothing that somebody else has taken over meanwhile', async () => {
    await using host = await AgentHost.create({ bus: {} });
    await host.started();
    const words = ['--bus', host.address, '--root', host.tree.root, '--libvirt', 'none'];
    const [{ status, stderr }] = await Promise.all([
      runCtl(['estimate', ...words, '--for', '5m', '--yes']),
      untilRuns(host.tree).then(async () => (await host.manager()).command('Stop')),
    ]);
    assert.equal(status, 1);
    assert.match(stderr, /^samepagectl: somebody ended the estimate: stopped by hand$/m);
    const manager = await host.manager();
    assert.equal((await manager.properties())['Hold'], 'stopped');
  });

  it('samepagectl estimate is refused with one line: held, without an answer, beside ksmtuned, bad times', async () => {
    await using host = await AgentHost.create({ bus: {} });
    await host.started();
    await (await host.manager()).command('Pause', 't', [0n]);
    const held = await runCtl(['estimate', '--bus', host.address, '--yes']);
    assert.deepEqual(
      [held.status, held.stderr],
      [1, 'samepagectl: merging is paused by hand: samepagectl resume first\n'],
    );

    using tree = HostTree.create();
    const unasked = await runCtl(['estimate', '--root', tree.root]);
    assert.equal(unasked.status, 64);
    assert.match(unasked.stderr, /^samepagectl: there is no terminal to ask on: --yes goes on without asking$/m);
    assert.equal(tree.ksm('run'), '0');
    const long = await runCtl(['estimate', '--root', tree.root, '--for', '2h']);
    assert.deepEqual(
      [long.status, long.stderr],
      [64, 'samepagectl: --for 2h: expected a time from 1s to 1h, as 90s or 2m\n'],
    );
    tree.addProcess({ pid: 77, argv: ['/bin/bash', '/usr/sbin/ksmtuned'], residentKb: 100, comm: 'ksmtuned' });
    const beside = await runCtl(['estimate', '--root', tree.root, '--yes']);
    assert.equal(
      beside.stderr,
      'samepagectl: ksmtuned is running, pid 77, and tunes the same KSM: systemctl stop ksmtuned first\n',
    );
    // To stop an alias of samepaged's would not stop ksmtuned.
    const units = join(tree.root, 'etc/systemd/system');
    mkdirSync(units, { recursive: true });
    symlinkSync('/usr/lib/systemd/system/samepaged.service', join(units, 'ksmtuned.service'));
    const aliased = await runCtl(['estimate', '--root', tree.root, '--yes']);
    assert.match(aliased.stderr, /: kill 77 first, ksmtuned\.service is samepaged's own name here\n$/);
  });
});
