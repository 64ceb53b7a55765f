import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AgentHost, ended, reload, retune, warnings } from '../../support/agentHost.js';

async function shortHost(config: Record<string, string> = {}): Promise<AgentHost> {
  const host = await AgentHost.create({ config });
  host.memoryIsShort();
  return host;
}

function disputes(daemon: Parameters<typeof warnings>[0]): string[] {
  return warnings(daemon).filter((text) => text.includes('had set it to'));
}

describe('a setting that something else changes', { concurrency: true }, () => {
  it('a setting that something else changes is set again at once, and then after a while; each has a warning', async () => {
    await using host = await shortHost();
    const before = host.ksmFiles();
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    host.tree.setKsm('sleep_millisecs', 500);
    await retune(daemon);
    await host.paceIs('1 600 10');
    host.tree.setKsm('sleep_millisecs', 700);
    for (let turn = 0; turn < 5; turn += 1) await retune(daemon);
    assert.equal(host.pace, '1 600 700');
    assert.deepEqual(disputes(daemon), [
      'sleep_millisecs is 500 but samepaged had set it to 10: something else changed it; samepaged sets it again',
      'sleep_millisecs is 700 but samepaged had set it to 10: something else changed it; samepaged waits 1 min before it sets it again (change 2)',
    ]);
    assert.equal(await daemon.end(), 0);
    assert.deepEqual(host.ksmFiles(), before);
  });

  it('a changed setting is the other’s with KSM_ON_CONFLICT=yield, which is named, and stays so at the end', async () => {
    await using host = await shortHost({ KSM_ON_CONFLICT: 'yield' });
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    host.tree.addProcess({ pid: 77, argv: ['/bin/bash', '/usr/sbin/ksmtuned'], residentKb: 1 });
    host.tree.setKsm('pages_to_scan', 123);
    for (let turn = 0; turn < 3; turn += 1) await retune(daemon);
    host.tree.setKsm('sleep_millisecs', 44);
    await retune(daemon);
    assert.equal(host.pace, '1 123 44');
    assert.deepEqual(disputes(daemon), [
      'pages_to_scan is 123 but samepaged had set it to 300: ksmtuned (pid 77) tunes KSM too; samepaged leaves advisor_mode, pages_to_scan, sleep_millisecs to others until the configuration is reloaded (KSM_ON_CONFLICT)',
    ]);
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 123 44');
  });

  it('a setting left to another is samepaged’s again after a reload, and the end brings back the other’s', async () => {
    await using host = await shortHost({ KSM_ON_CONFLICT: 'yield' });
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    host.tree.setKsm('pages_to_scan', 123);
    await retune(daemon);
    assert.equal(host.pace, '1 123 10');
    await reload(daemon);
    await host.paceIs('1 900 10');
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 123 10');
  });

  it('a foreign change of a setting counts where samepaged had nothing to write, as run=0 with memory enough', async () => {
    await using host = await AgentHost.create({ config: { KSM_ON_CONFLICT: 'yield' } });
    host.memoryIsEnough();
    const daemon = await host.started();
    host.tree.setKsm('run', 1);
    for (let turn = 0; turn < 3; turn += 1) await retune(daemon);
    assert.equal(host.tree.ksm('run'), '1');
    assert.match(disputes(daemon)[0] ?? '', /^run is 1 but samepaged had set it to 0: something else changed it;/);
  });

  it('the kernel’s advisor, switched on by another hand, is one conflict and not two', async () => {
    await using host = await shortHost({ KSM_ON_CONFLICT: 'yield' });
    host.tree.setKsm('advisor_mode', '[none] scan-time');
    const daemon = await host.started();
    host.tree.setKsm('advisor_mode', 'none [scan-time]');
    host.tree.setKsm('pages_to_scan', 4321);
    await retune(daemon);
    assert.equal(host.tree.ksm('advisor_mode'), 'none [scan-time]');
    const told = disputes(daemon);
    assert.equal(told.length, 1, daemon.output);
    assert.match(told[0] ?? '', /advisor_mode is scan-time .*: something else switched the kernel's advisor on;/);
  });
});

describe('a second samepaged with the same state directory', { concurrency: true }, () => {
  it('a second samepaged with the same state directory ends at once and says who is there', async () => {
    await using host = await shortHost();
    const first = await host.started();
    const second = host.start();
    assert.equal(await ended(second), 75);
    assert.match(
      second.other[0] ?? '',
      new RegExp(
        `^samepaged: samepaged is running, pid ${String(first.pid)}, and keeps .*/lock: there can be only one$`,
      ),
    );
    first.child.kill('SIGSTOP');
    try {
      const third = host.start();
      assert.equal(await ended(third), 75);
      assert.match(third.other[0] ?? '', /samepaged is running and keeps .*\/lock: there can be only one$/);
    } finally {
      first.child.kill('SIGCONT');
    }
  });

  it('a samepaged with the state directory of one that was killed starts', async () => {
    await using host = await shortHost();
    await (await host.started()).end('SIGKILL');
    assert.equal(await (await host.started()).end(), 0);
  });
});
