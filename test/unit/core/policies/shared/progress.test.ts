import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isWorthIt, ksmdCountersOf, progressBetween } from '../../../../../src/core/policies/shared/progress.js';
import { sampleOf } from '../../../../support/examples/examples.js';
import { MIB, NEW_KSM, OLD_KSM } from '../../../../support/policies/policyHost.js';
import { ZERO, markWith } from '../../../../support/policies/policyMark.js';

describe('what ksmd did between two looks', () => {
  test('what ksmd did between two looks is the difference of its counters', () => {
    const times = { ksmdCpuNanos: 5e9, ksmdWaitNanos: 3e9 };
    const from = ksmdCountersOf(sampleOf({ monotonicMillis: 1000, ksm: { ...NEW_KSM, pagesScanned: 500 }, ...times }));
    const ksm = { ...NEW_KSM, fullScans: 2, pagesScanned: 1500, pagesSkipped: 200, pagesVolatile: 30 };
    const later = { ksmdCpuNanos: 6e9, ksmdWaitNanos: 3.5e9 };
    const merged = { pagesSharing: 300, generalProfit: MIB };
    const to = ksmdCountersOf(sampleOf({ monotonicMillis: 4000, ksm: { ...ksm, ...merged }, ...later }));
    assert.deepEqual(progressBetween(from, to), {
      elapsedMillis: 3000,
      passes: 2,
      cpuNanos: 1e9,
      waitNanos: 5e8,
      gainedBytes: MIB,
      volatilePages: 30,
      zeroedPages: 0,
      visitedPages: 1200,
      skippedPages: 200,
    });
  });

  describe('a page that equals a shared one merges in its first scan', () => {
    const rows = [
      { name: 'of Linux 6.10', kernel: { major: 6, minor: 10 }, pagesShared: 1, first: true },
      { name: 'of Linux 5.14', kernel: { major: 5, minor: 14 }, pagesShared: 1, first: true },
      { name: 'of Linux 6.11', kernel: { major: 6, minor: 11 }, pagesShared: 1, first: false },
      { name: 'of Linux 7.0', kernel: { major: 7, minor: 0 }, pagesShared: 1, first: false },
      { name: 'of an unknown kernel', kernel: undefined, pagesShared: 1, first: false },
      { name: 'where nothing is shared', kernel: { major: 6, minor: 1 }, pagesShared: 0, first: false },
    ];
    for (const { name, kernel, pagesShared, first } of rows) {
      test(`a page that equals a shared one merges in its ${first ? 'first' : 'second'} scan ${name}`, () => {
        const sample = sampleOf({ ksm: { ...OLD_KSM, pagesShared }, ...(kernel && { kernel }) });
        assert.equal(ksmdCountersOf(sample).mergesAtFirstScan, first);
      });
    }
  });

  test('the counters of ksmd have the profit reckoned and no pages where the kernel does not count them', () => {
    const ksm = { ...OLD_KSM, pagesShared: 10, pagesSharing: 600, pagesUnshared: 300, pagesVolatile: 90 };
    const counters = ksmdCountersOf(sampleOf({ ksm, ksmdCpuNanos: 0 }));
    assert.deepEqual(
      [counters.profitBytes, counters.pagesSeen, counters.pagesVisited],
      [600 * 4096 - 1000 * 64, 1000, undefined],
    );
    assert.equal(progressBetween(counters, counters)?.visitedPages, undefined);
  });

  test('what ksmd did between two looks is reckoned at 10 µs a page where its CPU time cannot be seen', () => {
    const unseen = ksmdCountersOf(sampleOf({ ksm: NEW_KSM }));
    assert.equal(progressBetween(unseen, { ...unseen, pagesVisited: 100_000 })?.cpuNanos, 1e9);
    const seen = { ...unseen, pagesVisited: 100_000, cpuNanos: 77e9 };
    assert.equal(progressBetween(unseen, seen)?.cpuNanos, 1e9, 'nor at one of the two looks');
  });

  for (const counter of ['monotonicMillis', 'fullScans', 'pagesVisited', 'cpuNanos'] as const) {
    test(`what ksmd did between two looks is nothing that can be said when ${counter} went backwards`, () => {
      assert.equal(progressBetween(markWith({ [counter]: 100 }), markWith({ [counter]: 99 })), undefined);
    });
  }

  test('what ksmd did between two looks can be less profit and fewer volatile pages', () => {
    const progress = progressBetween(markWith({ profitBytes: 5, pagesVolatile: 7 }), ZERO);
    assert.deepEqual([progress?.gainedBytes, progress?.volatilePages], [-5, -7]);
  });

  test('it is no gain of ksmd when only the bookkeeping of a guest that has gone became less', () => {
    const gained = (saved: number, profit: number) =>
      progressBetween(ZERO, markWith({ savedBytes: saved, profitBytes: profit }))?.gainedBytes;
    assert.deepEqual([gained(0, 16 * MIB), gained(-MIB, 16 * MIB), gained(20, 16)], [0, -MIB, 16]);
  });
});

test('what the kernel still counts of guests that have gone comes and goes, and is no gain', () => {
  const told = markWith({ savedBytes: 60 * MIB, profitBytes: 50 * MIB, beingFreedBytes: 40 * MIB });
  const over = markWith({ savedBytes: 100 * MIB, profitBytes: 90 * MIB });
  assert.deepEqual([progressBetween(told, over)?.gainedBytes, progressBetween(over, told)?.gainedBytes], [0, 0]);
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
    test(`a gain of ${gainedBytes} bytes for ${cpuMillis} ms of CPU is ${worth ? 'worth it' : 'not worth it'}`, () => {
      assert.equal(isWorthIt({ gainedBytes, cpuNanos: cpuMillis * 1e6 }), worth);
    });
  }
});
