import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Probing,
  afterBurst,
  afterVainHint,
  beginProbe,
  creditInMillis,
  earn,
  firstProbing,
  nextProbeAt,
  probeResult,
} from '../../../../../src/core/policies/adaptive/probe.js';
import type { KsmdCounters } from '../../../../../src/core/policies/shared/progress.js';
import { MIB } from '../../../../support/policies/policyHost.js';

const MAX = 600_000;
/** Memory of which ksmd has seen a million pages, 100000 of which change all the time. */
const BEGIN: KsmdCounters = {
  monotonicMillis: 100_000,
  fullScans: 10,
  profitBytes: 0,
  savedBytes: 0,
  bookkeepingBytes: 64 * MIB,
  beingFreedBytes: 0,
  pagesVolatile: 100_000,
  pagesSeen: 1_000_000,
  pagesMerged: 0,
  pagesUnshared: 0,
  mergesAtFirstScan: false,
  zeroPages: 0,
  pageSizeBytes: 4096,
  pagesVisited: 5_000_000,
  pagesSkipped: 0,
  cpuNanos: 50e9,
  waitNanos: 0,
};

interface Found {
  readonly visited?: number;
  readonly changed?: number;
  readonly gainedBytes?: number;
  readonly cpuMillis?: number;
  readonly passes?: number;
}

const later = ({ visited = 0, changed = 0, gainedBytes = 0, cpuMillis = 0, passes = 0 }: Found): KsmdCounters => ({
  ...BEGIN,
  monotonicMillis: BEGIN.monotonicMillis + 500,
  pagesVisited: 5_000_000 + visited,
  pagesVolatile: 100_000 + changed,
  profitBytes: gainedBytes,
  savedBytes: gainedBytes,
  cpuNanos: 50e9 + cpuMillis * 1e6,
  fullScans: 10 + passes,
});

const LAP: Probing = { ...firstProbing(MAX, true), creditNanos: 250e6, lap: BEGIN };

function resultOf(found: Found, { probing = LAP, everyPage = true, begin = BEGIN, now = later(found) } = {}) {
  return probeResult({ name: 'probe', begin }, now, probing, { pageSizeBytes: 4096, everyPage, probeMaxMillis: MAX });
}

describe('a probe finds', () => {
  const rows: { name: string; found: Found; result: 'more' | 'gain' | 'change' | 'nothing' }[] = [
    { name: 'that there is more to look at', found: { visited: 20_000, cpuMillis: 100 }, result: 'more' },
    { name: 'pages to merge', found: { visited: 20_000, cpuMillis: 100, gainedBytes: MIB }, result: 'gain' },
    {
      name: 'pages that changed: 8 MiB and one in a hundred',
      found: { visited: 200_000, changed: 2048 },
      result: 'change',
    },
    { name: 'no hint in less than 8 MiB', found: { visited: 20_000, changed: 2047 }, result: 'more' },
    { name: 'no hint in less than one in a hundred', found: { visited: 300_000, changed: 2999 }, result: 'more' },
    { name: 'nothing for its credit', found: { visited: 20_000, cpuMillis: 250 }, result: 'nothing' },
    { name: 'nothing by the end of the lap', found: { visited: 1_000_000, cpuMillis: 100 }, result: 'nothing' },
    { name: 'nothing in two passes', found: { visited: 300_000, passes: 2, cpuMillis: 100 }, result: 'nothing' },
    { name: 'more after the end of one pass', found: { visited: 300_000, passes: 1, cpuMillis: 100 }, result: 'more' },
    { name: 'nothing in a loss', found: { visited: 20_000, gainedBytes: -MIB, cpuMillis: 260 }, result: 'nothing' },
  ];
  for (const { name, found, result } of rows) {
    test(`a probe finds ${name}`, () => {
      assert.equal(resultOf(found).found, result);
    });
  }

  test('a probe finds how many pages changed, and what part of those it looked at', () => {
    assert.deepEqual(resultOf({ visited: 40_000, changed: 4000 }), { found: 'change', changedPages: 4000, share: 0.1 });
  });

  test('a probe finds a hint only that is as strong as the last in vain was not', () => {
    const probing = { ...LAP, hintShare: 0.2 };
    assert.equal(resultOf({ visited: 20_000, changed: 3999 }, { probing }).found, 'more');
    assert.equal(resultOf({ visited: 20_000, changed: 4000 }, { probing }).found, 'change');
  });

  test('a probe finds a hint in what it can have looked at at least, 10 µs a page, where that is not counted', () => {
    const begin: KsmdCounters = { ...BEGIN, pagesVisited: undefined, pagesSeen: 134_000_000 };
    const unseen = (changed: number, cpuMillis: number, hintShare = 0.01) => {
      const now: KsmdCounters = { ...later({ changed, cpuMillis }), pagesVisited: undefined, pagesSeen: 134_000_000 };
      return resultOf({}, { begin, now, probing: { ...LAP, hintShare, lap: begin } }).found;
    };
    assert.deepEqual(
      [unseen(2048, 100), unseen(2048, 100, 0.2), unseen(2048, 102, 0.2)],
      ['change', 'change', 'change'],
    );
    assert.deepEqual([unseen(2048, 110, 0.2), unseen(2047, 100)], ['more', 'more']);
  });

  test('a probe finds nothing to merge in memory that has gone: its bookkeeping went', () => {
    const now: KsmdCounters = { ...later({ visited: 20_000, cpuMillis: 100 }), profitBytes: 16 * MIB };
    assert.equal(resultOf({}, { now }).found, 'more');
  });

  test('a probe finds nothing when the counters began anew; the lap is given up', () => {
    const result = resultOf({}, { now: { ...BEGIN, fullScans: 0 } });
    assert.deepEqual(result, { found: 'nothing', probing: { ...LAP, lap: undefined } });
    const within = { ...BEGIN, fullScans: 9 };
    assert.deepEqual(resultOf({}, { begin: within, now: within }), result, 'since the lap began, not the probe');
  });
});

describe('a lap', () => {
  test('a lap is begun by the first probe and gone on with by the next', () => {
    const begun = beginProbe({ ...LAP, lap: undefined }, BEGIN);
    assert.equal(begun.lap, BEGIN);
    assert.equal(beginProbe(begun, later({ visited: 1000 })).lap, BEGIN);
  });

  test('a lap whose slice is over is gone on with in half a minute; what it used is paid', () => {
    const result = resultOf({ visited: 20_000, cpuMillis: 260 });
    assert.ok(result.found === 'nothing');
    assert.equal(Math.round(result.probing.creditNanos / 1e6), -10);
    assert.deepEqual([result.probing.lap, result.probing.gapMillis], [BEGIN, 60_000]);
    assert.equal(nextProbeAt(result.probing, BEGIN, MAX), BEGIN.monotonicMillis + 30_000);
  });

  test('a lap in vain makes the next twice as far away, KSM_PROBE_MAX at most', () => {
    let probing = LAP;
    const gaps: number[] = [];
    for (let lap = 0; lap < 5; lap += 1) {
      const result = resultOf({ visited: 1_000_000, cpuMillis: 100 }, { probing });
      assert.ok(result.found === 'nothing');
      gaps.push(nextProbeAt(result.probing, BEGIN, MAX) - BEGIN.monotonicMillis);
      probing = { ...result.probing, lap: BEGIN };
    }
    assert.deepEqual(gaps, [120_000, 240_000, 480_000, 600_000, 600_000]);
  });

  test('a lap over every page tells changed pages from others: only after one is a slice a hint', () => {
    const unsure = { ...LAP, exact: false };
    assert.equal(resultOf({ visited: 20_000, changed: 20_000 }, { probing: unsure }).found, 'more');
    assert.equal(resultOf({ visited: 20_000, changed: 20_000 }, { everyPage: false }).found, 'more');
    for (const everyPage of [true, false]) {
      const whole = resultOf({ visited: 1_000_000, changed: 100_000 }, { probing: unsure, everyPage });
      assert.ok(whole.found === 'nothing');
      assert.equal(whole.probing.exact, everyPage);
    }
  });

  test('a lap is over at once where there is no page', () => {
    const none: KsmdCounters = { ...BEGIN, pagesSeen: 0, pagesVolatile: 0 };
    assert.equal(resultOf({}, { begin: none, now: none, probing: { ...LAP, lap: none } }).found, 'nothing');
  });
});

describe('the credit of probes', () => {
  const credit = (creditNanos: number): Probing => ({ ...firstProbing(MAX, true), creditNanos });

  const rested = (elapsedMillis: number, cpuNanos = 0) => ({ elapsedMillis, cpuNanos });

  test('the credit of probes grows by 0.8 % of a core while ksmd rests, up to what KSM_PROBE_MAX brings', () => {
    assert.equal(earn(credit(0), rested(10_000), MAX).creditNanos, 80e6);
    assert.equal(earn(credit(-1e9), rested(10_000), MAX).creditNanos, -920e6);
    assert.equal(earn(credit(0), rested(86_400_000), MAX).creditNanos, 4.8e9);
  });

  test('the credit of probes pays for what ksmd still did after it was told to stop', () => {
    assert.equal(earn(credit(0), rested(10_000, 90e6), MAX).creditNanos, -10e6);
  });

  test('a probe waits for enough credit to start ksmd: what 30 s bring, or less with a shorter KSM_PROBE_MAX', () => {
    assert.equal(creditInMillis(credit(216e6), MAX), 0);
    assert.equal(creditInMillis(credit(0), MAX), 27_000);
    assert.equal(creditInMillis(credit(-8e9), MAX), 1_027_000);
    assert.equal(creditInMillis(credit(0), 10_000), 9000);
  });

  test('the credit of probes can always be earned', () => {
    for (const probeMaxMillis of [10_000, 60_000, 86_400_000]) {
      const earned = earn(credit(-5e9), rested(1e12), probeMaxMillis);
      assert.equal(creditInMillis(earned, probeMaxMillis), 0, String(probeMaxMillis));
    }
  });

  test('the credit of probes begins anew after a burst that was worth it; debts stay', () => {
    const tired = { ...credit(3e9), gapMillis: 480_000, hintShare: 0.4, lap: BEGIN };
    assert.deepEqual(afterBurst(tired, true, MAX), { ...firstProbing(MAX, true), hintShare: 0.2 });
    assert.deepEqual(afterBurst({ ...tired, hintShare: 0.015 }, true, MAX), firstProbing(MAX, true));
    assert.equal(afterBurst({ ...tired, creditNanos: -1e9 }, false, MAX).creditNanos, -1e9);
  });

  test('the credit of probes pays for a burst after a hint in vain, and the next hint must be twice as strong', () => {
    const after = afterVainHint({ ...credit(1e9), lap: BEGIN }, 20e9, 0.05, MAX);
    assert.deepEqual(after, { gapMillis: 120_000, lap: undefined, creditNanos: -19e9, hintShare: 0.1, exact: true });
    assert.equal(afterVainHint({ ...after, hintShare: 0.3 }, 0, 0.05, MAX).hintShare, 0.3, 'never weaker');
    assert.equal(afterVainHint(after, 500e9, 0.05, MAX).creditNanos, -0.008 * 6 * MAX * 1e6, 'but not for ever');
    const rare = afterVainHint(after, 500_000e9, 0.05, 86_400_000);
    assert.equal(rare.creditNanos, -0.008 * 6 * 3_600_000 * 1e6, 'nor for days');
  });
});

test('no gap between probes and no slice of one is longer than KSM_PROBE_MAX', () => {
  const probing = firstProbing(10_000, false);
  assert.equal(nextProbeAt(probing, BEGIN, 10_000), BEGIN.monotonicMillis + 10_000);
  assert.equal(nextProbeAt({ ...probing, lap: BEGIN }, BEGIN, 10_000), BEGIN.monotonicMillis + 10_000);
  assert.equal(nextProbeAt({ ...probing, gapMillis: 480_000 }, BEGIN, 20_000), BEGIN.monotonicMillis + 20_000);
});
