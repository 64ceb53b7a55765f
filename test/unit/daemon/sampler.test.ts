import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import type { Guests } from '../../../src/daemon/guests.js';
import { Collector } from '../../../src/daemon/sampler.js';
import { namesOf } from '../../../src/core/guest.js';
import { KsmDirectory } from '../../../src/host/ksm.js';
import { guestsOf } from '../../support/guestsOf.js';
import { HostTree } from '../../support/hostTree.js';
import { GIB, guestOf } from '../../support/policies/policyHost.js';

const ANONYMOUS = { process: '101.1', anonBytes: 0, swapBytes: 0, zeroBytes: 0 };

const stat = (profit: string) => `ksm_rmap_items 1000\nksm_merging_pages 10\nksm_process_profit ${profit}\n`;

/** What the kernel tells, by name. */
async function kernelGuestsOf(guests: Guests) {
  const { guests: listed } = await guests.list();
  const { guests: told, problems } = await guests.kernelGuests();
  return { guests: new Map([...told].map(([id, guest]) => [namesOf([id], listed)[0] ?? '', guest])), problems };
}

async function profitsOf(guests: Guests): Promise<(readonly [name: string, profit: number | undefined])[]> {
  return [...(await kernelGuestsOf(guests)).guests].map(([name, { ksmProfitBytes }]) => [name, ksmProfitBytes]);
}

describe("guests' profits from /proc", () => {
  test("guests' profits from /proc are told by name, losses too, which some kernels print without their sign", async () => {
    using tree = HostTree.create();
    tree.addGuest(101, 'web', 1_000_000);
    tree.addGuest(102, 'db', 1_000_000);
    tree.addGuest(103, 'cache', 1_000_000);
    tree.addProcess({ pid: 104, argv: ['/usr/bin/sleep', '9'], residentKb: 100 });
    tree.write('proc/101/ksm_stat', stat('4096000'));
    tree.write('proc/102/ksm_stat', stat('-64000'));
    tree.write('proc/103/ksm_stat', stat('18446744073709487616'));
    tree.write('proc/104/ksm_stat', stat('12'));
    assert.deepEqual([...(await profitsOf(guestsOf(tree.root)))].sort(), [
      ['cache', -64_000],
      ['db', -64_000],
      ['web', 4_096_000],
    ]);
  });

  test("guests' profits leave out who does not tell: an old kernel, and a guest that has ended", async () => {
    using tree = HostTree.create('kernel-6.1');
    const qemu = guestsOf(tree.root);
    assert.equal((await qemu.list()).guests.length, 4);
    assert.ok((await profitsOf(qemu)).every(([, profit]) => profit === undefined));
    tree.addGuest(101, 'web', 1_000_000);
    tree.write('proc/101/ksm_stat', stat('1'));
    assert.deepEqual(
      (await profitsOf(qemu)).find(([name]) => name === 'web'),
      ['web', 1],
    );
    tree.removeProcess(101);
    assert.ok((await profitsOf(qemu)).every(([name]) => name !== 'web'));
  });

  test("guests' profits leave out a guest whose file cannot be parsed, and tell it; the others have theirs", async () => {
    using tree = HostTree.create();
    tree.addGuest(101, 'odd', 1_000_000);
    tree.addGuest(102, 'web', 1_000_000);
    tree.write('proc/101/ksm_stat', `${stat('1')}ksm_mergeable: perhaps\n`);
    tree.write('proc/102/ksm_stat', stat('2'));
    const { guests, problems } = await kernelGuestsOf(guestsOf(tree.root));
    assert.deepEqual(
      [...guests].map(([name, { hugetlbBytes, ksmProfitBytes }]) => [
        name,
        { hugetlbBytes, ...(ksmProfitBytes === undefined ? {} : { ksmProfitBytes }) },
      ]),
      [
        ['odd', { hugetlbBytes: 0 }],
        ['web', { hugetlbBytes: 0, ksmProfitBytes: 2 }],
      ],
    );
    assert.deepEqual(
      problems.map(({ sentence }) => sentence.replace(tree.root, 'HOST')),
      [
        'what KSM does with guest odd is not known (HOST/proc/101/ksm_stat: ksm_mergeable: expected yes or no, found "perhaps"): its profit is left out',
      ],
    );
  });

  test("guests' profits are read of a whole host", async () => {
    const { guests } = await kernelGuestsOf(guestsOf('fixtures/hosts/numa'));
    assert.equal(guests.size, 10);
    const { ksmProfitBytes = 0, hugetlbBytes = 0 } = guests.get('db') ?? {};
    assert.equal(ksmProfitBytes, 0, 'in hugepages');
    assert.ok(hugetlbBytes > GIB, String(hugetlbBytes));
  });
});

describe("a sample's guests have their profits", () => {
  /** A collector whose guests are counted, on a clock that the test sets. */
  async function collected(steps: readonly { readonly second: number; readonly fullScans: number }[]) {
    using tree = HostTree.create();
    let [millis, reads] = [0, 0];
    const guests = {
      list: () => Promise.resolve({ guests: [guestOf('web', GIB), guestOf('db', GIB)], problems: [] }),
      kernelGuests: () => {
        reads += 1;
        const guests = new Map([
          ['web', { ksmProfitBytes: reads, anonymous: ANONYMOUS }],
          ['gone', { ksmProfitBytes: 7, anonymous: ANONYMOUS }],
        ]);
        return Promise.resolve({ guests, problems: [] });
      },
      proportional: () => Promise.resolve(new Map()),
    };
    const clock = mock.method(performance, 'now', () => millis);
    try {
      const collector = new Collector(tree.root, new KsmDirectory(tree.root), guests);
      const seen: (readonly [name: string, profit: number | undefined])[][] = [];
      for (const { second, fullScans } of steps) {
        millis = second * 1000;
        tree.setKsm('full_scans', fullScans);
        const sample = await collector.sample('corrected');
        seen.push(sample.guests.map(({ name, ksmProfitBytes }) => [name, ksmProfitBytes]));
      }
      return seen;
    } finally {
      clock.mock.restore();
    }
  }

  test("a sample's guests have their profits where /proc tells; the others are left as they are", async () => {
    const [guests] = await collected([{ second: 0, fullScans: 5 }]);
    assert.deepEqual(guests, [
      ['web', 1],
      ['db', undefined],
    ]);
  });

  test('profits are read again when a pass has ended, at most every ten seconds; and once a minute', async () => {
    const seen = await collected([
      { second: 0, fullScans: 5 },
      { second: 9.9, fullScans: 6 },
      { second: 10, fullScans: 6 },
      { second: 30, fullScans: 6 },
      { second: 31, fullScans: 7 },
      { second: 32, fullScans: 8 },
      { second: 45, fullScans: 8 },
      { second: 104.9, fullScans: 8 },
      { second: 105, fullScans: 8 },
    ]);
    assert.deepEqual(
      seen.map(([web]) => web?.[1]),
      [1, 1, 2, 2, 3, 3, 4, 4, 5],
    );
  });
});
