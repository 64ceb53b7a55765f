import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { GuestProcesses } from '../../src/host/guestProcesses.js';
import type { GuestsReport } from '../../src/ctl/guests/report.js';
import { runCtl } from '../support/daemon.js';

const QEMU = '/usr/bin/qemu-system-x86_64';

/** A plain QEMU that is called as its guest, as in a container. */
function startWindows(): ChildProcess {
  const options = '-display none -machine pc,accel=tcg -S -m 64 -name windows,process=windows'.split(' ');
  return spawn(QEMU, options, { stdio: 'ignore' });
}

test('plain QEMU processes, called as their guests: found, told apart, and noticed within two seconds', async (t) => {
  const processes = new GuestProcesses('');
  const names = async () => (await processes.list()).map(({ name }) => name);
  const before = await names();
  /** Asks as often as the daemon, and says how long it took. */
  const millisUntil = async (count: number) => {
    const at = performance.now();
    while ((await names()).length !== before.length + count) {
      assert.ok(performance.now() - at < 10_000, 'not noticed');
      await sleep(processes.sawNew ? 300 : 1500);
    }
    return performance.now() - at;
  };
  const guests = [startWindows(), startWindows()];
  try {
    const startMillis = await millisUntil(2);
    const { stdout } = await runCtl(['--json', '--libvirt', 'none', 'guests']);
    const shown = (JSON.parse(stdout) as GuestsReport).guests.filter(({ pid }) =>
      guests.some((each) => each.pid === pid),
    );
    assert.deepEqual(shown.map(({ name }) => name).toSorted(), ['windows', `windows (pid ${guests[1]?.pid})`]);
    for (const guest of guests) guest.kill('SIGKILL');
    const endMillis = await millisUntil(0);
    t.diagnostic(`start noticed in ${Math.round(startMillis)} ms, end in ${Math.round(endMillis)} ms`);
    assert.ok(startMillis < 2000 && endMillis < 2000, `${startMillis} ms, ${endMillis} ms`);
  } finally {
    for (const guest of guests) guest.kill('SIGKILL');
  }
});
