import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { GuestScan } from '../../../src/host/guestScan.js';
import { type News, ProcessNews } from '../../../src/host/processNews.js';
import { HostTree } from '../../support/hostTree.js';

const GUEST = ['-e', 'setInterval(() => {}, 1000)', '--', '-m', '64', '-name', 'quick'];
const EMULATOR = 'qemu-system-x86_64';

/** A process of this host that looks like a guest, or that becomes one after so many seconds. */
class Pretender implements AsyncDisposable {
  private readonly child: ChildProcess;

  constructor(afterSeconds = 0) {
    const script = `sleep ${afterSeconds}; exec -a ${EMULATOR} "$0" "$@"`;
    this.child =
      afterSeconds === 0
        ? spawn(process.execPath, GUEST, { argv0: EMULATOR, stdio: 'ignore' })
        : spawn('bash', ['-c', script, process.execPath, ...GUEST], { stdio: 'ignore' });
  }

  get pid(): number {
    assert.ok(this.child.pid !== undefined);
    return this.child.pid;
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }
}

async function sees(scan: GuestScan, pid: number): Promise<boolean> {
  return (await scan.often()).some((guest) => guest.pid === pid);
}

/** Whether one that was there when it was searched first is seen once it has become a guest; it looks in vain for some seconds. */
async function seesWhatItBecomes(): Promise<boolean> {
  const scan = new GuestScan('', Infinity);
  await using guest = new Pretender(1);
  await scan.often();
  assert.equal(await sees(scan, guest.pid), false);
  for (let looks = 1; looks < 100; looks += 1) {
    if (await sees(scan, guest.pid)) return true;
    await delay(50);
  }
  return false;
}

describe('the search of this host’s /proc for guests', () => {
  test('a guest that starts is known at the second look, one that ends at the next', async () => {
    const scan = new GuestScan('', Infinity);
    await scan.often();
    await using guest = new Pretender();
    await sees(scan, guest.pid);
    assert.equal(scan.sawNew, true);
    assert.equal(await sees(scan, guest.pid), true);
    await guest.end();
    assert.equal(await sees(scan, guest.pid), false);
  });

  test('a script that was there before us and then becomes a guest is known', async () => {
    // So much may begin on a busy host between two looks that news is silent; threads tell it later there.
    let isSeen = false;
    for (let attempt = 1; attempt <= 5 && !isSeen; attempt += 1) isSeen = await seesWhatItBecomes();
    assert.ok(isSeen);
  });
});

describe('news of processes', () => {
  test('a process that has begun is among the numbers of the next news', async () => {
    const news = new ProcessNews('');
    assert.equal(news.take(), undefined);
    let pid = 0;
    let told: News | undefined;
    // Very much may happen on a busy host.
    while (told === undefined) {
      await using guest = new Pretender();
      pid = guest.pid;
      told = news.take();
    }
    assert.ok(told.isAny);
    assert.ok(told.begun.includes(pid));
    assert.ok(news.take()?.begun.includes(pid) !== true);
  });

  test('a copy of another host’s files has no news of processes', () => {
    using tree = HostTree.create();
    tree.write('proc/loadavg', '0.00 0.00 0.00 1/100 200');
    const news = new ProcessNews(tree.root);
    news.take();
    assert.equal(news.take(), undefined);
  });
});
