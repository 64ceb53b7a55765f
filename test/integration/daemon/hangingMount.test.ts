import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AgentHost, ended } from '../../support/agentHost.js';
import { FUSE_OBSTACLE, FuseFile } from '../../support/fuseFile.js';

describe('a file of the kernel’s behind which is a program that hangs, as LXCFS', { skip: FUSE_OBSTACLE }, () => {
  for (const path of ['proc/meminfo', 'sys/kernel/mm/ksm/run']) {
    it(`${path} on a mount that hangs is told, and SIGTERM gives the rest back`, async () => {
      await using host = await AgentHost.create();
      host.memoryIsShort();
      using file = await FuseFile.over(join(host.tree.root, path));
      const daemon = await host.started();
      assert.equal(host.pace, '1 300 10');
      file.hang();
      daemon.child.kill('SIGUSR1');
      await daemon.line(new RegExp(`no decision .*${path} does not answer within 2 s`));
      assert.ok([0, 'SIGKILL'].includes((await daemon.end()) ?? ''), daemon.output);
      assert.equal(`${host.tree.ksm('pages_to_scan')} ${host.tree.ksm('sleep_millisecs')}`, '100 20');
    });
  }

  it('a file of the kernel on a mount that hangs from the start on ends samepaged, which says so', async () => {
    await using host = await AgentHost.create();
    using file = await FuseFile.over(join(host.tree.root, 'proc/meminfo'));
    file.hang();
    const daemon = host.start();
    assert.ok([69, 'SIGKILL'].includes((await ended(daemon)) ?? ''));
    assert.match(daemon.other[0] ?? '', /proc\/meminfo does not answer within 2 s/);
  });
});

describe('samepaged --give-back', { concurrency: true }, () => {
  it('samepaged --give-back gives the host back for one that was killed, and then has nothing to do', async () => {
    await using host = await AgentHost.create({ config: { KSM_ON_EXIT: 'restore' } });
    host.memoryIsShort();
    const before = host.ksmFiles();
    await (await host.started()).end('SIGKILL');
    assert.equal(host.pace, '1 300 10');
    const { status, output } = await host.giveBack();
    assert.equal(status, 0, output);
    assert.match(output, /KSM_ON_EXIT=restore: run 1 -> 0/);
    assert.deepEqual(host.ksmFiles(), before);
    assert.match((await host.giveBack()).output, /no samepaged ended without restoring the host's settings/);
  });

  it('samepaged --give-back does not touch what one that lives has set', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    const daemon = await host.started();
    const { status, output } = await host.giveBack();
    assert.equal(status, 75, output);
    assert.match(output, new RegExp(`samepaged is running, pid ${String(daemon.pid)}`));
    assert.equal(host.pace, '1 300 10');
  });

  it('samepaged --give-back works with a configuration that has errors, and unmerges nothing', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    await (await host.started()).end('SIGKILL');
    const ledger = readFileSync(host.ledgerFile, 'utf8');
    for (const [config, run] of [
      ['KSM_ON_EXIT=explode\n', '0'],
      ['KSM_ON_EXIT=unmerge\n', '0'],
      ['KSM_ON_EXIT=leave\n', '1'],
    ] as const) {
      // As the one that was killed left it.
      host.tree.setKsm('run', 1);
      writeFileSync(host.ledgerFile, ledger);
      host.tree.write('etc/ksmtuned.conf', config);
      assert.equal((await host.giveBack()).status, 0);
      assert.equal(host.tree.ksm('run'), run, config);
    }
  });
});
