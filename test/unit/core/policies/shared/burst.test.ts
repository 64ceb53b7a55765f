import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Burst,
  beginBurst,
  extendBurst,
  isBlind,
  isOver,
  judgeBurst,
  mergingNanosOf,
} from '../../../../../src/core/policies/shared/burst.js';
import { type KsmdCounters, worthOf } from '../../../../../src/core/policies/shared/progress.js';
import { GIB, MIB } from '../../../../support/policies/policyHost.js';
import { ZERO, markWith } from '../../../../support/policies/policyMark.js';

const PARTS = { why: 'a test', hintShare: undefined, hopedBytes: 0, thorough: true };

/** What a pass brought. */
interface Pass {
  readonly gainedBytes?: number;
  readonly cpuMillis?: number;
  readonly passes?: number;
  readonly skipped?: number;
  /** Pages that were seen for the first time. */
  readonly fresh?: number;
  readonly disturbed?: boolean;
}

/** A burst after passes, each told at one look. */
function after(
  passes: readonly Pass[],
  parts: Partial<Omit<typeof PARTS, 'hintShare'>> & { hintShare?: number } = {},
): Burst {
  // Guests rewrite much memory all the time, so that what another pass can bring is not known from the pages that changed.
  let counters = markWith({ pagesVolatile: 1_000_000, pagesSeen: 1_000_000 });
  let burst = beginBurst(counters, { ...PARTS, ...parts });
  for (const { gainedBytes = 0, cpuMillis = 1000, passes: ended = 1, skipped = 0, fresh = 0, ...pass } of passes) {
    const { disturbed = false } = pass;
    counters = {
      ...counters,
      monotonicMillis: counters.monotonicMillis + 2000,
      fullScans: counters.fullScans + ended,
      profitBytes: counters.profitBytes + gainedBytes,
      savedBytes: counters.savedBytes + gainedBytes,
      pagesVisited: (counters.pagesVisited ?? 0) + ended * 1_000_000,
      pagesSkipped: counters.pagesSkipped + skipped,
      pagesSeen: counters.pagesSeen + fresh,
      cpuNanos: (counters.cpuNanos ?? 0) + cpuMillis * 1e6,
    };
    burst = judgeBurst(burst, counters, disturbed);
  }
  return burst;
}

const GAIN: Pass = { gainedBytes: GIB };
const QUIET: Pass = {};
const LOSS: Pass = { gainedBytes: -64 * MIB };
const UNDER_WAY: Pass = { passes: 0 };
const WENT: Pass = { ...LOSS, disturbed: true };
const LEFT: Pass = { ...UNDER_WAY, disturbed: true };

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
    { name: 'not by two passes, of which one was under way', passes: [{ passes: 2 }], over: false },
    { name: 'after a hint by one whole pass in vain', passes: [QUIET, QUIET], hintShare: 0.2, over: true },
    { name: 'after a hint not by the pass under way', passes: [QUIET], hintShare: 0.2, over: false },
    { name: 'after a probe that merged as after a hint', passes: [QUIET, QUIET], hintShare: 0, over: true },
    {
      name: 'by little gain for much time',
      passes: [QUIET, LOSS, { gainedBytes: 40 * MIB, cpuMillis: 11_000 }],
      over: true,
    },
    {
      name: 'not by two in vain in which guests went, and took what they saved',
      passes: [GAIN, WENT, WENT],
      over: false,
    },
    { name: 'not by three in vain in which guests went', passes: [GAIN, WENT, WENT, WENT], over: false },
    {
      name: 'by four in vain in which guests went: each counts for half',
      passes: [GAIN, WENT, WENT, WENT, WENT],
      over: true,
    },
    { name: 'not by one in vain and one in which guests went', passes: [GAIN, QUIET, WENT], over: false },
    { name: 'by one in vain and two in which guests went', passes: [GAIN, WENT, QUIET, WENT], over: true },
    {
      name: 'not by two in vain after one in which a guest went before its end',
      passes: [GAIN, LEFT, QUIET, QUIET],
      over: false,
    },
    {
      name: 'by three in vain after one in which a guest went before its end',
      passes: [GAIN, LEFT, QUIET, QUIET, WENT],
      over: true,
    },
    { name: 'after a hint not by one in which guests went', passes: [QUIET, WENT], hintShare: 0.2, over: false },
    { name: 'after a hint by two in which guests went', passes: [QUIET, WENT, WENT], hintShare: 0.2, over: true },
  ];
  for (const { name, passes, over, hintShare } of rows) {
    test(`whether a burst is over: ${name}`, () => {
      assert.equal(isOver(after(passes, hintShare === undefined ? {} : { hintShare })), over);
    });
  }

  test('a burst counts passes of counters that began anew from there', () => {
    const begun = after([GAIN, GAIN]);
    const anew = judgeBurst(
      begun,
      markWith({ ...begun.pass, monotonicMillis: 9000, fullScans: 0, cpuNanos: 5e9 }),
      false,
    );
    assert.deepEqual([anew.whole, anew.passes, isOver(anew)], [false, 2, false]);
    const later = judgeBurst(
      anew,
      markWith({
        ...{ ...anew.pass, monotonicMillis: 19_000, fullScans: 3, cpuNanos: 6e9 },
        pagesVisited: (anew.pass.pagesVisited ?? 0) + 3_000_000,
      }),
      false,
    );
    assert.deepEqual([later.passes, isOver(later)], [5, true]);
  });
});

test('a burst that more guests extend ends after two passes in vain from there, and not after a hint', () => {
  const burst = after([GAIN, QUIET], { hopedBytes: GIB, hintShare: 0.2 });
  const extended = extendBurst(burst, burst.pass, 2 * GIB);
  assert.deepEqual([isOver(burst), isOver(extended)], [true, false]);
  const { passes, thorough, ...changed } = extended;
  assert.deepEqual([passes, thorough], [burst.passes, true]);
  assert.deepEqual([changed.hopedBytes, changed.hintShare], [2 * GIB, undefined]);
  const end = [1, 2].map((pass) =>
    markWith({
      ...burst.pass,
      fullScans: burst.pass.fullScans + pass,
      pagesVisited: (burst.pass.pagesVisited ?? 0) + pass * 1_000_000,
    }),
  );
  const passed = end.reduce((judged, counters) => judgeBurst(judged, counters, false), extended);
  assert.equal(isOver(passed), true);
});

describe('merging memory that came costs two passes over the pages seen', () => {
  const rows: { name: string; counters: Partial<KsmdCounters>; nanos: number }[] = [
    { name: 'two passes at what a page has cost', counters: { cpuNanos: 6e9, pagesVisited: 2e6 }, nanos: 6e9 },
    {
      name: 'two passes at what a page that was not skipped has cost',
      counters: { cpuNanos: 6e9, pagesVisited: 5e6, pagesSkipped: 3e6 },
      nanos: 6e9,
    },
    { name: 'two passes at 10 µs a page at most', counters: { cpuNanos: 6e9, pagesVisited: 1e5 }, nanos: 20e9 },
    {
      name: 'two passes at 10 µs a page where no page has been scanned',
      counters: { cpuNanos: 0, pagesVisited: 0 },
      nanos: 20e9,
    },
    {
      name: 'two passes at 10 µs a page where pages are not counted',
      counters: { cpuNanos: 6e9, pagesVisited: undefined },
      nanos: 20e9,
    },
    {
      name: 'two passes at 10 µs a page where the CPU time cannot be seen',
      counters: { cpuNanos: undefined, pagesVisited: 2e9 },
      nanos: 20e9,
    },
    { name: 'nothing before any page is seen', counters: { pagesSeen: 0 }, nanos: 0 },
    {
      name: 'one pass where pages that equal shared ones merge in their first scan',
      counters: { cpuNanos: 6e9, pagesVisited: 2e6, mergesAtFirstScan: true },
      nanos: 3e9,
    },
  ];
  for (const { name, counters, nanos } of rows) {
    test(`the cost of merging memory that came is ${name}`, () => {
      assert.equal(mergingNanosOf(markWith({ pagesSeen: 1e6, ...counters })), nanos);
    });
  }
});

describe('a burst with smart_scan', () => {
  const cheap = { thorough: false, hopedBytes: 4 * GIB };
  const skipping: Pass = { skipped: 200_000 };
  const twoQuiet = [skipping, skipping, skipping];

  test('a burst with smart_scan goes on with every page when pages were skipped and what came may be worth it', () => {
    const burst = after(twoQuiet, cheap);
    assert.deepEqual([burst.thorough, burst.quietPasses, isOver(burst)], [true, 0, false]);
    assert.equal(isOver(after([...twoQuiet, QUIET], cheap)), false);
    assert.equal(isOver(after([...twoQuiet, QUIET, QUIET], cheap)), true);
  });

  test('a burst with smart_scan goes on when the pass that saw every page was the first that saw what came', () => {
    const burst = after([skipping, { fresh: 500_000 }, skipping], cheap);
    assert.deepEqual([burst.thorough, isOver(burst)], [true, false]);
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
    test(`a burst with smart_scan is over as any other when ${name}`, () => {
      const burst = after(passes, { thorough: false, hopedBytes });
      assert.deepEqual([burst.thorough, isOver(burst)], [false, true]);
    });
  }

  test('a burst with smart_scan weighs the pages against the memory that came', () => {
    // Two passes over ten million pages of 10 µs are 200 s of CPU, which must bring 800 MiB.
    assert.equal(worthOf(200e9), 800 * MIB);
    const skipped = Array<Pass>(3).fill({ skipped: 10_000_000 });
    assert.equal(after(skipped, { thorough: false, hopedBytes: 800 * MIB }).thorough, true);
    assert.equal(after(skipped, { thorough: false, hopedBytes: 800 * MIB - 1 }).thorough, false);
  });
});

describe('of a million pages, a pass', () => {
  const rows: { name: string; pagesVisited: number | undefined; cpuNanos: number | undefined; counts: boolean }[] = [
    { name: 'that visited 1000 does not count', pagesVisited: 1000, cpuNanos: 9e9, counts: false },
    { name: 'that visited 1001 counts', pagesVisited: 1001, cpuNanos: 0, counts: true },
    {
      name: 'without counted visits does not count at 10 ms of CPU',
      pagesVisited: undefined,
      cpuNanos: 10e6,
      counts: false,
    },
    { name: 'without counted visits counts at more', pagesVisited: undefined, cpuNanos: 10e6 + 1, counts: true },
    { name: 'counts where neither can be seen', pagesVisited: undefined, cpuNanos: undefined, counts: true },
  ];
  for (const { name, pagesVisited, cpuNanos, counts } of rows) {
    test(`a pass over a million pages ${name}`, () => {
      const from = (visited: number | undefined, nanos: number | undefined, fullScans: number) =>
        markWith({ pagesSeen: 1_000_000, pagesVisited: visited, cpuNanos: nanos, fullScans });
      const burst = beginBurst(from(pagesVisited && 0, cpuNanos && 0, 0), PARTS);
      assert.equal(judgeBurst(burst, from(pagesVisited, cpuNanos, 1), false).passes, counts ? 1 : 0);
    });
  }
});

test('a burst is blind when no page was seen for ten seconds', () => {
  const burst = beginBurst(ZERO, PARTS);
  assert.equal(isBlind(burst, markWith({ monotonicMillis: 9999, pagesSeen: 0 })), false);
  assert.equal(isBlind(burst, markWith({ monotonicMillis: 10_000, pagesSeen: 0 })), true);
  assert.equal(isBlind(burst, markWith({ monotonicMillis: 3_600_000, pagesSeen: 1 })), false);
});

describe('memory that came is hoped for', () => {
  const rows: { name: string; passes: Pass[]; hopedBytes: number }[] = [
    { name: 'while its pass is under way', passes: [UNDER_WAY], hopedBytes: GIB },
    { name: 'at the end of a pass that was not seen from its beginning', passes: [QUIET], hopedBytes: GIB },
    { name: 'no more after a pass over every page', passes: [QUIET, QUIET], hopedBytes: 0 },
    { name: 'still after a pass that skipped many pages', passes: [QUIET, { skipped: 21_000 }], hopedBytes: GIB },
    { name: 'no more after a pass that skipped few pages', passes: [QUIET, { skipped: 20_000 }], hopedBytes: 0 },
    {
      name: 'still when much of the memory was seen for the first time',
      passes: [QUIET, { fresh: 26_215 }],
      hopedBytes: GIB,
    },
    {
      name: 'no more when little of the memory was seen for the first time',
      passes: [QUIET, { fresh: 26_214 }],
      hopedBytes: 0,
    },
  ];
  for (const { name, passes, hopedBytes } of rows) {
    test(`whether memory that came is hoped for: ${name}`, () => {
      assert.equal(after(passes, { hopedBytes: GIB, thorough: false }).hopedBytes, hopedBytes);
    });
  }

  test('a pass that skips pages can be the last one of a burst without new memory', () => {
    const quiet: Pass = { skipped: 1_000_000 };
    const burst = after([GAIN, QUIET, quiet], { hopedBytes: GIB, thorough: false });
    assert.deepEqual([burst.hopedBytes, burst.exhausted, isOver(burst)], [0, true, true]);
    const hoping = after([GAIN, quiet], { hopedBytes: GIB, thorough: false });
    assert.deepEqual([hoping.exhausted, isOver(hoping)], [false, false]);
  });
});
