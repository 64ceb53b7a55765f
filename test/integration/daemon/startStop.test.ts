import assert from 'node:assert/strict';
import { existsSync, readFileSync, watch } from 'node:fs';
import { describe, it } from 'node:test';
import { AgentHost, warnings } from '../../support/agentHost.js';
import { eventually } from '../../support/daemon.js';

describe('start and stop', { concurrency: true }, () => {
  it('the start sets pages_to_scan and sleep_millisecs before run, and nothing else', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    const before = host.ksmFiles();
    const written: string[] = [];
    using watcher = disposable(
      watch(`${host.tree.root}/sys/kernel/mm/ksm`, (_, name) => void written.push(String(name))),
    );
    assert.ok(watcher);
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    await eventually(() => written.includes('run'));

    assert.deepEqual([...new Set(written)], ['use_zero_pages', 'pages_to_scan', 'sleep_millisecs', 'run']);
    assert.deepEqual(host.ksmFiles(), {
      ...before,
      run: '1\n',
      use_zero_pages: '1\n',
      pages_to_scan: '300\n',
      sleep_millisecs: '10\n',
    });
    assert.deepEqual(readFileSync(`${host.tree.root}/var/run/ksmtune.pid`, 'utf8'), `${String(daemon.pid)}\n`);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`${signal} gives every file back, byte for byte, and ends with 0`, async () => {
      await using host = await AgentHost.create();
      host.memoryIsShort();
      const before = host.ksmFiles();
      const daemon = await host.started();
      assert.notDeepEqual(host.ksmFiles(), before);

      assert.equal(await daemon.end(signal), 0);
      assert.deepEqual(host.ksmFiles(), before);
      assert.equal(existsSync(host.ledgerFile), false);
      assert.equal(existsSync(`${host.tree.root}/var/run/ksmtune.pid`), false);
      assert.deepEqual(
        daemon.lines.slice(-2).map(({ msg }) => msg),
        [
          `${signal}: stopping`,
          'KSM_ON_EXIT=restore: run 1 -> 0, use_zero_pages 1 -> 0, pages_to_scan 300 -> 100, sleep_millisecs 10 -> 20',
        ],
      );
    });
  }

  it('a host that was merging before samepaged is merging again after', async () => {
    await using host = await AgentHost.create();
    host.tree.setKsm('run', 1);
    host.tree.setKsm('pages_to_scan', 4000);
    const before = host.ksmFiles();
    const daemon = await host.started();
    await host.paceIs('0 4000 20');

    assert.equal(await daemon.end(), 0);
    assert.deepEqual(host.ksmFiles(), before);
  });

  it('KSM_ON_EXIT=leave leaves what was set', async () => {
    await using host = await AgentHost.create({ config: { KSM_ON_EXIT: 'leave' } });
    host.memoryIsShort();
    const daemon = await host.started();

    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '1 300 10');
  });

  it('what KSM_ON_EXIT=leave left is not what a later KSM_ON_EXIT=restore restores', async () => {
    await using host = await AgentHost.create({ config: { KSM_ON_EXIT: 'leave' } });
    host.memoryIsShort();
    const before = host.ksmFiles();
    await (await host.started()).end();

    host.configure({ KSM_ON_EXIT: 'restore' });
    await (await host.started()).end();
    assert.deepEqual(host.ksmFiles(), before);
  });

  it('KSM_ON_EXIT=stop stops ksmd, also where it ran before, and restores the rest', async () => {
    await using host = await AgentHost.create({ config: { KSM_ON_EXIT: 'stop' } });
    host.tree.setKsm('run', 1);
    host.memoryIsShort();
    const daemon = await host.started();
    await host.paceIs('1 300 10');

    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
  });

  it('KSM_ON_EXIT=unmerge undoes all merging and restores the rest', async () => {
    await using host = await AgentHost.create({ config: { KSM_ON_EXIT: 'unmerge' } });
    host.memoryIsShort();
    host.tree.setKsm('pages_sharing', 1_000_000);
    const daemon = await host.started();

    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '2 100 20');
  });

  it('KSM_ON_EXIT=unmerge stops instead when what is saved does not fit into what is available', async () => {
    await using host = await AgentHost.create({ config: { KSM_ON_EXIT: 'unmerge' } });
    host.memoryIsShort();
    host.tree.setKsm('pages_sharing', 2_500_000);
    const daemon = await host.started();

    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
    const refusal =
      'run is set to 0 instead of 2: unmerging needs 9.5 GiB; 10.0 GiB are available, of which a tenth must stay free';
    assert.deepEqual(
      warnings(daemon).filter((text) => text.startsWith('run')),
      [refusal],
    );
  });
});

function disposable(watcher: ReturnType<typeof watch>): Disposable {
  return {
    [Symbol.dispose]: () => {
      watcher.close();
    },
  };
}
