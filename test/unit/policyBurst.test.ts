import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Burst, beginBurst, isBlind, isOver, judgeBurst } from '../../src/core/policies/burst.js';
import { type Mark, isWorthIt, markOf, progressBetween, worthOf } from '../../src/core/policies/progress.js';
import { sampleOf } from './examples.js';
import { GIB, MIB, NEW_KSM, OLD_KSM } from './policyHost.js';

const ZERO: Mark = {
  monotonicMillis: 0,
  fullScans: 10,
  profitBytes: 0,
  bookkeepingBytes: 0,
  pagesVolatile: 0,
  pagesSeen: 1000,
  pagesVisited: 0,
  pagesSkipped: 0,
  cpuNanos: 0,
  waitNanos: 0,
  stalledNanos: 0,
};
const markWith = (parts: Partial<Mark>): Mark => ({ ...ZERO, ...parts });

describe('what ksmd did between two looks', () => {
  test('is the difference of its counters', () => {
    const times = { ksmdCpuNanos: 5e9, ksmdWaitNanos: 3e9, cpuStalledNanos: 7e9 };
    const from = markOf(sampleOf({ monotonicMillis: 1000, ksm: { ...NEW_KSM, pagesScanned: 500 }, ...times }));
    const ksm = { ...NEW_KSM, fullScans: 2, pagesScanned: 1500, pagesSkipped: 200, pagesVolatile: 30 };
    const later = { ksmdCpuNanos: 6e9, ksmdWaitNanos: 3.5e9, cpuStalledNanos: 7.25e9 };
    const to = markOf(sampleOf({ monotonicMillis: 4000, ksm: { ...ksm, generalProfit: MIB }, ...later }));
    assert.deepEqual(progressBetween(from, to), {
      elapsedMillis: 3000,
      passes: 2,
      cpuNanos: 1e9,
      waitNanos: 5e8,
      stalledNanos: 2.5e8,
      gainedBytes: MIB,
      volatilePages: 30,
      visitedPages: 1200,
      skippedPages: 200,
    });
  });

  test('has the profit reckoned and no pages where the kernel does not count them', () => {
    const ksm = { ...OLD_KSM, pagesShared: 10, pagesSharing: 600, pagesUnshared: 300, pagesVolatile: 90 };
    const mark = markOf(sampleOf({ ksm, ksmdCpuNanos: 0 }));
    assert.deepEqual([mark.profitBytes, mark.pagesSeen, mark.pagesVisited], [600 * 4096 - 1000 * 64, 1000, undefined]);
    assert.equal(progressBetween(mark, mark)?.visitedPages, undefined);
  });

  test('is reckoned at 10 µs a page where its CPU time cannot be seen', () => {
    const unseen = markOf(sampleOf({ ksm: NEW_KSM }));
    assert.equal(progressBetween(unseen, { ...unseen, pagesVisited: 100_000 })?.cpuNanos, 1e9);
    const seen = { ...unseen, pagesVisited: 100_000, cpuNanos: 77e9 };
    assert.equal(progressBetween(unseen, seen)?.cpuNanos, 1e9, 'nor at one of the two looks');
  });

  for (const counter of ['monotonicMillis', 'fullScans', 'pagesVisited', 'cpuNanos'] as const) {
    test(`is nothing that can be said when ${counter} went backwards`, () => {
      assert.equal(progressBetween(markWith({ [counter]: 100 }), markWith({ [counter]: 99 })), undefined);
    });
  }

  test('can be less profit and fewer volatile pages', () => {
    const progress = progressBetween(markWith({ profitBytes: 5, pagesVolatile: 7 }), ZERO);
    assert.deepEqual([progress?.gainedBytes, progress?.volatilePages], [-5, -7]);
  });
});

describe('a gain is worth it', () => {
  const rows: { cpuMillis: number; gainedBytes: number; worth: boolean }[] = [
    { cpuMillis: 1000, gainedBytes: 4 * MIB, worth: true },
    { cpuMillis: 1000, gainedBytes: 4 * MIB - 1, worth: false },
    { cpuMillis: 10, gainedBytes: MIB - 1, worth: false },
    { cpuMillis: 10, gainedBytes: MIB, worth: true },
    { cpuMillis: 60_000, gainedBytes: 200 * MIB, worth: false },
    { cpuMillis: 0, gainedBytes: -1, worth: false },
  ];
  for (const { cpuMillis, gainedBytes, worth } of rows) {
    test(`${gainedBytes} bytes for ${cpuMillis} ms of CPU: ${worth ? 'yes' : 'no'}`, () => {
      assert.equal(isWorthIt({ gainedBytes, cpuNanos: cpuMillis * 1e6 }), worth);
    });
  }
});

const PARTS = { why: 'a test', hintShare: undefined, forced: false, hopedBytes: 0, thorough: true };

/** What a pass brought. */
interface Pass {
  readonly gainedBytes?: number;
  readonly cpuMillis?: number;
  readonly passes?: number;
  readonly skipped?: number;
  readonly disturbed?: boolean;
}

/** A burst after passes, each told at one look. */
function after(passes: readonly Pass[], parts: Partial<typeof PARTS | { hintShare: number }> = {}): Burst {
  let mark = ZERO;
  let burst = beginBurst(mark, { ...PARTS, ...parts });
  for (const { gainedBytes = 0, cpuMillis = 1000, passes: ended = 1, skipped = 0, disturbed = false } of passes) {
    mark = {
      ...mark,
      monotonicMillis: mark.monotonicMillis + 2000,
      fullScans: mark.fullScans + ended,
      profitBytes: mark.profitBytes + gainedBytes,
      pagesSkipped: mark.pagesSkipped + skipped,
      cpuNanos: (mark.cpuNanos ?? 0) + cpuMillis * 1e6,
    };
    burst = judgeBurst(burst, mark, disturbed);
  }
  return burst;
}

const GAIN: Pass = { gainedBytes: GIB };
const QUIET: Pass = {};
const LOSS: Pass = { gainedBytes: -64 * MIB };
const UNDER_WAY: Pass = { passes: 0 };

describe('a burst is over', () => {
  const rows: { name: string; passes: Pass[]; over: boolean; hintShare?: number }[] = [
    { name: 'not when it begins', passes: [], over: false },
    { name: 'not by the end of the pass that was under way', passes: [QUIET], over: false },
    { name: 'not by one whole pass in vain', passes: [QUIET, QUIET], over: false },
    { name: 'by two whole passes in vain', passes: [QUIET, QUIET, QUIET], over: true },
    { name: 'by two that only cost', passes: [GAIN, LOSS, LOSS], over: true },
    { name: 'not while passes bring something', passes: [GAIN, GAIN, GAIN, GAIN], over: false },
    { name: 'not by two in vain with one between that was not', passes: [QUIET, QUIET, GAIN, QUIET], over: false },
    { name: 'not before a pass ends, however long it takes', passes: Array<Pass>(50).fill(UNDER_WAY), over: false },
    { name: 'by three passes that ended between two looks', passes: [{ passes: 3 }], over: true },
    { name: 'not by two, of which one was under way', passes: [{ passes: 2 }], over: false },
    { name: 'after a hint by one whole pass in vain', passes: [QUIET, QUIET], hintShare: 0.2, over: true },
    { name: 'after a hint not by the pass under way', passes: [QUIET], hintShare: 0.2, over: false },
    { name: 'after a probe that merged as after a hint', passes: [QUIET, QUIET], hintShare: 0, over: true },
    {
      name: 'by little gain for much time',
      passes: [QUIET, LOSS, { gainedBytes: 40 * MIB, cpuMillis: 11_000 }],
      over: true,
    },
    {
      name: 'not by passes in which guests went, and their merged pages with them',
      passes: [GAIN, { ...LOSS, disturbed: true }, { ...LOSS, disturbed: true }, { ...LOSS, disturbed: true }],
      over: false,
    },
    {
      name: 'not by the rest of such a pass; by two whole ones after it',
      passes: [QUIET, { ...QUIET, disturbed: true }, QUIET, QUIET],
      over: false,
    },
    { name: '(by two)', passes: [QUIET, { ...QUIET, disturbed: true }, QUIET, QUIET, QUIET], over: true },
  ];
  for (const { name, passes, over, hintShare } of rows) {
    test(name, () => {
      assert.equal(isOver(after(passes, hintShare === undefined ? {} : { hintShare })), over);
    });
  }

  test('counts passes of counters that began anew from there', () => {
    const begun = after([GAIN, GAIN]);
    const anew = judgeBurst(begun, markWith({ monotonicMillis: 9000, fullScans: 0, cpuNanos: 5e9 }), false);
    assert.deepEqual([anew.whole, anew.passes, isOver(anew)], [false, 2, false]);
    const later = judgeBurst(anew, markWith({ monotonicMillis: 19_000, fullScans: 3, cpuNanos: 6e9 }), false);
    assert.deepEqual([later.passes, isOver(later)], [5, true]);
  });
});

describe('a burst with smart_scan', () => {
  const cheap = { thorough: false, hopedBytes: 4 * GIB };
  const skipping: Pass = { skipped: 20_000 };
  const twoQuiet = [skipping, skipping, skipping];

  test('goes on with every page when pages were skipped and what came may be worth it', () => {
    const burst = after(twoQuiet, cheap);
    assert.deepEqual([burst.thorough, burst.quietPasses, isOver(burst)], [true, 0, false]);
    assert.equal(isOver(after([...twoQuiet, QUIET], cheap)), false);
    assert.equal(isOver(after([...twoQuiet, QUIET, QUIET], cheap)), true);
  });

  const rows: { name: string; passes: Pass[]; hopedBytes: number }[] = [
    { name: 'no page was skipped', passes: [QUIET, QUIET, QUIET], hopedBytes: 4 * GIB },
    { name: 'one of the passes in vain saw every page', passes: [skipping, QUIET, skipping], hopedBytes: 4 * GIB },
    { name: 'nothing came', passes: twoQuiet, hopedBytes: 0 },
    { name: 'half of what came is merged', passes: [GAIN, { gainedBytes: GIB }, ...twoQuiet], hopedBytes: 4 * GIB },
    { name: 'what came is merged already', passes: [{ gainedBytes: 4 * GIB }, ...twoQuiet], hopedBytes: 4 * GIB },
    {
      name: 'two passes cost more than it can bring',
      passes: [QUIET, QUIET, { skipped: 10_000_000 }],
      hopedBytes: 700 * MIB,
    },
  ];
  for (const { name, passes, hopedBytes } of rows) {
    test(`is over as any other when ${name}`, () => {
      const burst = after(passes, { thorough: false, hopedBytes });
      assert.deepEqual([burst.thorough, isOver(burst)], [false, true]);
    });
  }

  test('weighs the pages against the memory that came', () => {
    // Two passes over ten million pages of 10 µs are 200 s of CPU, which must bring 800 MiB.
    assert.equal(worthOf(200e9), 800 * MIB);
    const skipped = Array<Pass>(3).fill({ skipped: 10_000_000 });
    assert.equal(after(skipped, { thorough: false, hopedBytes: 800 * MIB }).thorough, true);
    assert.equal(after(skipped, { thorough: false, hopedBytes: 800 * MIB - 1 }).thorough, false);
  });
});

test('a burst is blind when no page was seen for ten seconds', () => {
  const burst = beginBurst(ZERO, PARTS);
  assert.equal(isBlind(burst, markWith({ monotonicMillis: 9999, pagesSeen: 0 })), false);
  assert.equal(isBlind(burst, markWith({ monotonicMillis: 10_000, pagesSeen: 0 })), true);
  assert.equal(isBlind(burst, markWith({ monotonicMillis: 3_600_000, pagesSeen: 1 })), false);
});
