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

test('plain QEMU processes, called as their guests: found, told apart, and noticed within one look', async () => {
  const processes = new GuestProcesses('');
  const names = async () => (await processes.list()).map(({ name }) => name);
  const before = await names();
  /** Asks as often as the daemon: each 1.5 s, and once more 0.3 s later where there is somebody new. How often the longer wait was. */
  const waitsUntil = async (count: number) => {
    let waits = 0;
    while ((await names()).length !== before.length + count) {
      assert.ok(waits < 10, 'not noticed');
      if (!processes.sawNew) waits += 1;
      await sleep(processes.sawNew ? 300 : 1500);
    }
    return waits;
  };
  const guests = [startWindows(), startWindows()];
  try {
    assert.ok((await waitsUntil(2)) <= 1, 'the start was not noticed at the next look');
    const { stdout } = await runCtl(['--json', '--libvirt', 'none', 'guests']);
    const shown = (JSON.parse(stdout) as GuestsReport).guests.filter(({ pid }) =>
      guests.some((each) => each.pid === pid),
    );
    assert.deepEqual(shown.map(({ name }) => name).toSorted(), ['windows', `windows (pid ${guests[1]?.pid})`]);
    for (const guest of guests) guest.kill('SIGKILL');
    assert.ok((await waitsUntil(0)) <= 1, 'the end was not noticed at the next look');
  } finally {
    for (const guest of guests) guest.kill('SIGKILL');
  }
});
