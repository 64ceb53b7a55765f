import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { GuestProcesses } from '../../src/host/guestProcesses.js';
import { GuestScan } from '../../src/host/guestScan.js';
import { GuestUsers } from '../../src/host/guestUsers.js';
import type { GuestsReport } from '../../src/ctl/guests/report.js';
import { runCtl } from '../support/daemon.js';
import { removeScratch, scratchDirectory } from '../support/scratch.js';

const NOBODY = 65534;
const QEMU = '/usr/bin/qemu-system-x86_64';

/** A plain QEMU that is called as its guest, as in a container. */
function startWindows(): ChildProcess {
  const options = '-display none -machine pc,accel=tcg -S -m 64 -name windows,process=windows'.split(' ');
  return spawn(QEMU, options, { stdio: 'ignore' });
}

test('plain QEMU processes, called as their guests, are found, told apart, and noticed within one look', async () => {
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

/** Has the kernel give the next process this number, if nobody else takes it. */
function giveNext(pid: number): void {
  writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));
}

/** Whether a guest is seen that got the number of a process which was known; undefined where another process took it. */
async function seesReusedNumber(): Promise<boolean | undefined> {
  const scan = new GuestScan('', Infinity);
  // The number before its own is free then.
  const before = spawn('true', { stdio: 'ignore' });
  await once(before, 'exit');
  const known = spawn('sleep', ['60'], { stdio: 'ignore' });
  const { pid = 0 } = known;
  await scan.often();
  // From here on the numbers go up to it once more.
  giveNext(pid - 1);
  await once(spawn('true', { stdio: 'ignore' }), 'exit');
  await scan.often();
  known.kill('SIGKILL');
  await once(known, 'exit');
  const guest = spawn('sleep', ['60'], { argv0: 'qemu-system-x86_64', stdio: 'ignore' });
  try {
    if (guest.pid !== pid) return undefined;
    await scan.often();
    return (await scan.often()).some((found) => found.pid === pid);
  } finally {
    guest.kill('SIGKILL');
  }
}

test('a guest that got the number of a process which was known is seen', async () => {
  let isSeen: boolean | undefined;
  for (let attempt = 1; attempt <= 20 && isSeen === undefined; attempt += 1) isSeen = await seesReusedNumber();
  assert.equal(isSeen, true);
});

/** A libvirt of the user nobody's own, which ends by itself when it is not used. */
class UsersLibvirt {
  readonly #home: string;

  constructor(home: string) {
    this.#home = home;
    mkdirSync(join(home, 'run'), { mode: 0o700 });
    for (const path of [home, join(home, 'run')]) chownSync(path, NOBODY, NOBODY);
  }

  async virsh(...words: readonly string[]): Promise<void> {
    await promisify(execFile)('virsh', ['--connect', 'qemu:///session', ...words], {
      uid: NOBODY,
      gid: NOBODY,
      env: { PATH: process.env['PATH'], HOME: this.#home, XDG_RUNTIME_DIR: join(this.#home, 'run') },
    });
  }
}

test("a guest of a user's own libvirt is seen, and counts once its user does", async () => {
  const home = await scratchDirectory('session');
  const libvirt = new UsersLibvirt(home);
  const xml = join(home, 'box.xml');
  writeFileSync(
    xml,
    `<domain type='qemu'><name>sp-box</name><memory unit='MiB'>64</memory>
      <os><type arch='x86_64' machine='pc'>hvm</type></os>
      <devices><emulator>${QEMU}</emulator><controller type='usb' model='none'/><memballoon model='none'/></devices>
    </domain>`,
  );
  await libvirt.virsh('create', '--paused', xml);
  try {
    const { stdout } = await runCtl(['--json', '--libvirt', 'none', 'guests']);
    const { guests, notes } = JSON.parse(stdout) as GuestsReport;
    const box = guests.find(({ plainName, name }) => (plainName ?? name) === 'sp-box');
    assert.equal(box?.manager, 'session');
    assert.match(
      notes.join('\n'),
      /^sp-box does not count for decisions: it runs as nobody, who is not in KSM_GUEST_USERS/m,
    );
    const counts = async (users: string) => {
      const seen = await new GuestProcesses('', new GuestUsers('', () => users)).look();
      return seen.find(({ name }) => name === 'sp-box')?.stranger === undefined;
    };
    assert.equal(await counts('root'), false);
    assert.equal(await counts('root, nobody'), true);
  } finally {
    await libvirt.virsh('destroy', 'sp-box');
    await removeScratch(home);
  }
});
