// The rules of mm/ksm.c, one by one.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { counted, host, mib, passes, set, start } from '../../../support/simulation/simulationPasses.js';

describe('a page is merged', () => {
  const alike = [{ commonMiB: 4 }, { commonMiB: 4 }, { commonMiB: 4 }];

  test('a simulated page is merged when it is seen for the second time, with the same checksum', () => {
    const made = host(alike);
    assert.deepEqual(counted(passes(made, 1)), [0, 0, 0, 12]);
    assert.deepEqual(counted(passes(made, 1)), [4, 8, 0, 0]);
  });

  test('a simulated page is merged as far as others have it', () => {
    const made = host([{ commonMiB: 4 }, { commonMiB: 1, ownMiB: 2 }]);
    assert.deepEqual(counted(passes(made, 2)), [1, 1, 5, 0]);
  });

  test('a simulated page is merged with guests of the same image only', () => {
    const made = host([
      { commonMiB: 4, image: 'a' },
      { commonMiB: 4, image: 'b' },
      { commonMiB: 4, image: 'b' },
    ]);
    assert.deepEqual(counted(passes(made, 2)), [4, 4, 4, 0]);
  });

  const kernels = [
    { kernel: { major: 6, minor: 11 }, first: [4, 8, 0, 4], second: [4, 12, 0, 0] },
    { kernel: { major: 6, minor: 10 }, first: [4, 12, 0, 0], second: [4, 12, 0, 0] },
    { kernel: { major: 6, minor: 1 }, first: [4, 12, 0, 0], second: [4, 12, 0, 0] },
  ];
  for (const { kernel, first, second } of kernels) {
    const { major, minor } = kernel;
    test(`a simulated page is merged with a page that is shared already: Linux ${major}.${minor} looks for that ${minor === 11 ? 'after' : 'before'} the checksum`, () => {
      const made = host(alike, {}, kernel);
      passes(made, 3);
      start(made, 'late', { commonMiB: 4 });
      assert.deepEqual(counted(passes(made, 1)), first);
      assert.deepEqual(counted(passes(made, 1)), second);
    });
  }

  test('a simulated page is merged with no more users than max_page_sharing: then a second copy begins', () => {
    const copies = (guests: number) => {
      const contents = Array.from({ length: guests }, () => ({ commonMiB: 1 }));
      const { pagesShared, pagesSharing, pagesUnshared, stableNodeChains, stableNodeDups } = passes(
        host(contents, { maxPageSharing: 4 }),
        4,
      );
      return [pagesShared, pagesSharing, pagesUnshared, stableNodeChains, stableNodeDups].map(
        (pages = NaN) => pages / mib(1),
      );
    };
    assert.deepEqual(copies(4), [1, 3, 0, 0, 0]);
    assert.deepEqual(copies(5), [1, 3, 1, 0, 0]);
    assert.deepEqual(copies(6), [2, 4, 0, 1, 2]);
    assert.deepEqual(copies(12), [3, 9, 0, 1, 3]);
  });
});

describe('own pages', () => {
  test('own pages stay in the unstable tree from the second time on', () => {
    const made = host([{ ownMiB: 4 }], { smartScan: 0 });
    assert.deepEqual(counted(passes(made, 1)), [0, 0, 0, 4]);
    assert.deepEqual(counted(passes(made, 3)), [0, 0, 4, 0]);
  });

  test('own pages are volatile when all of them are rewritten between two passes', () => {
    const made = host([{ ownMiB: 4, rewrittenMiBPerSecond: 8 }], { smartScan: 0 });
    assert.deepEqual(counted(passes(made, 4)), [0, 0, 0, 4]);
  });

  test('own pages are volatile for the part that is rewritten between two passes', () => {
    const made = host([{ ownMiB: 4, rewrittenMiBPerSecond: 1 }], { smartScan: 0 });
    const [shared, sharing, unshared = NaN, changed = NaN] = counted(passes(made, 4));
    assert.deepEqual([shared, sharing], [0, 0]);
    assert.ok(unshared > 2.9 && unshared < 3.1, `${unshared} MiB unshared`);
    assert.equal(unshared + changed, 4);
  });

  test("own pages that become equal to other guests' are merged when ksmd has seen them twice since", () => {
    const made = host([{ ownMiB: 4 }, { ownMiB: 2 }], { smartScan: 0 });
    passes(made, 3);
    for (const guest of ['guest1', 'guest2']) assert.equal(made.take({ kind: 'align', guest }, true), undefined);
    assert.deepEqual(counted(passes(made, 1)), [0, 0, 0, 6]);
    assert.deepEqual(counted(passes(made, 1)), [2, 2, 2, 0]);
  });
});

describe('empty pages that are not in huge pages', () => {
  test('empty pages that are not in huge pages are merged with one another, up to max_page_sharing to a page', () => {
    const made = host([{ zeroMiB: 4 }, { zeroMiB: 4 }], {}, undefined, false);
    const { pagesShared, pagesSharing } = passes(made, 2);
    assert.deepEqual([pagesShared, pagesSharing], [mib(8) / 256, mib(8) - mib(8) / 256]);
  });

  test('empty pages that are not in huge pages are mapped to the kernel zero page with use_zero_pages', () => {
    const made = host([{ zeroMiB: 4 }, { zeroMiB: 4 }], { useZeroPages: 1 }, undefined, false);
    const merged = passes(made, 2);
    assert.deepEqual([merged.ksmZeroPages, ...counted(merged)], [mib(8), 0, 0, 0, 8]);
    const scanned = merged.pagesScanned;
    const later = passes(made, 1);
    assert.deepEqual([later.ksmZeroPages, later.pagesScanned, ...counted(later)], [mib(8), scanned, 0, 0, 0, 0]);
    assert.equal(later.generalProfit, mib(8) * 4096);
    // The kernel counts the zero page to nobody's memory.
    assert.deepEqual(
      made.sample().guests.map(({ residentBytes }) => residentBytes),
      [90 * 1024 ** 2, 90 * 1024 ** 2],
    );
  });
});

describe('a guest', () => {
  test('a guest that starts in the middle of a pass is scanned in the next', () => {
    const made = host([{ ownMiB: 4 }, { ownMiB: 4 }], { pagesToScan: 256, smartScan: 0 });
    made.advanceTo(2500);
    start(made, 'late', { ownMiB: 4 });
    const first = passes(made, 1);
    assert.deepEqual(counted(first), [0, 0, 0, 8]);
    assert.deepEqual(counted(passes(made, 1)), [0, 0, 8, 4]);
  });

  test('a guest that stopped is counted until ksmd scans the rest of it', () => {
    const made = host([{ commonMiB: 4 }, { commonMiB: 4 }, { commonMiB: 4 }]);
    const freeBefore = () => made.freeBytes;
    passes(made, 3);
    set(made, { run: 0 });
    const before = freeBefore();
    made.take({ kind: 'stop', guest: 'guest2' }, true);
    made.advanceTo(made.nowMillis + 60_000);
    assert.deepEqual(counted(made.ksmd.state()), [4, 8, 0, 0]);
    assert.equal(made.savedBytes, mib(4) * 4096);
    // What it did not share, and its process.
    assert.equal(freeBefore() - before, 90 * 1024 ** 2);
    set(made, { run: 1 });
    assert.deepEqual(counted(passes(made, 1)), [4, 4, 0, 0]);
  });

  test('a guest that stops takes no more of the saving with it than there was', () => {
    const names = Array.from({ length: 6 }, (_, index) => `guest${index + 1}`);
    const made = host(
      names.map(() => ({ commonMiB: 4 })),
      { maxPageSharing: 2 },
    );
    const { pagesShared } = passes(made, 3);
    assert.equal(pagesShared, mib(12));
    set(made, { run: 0 });
    const saved = names.map((guest) => {
      made.take({ kind: 'stop', guest }, true);
      return made.savedBytes / mib(4) / 4096;
    });
    assert.deepEqual(saved, [2, 1, 0, 0, 0, 0]);
  });

  test('a guest that stops before ksmd scanned it leaves nothing behind', () => {
    const made = host([{ commonMiB: 4 }, { commonMiB: 4 }], { run: 0 });
    set(made, { run: 0 });
    made.take({ kind: 'stop', guest: 'guest2' }, true);
    set(made, { run: 1 });
    assert.deepEqual(counted(passes(made, 2)), [0, 0, 4, 0]);
  });
});
