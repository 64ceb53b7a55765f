import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Estimate } from '../../src/ctl/estimate/result.js';
import { runCtl } from '../support/daemon.js';
import { readKsm } from '../support/kvm/ksm.js';
import { Scene } from './scene.js';

const MIB = 1024 ** 2;
const SIZE = { commonMiB: 128, ownMiB: 16 } as const;

interface Printed extends Estimate {
  readonly back: readonly string[];
}

test('estimate merges real guests, tells what the kernel counted, and unmerges them, with and without samepaged', async (t) => {
  await using scene = await Scene.open();
  const { lab } = scene;
  const names = ['sp-one', 'sp-two', 'sp-three'];
  for (const name of names) await lab.startGuest({ name, ...SIZE });
  const estimate = async () => {
    // Outside the laboratory, where ksmd can be seen.
    const { stdout, stderr } = await runCtl(['--bus', lab.address, '--json', 'estimate', '--for', '30m', '--yes']);
    assert.notEqual(stdout, '', stderr);
    return JSON.parse(stdout) as Printed;
  };
  const check = async ({ end, after, guests, ksmdCpuSeconds = 0, back }: Printed) => {
    t.diagnostic(JSON.stringify({ end, after, ksmdCpuSeconds, guests, back }));
    assert.equal(end, 'over');
    assert.ok(after.savedBytes > 2 * 0.9 * SIZE.commonMiB * MIB && ksmdCpuSeconds > 0);
    const merged = guests.filter(({ mergedBytes = 0 }) => mergedBytes > 0.9 * SIZE.commonMiB * MIB);
    assert.deepEqual(merged.map(({ name }) => name).sort(), [...names].sort());
    assert.deepEqual(back, ['Everything is unmerged again.']);
    assert.equal((await readKsm())['pages_sharing'], '0');
  };

  process.env['STATE_DIRECTORY'] = `${scene.stateDirectory}-alone`;
  const before = await readKsm();
  await check(await estimate());
  const { run, pages_to_scan: pages, sleep_millisecs: sleep } = await readKsm();
  assert.deepEqual([run, pages, sleep], [before['run'], before['pages_to_scan'], before['sleep_millisecs']]);

  await using daemon = await scene.startDaemon();
  await check(await estimate());
  await daemon.line(/enough-memory|guests and the reserve|free /);
  assert.equal((await readKsm())['run'], '0');
  assert.equal(await daemon.end(), 0, daemon.output);
});
