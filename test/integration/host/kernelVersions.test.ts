import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rmSync } from 'node:fs';
import { AgentHost, decision, ended, retune, warnings } from '../../support/agentHost.js';

describe('kernels', { concurrency: true }, () => {
  it('Linux 5.10, without advisor, smart_scan and the newer counters, is tuned and given back', async () => {
    await using host = await AgentHost.create({ host: 'kernel-5.10' });
    host.memoryIsShort();
    const before = host.ksmFiles();
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    assert.deepEqual(
      warnings(daemon).filter((text) => !text.startsWith('no D-Bus')),
      [],
    );
    assert.deepEqual(host.ksmFiles(), { ...before, run: '1\n', pages_to_scan: '300\n', sleep_millisecs: '10\n' });
    assert.equal(await daemon.end(), 0);
    assert.deepEqual(host.ksmFiles(), before);
  });

  it('a kernel with the scan-time advisor on has it switched off before pages_to_scan is set, and restored', async () => {
    await using host = await AgentHost.create();
    host.tree.setKsm('advisor_mode', 'none [scan-time]');
    host.tree.setKsm('pages_to_scan', 5000);
    host.memoryIsShort();
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    assert.equal(host.tree.ksm('advisor_mode'), 'none');
    const { msg } = await decision(daemon, 1);
    assert.match(
      msg,
      /\[advisor_mode scan-time -> none, use_zero_pages 0 -> 1, pages_to_scan 5000 -> 300, sleep_millisecs 20 -> 10, run 0 -> 1\]$/,
    );

    await retune(daemon);
    await host.paceIs('1 600 10');
    assert.equal(await daemon.end(), 0);
    assert.equal(host.tree.ksm('advisor_mode'), 'scan-time');
    assert.equal(host.tree.ksm('run'), '0');
    assert.equal(host.tree.ksm('sleep_millisecs'), '20');
  });

  it('a kernel with the scan-time advisor on and memory enough has ksmd stopped, the advisor left alone', async () => {
    await using host = await AgentHost.create();
    host.tree.setKsm('advisor_mode', 'none [scan-time]');
    host.tree.setKsm('run', 1);
    const before = host.ksmFiles();
    const daemon = await host.started();
    await host.paceIs('0 100 20');
    assert.equal(host.tree.ksm('advisor_mode'), 'none [scan-time]');
    assert.equal(await daemon.end(), 0);
    assert.deepEqual(host.ksmFiles(), before);
  });

  it('on a kernel without KSM samepaged says one sentence, exit 69, and leaves nothing behind', async () => {
    await using host = await AgentHost.create();
    host.tree.remove('sys/kernel/mm/ksm');
    const daemon = host.start();
    assert.equal(await ended(daemon), 69);
    assert.deepEqual(daemon.lines, []);
    assert.equal(daemon.other.length, 1, daemon.output);
    assert.match(daemon.other[0] ?? '', /^samepaged: .*sys\/kernel\/mm\/ksm is not there: this kernel .*KSM/);
    assert.throws(() => host.tree.read('var/run/ksmtune.pid'));
  });

  it('a file that a setting needs and that is gone is one clear line, and the others are set', async () => {
    await using host = await AgentHost.create();
    const daemon = await host.started();
    rmSync(`${host.tree.root}/sys/kernel/mm/ksm/sleep_millisecs`);
    host.memoryIsShort();
    daemon.child.kill('SIGUSR1');
    const { msg } = await daemon.line(/sleep_millisecs/);
    assert.match(msg, /sys\/kernel\/mm\/ksm: expected the file sleep_millisecs, found/);
    host.tree.setKsm('sleep_millisecs', 20);
    await retune(daemon);
    await host.paceIs('1 300 10');
  });
});

describe('other tuners’ traces', { concurrency: true }, () => {
  it('a value that another tuner changed is a warning that names both, once, and is set again', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    host.tree.setKsm('sleep_millisecs', 500);
    await retune(daemon);
    await host.paceIs('1 600 10');
    await retune(daemon);
    const told = warnings(daemon).filter((text) => text.includes('sleep_millisecs'));
    assert.deepEqual(told, [
      'sleep_millisecs is 500 but samepaged had set it to 10: something else changed it; samepaged sets it again',
    ]);
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
  });

  it('a run that another tuner set to 2 is told and set again', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    host.tree.setKsm('run', 2);
    await retune(daemon);
    await host.paceIs('1 600 10');
    assert.deepEqual(
      warnings(daemon).filter((text) => text.startsWith('run ')),
      ['run is 2 but samepaged had set it to 1: something else changed it; samepaged sets it again'],
    );
  });
});
