import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeStage } from '../../../src/core/mergeStage.js';
import { beginBurst } from '../../../src/core/policies/shared/burst.js';
import type { KsmdCounters } from '../../../src/core/policies/shared/progress.js';
import { millisToPassEnd, stageOfBurst } from '../../../src/core/policies/shared/stage.js';
import type { Sample } from '../../../src/core/sample.js';
import { sampleOf } from '../../support/examples/examples.js';
import { guestOf } from '../../support/policies/policyHost.js';
import { markWith } from '../../support/policies/policyMark.js';

const PAGE = 4096;
const PARTS = { why: 'a test', hintShare: undefined, hopedBytes: 0, thorough: false };
/** A host whose guests have a million pages. */
const HOST: Sample = sampleOf({ guests: [guestOf('a', 1_000_000 * PAGE)] });

/** 10 s after a pass began in which so many pages were visited. */
function after(visited: number | undefined, passes: number, parts: Partial<KsmdCounters> = {}, hopedBytes = 0) {
  const begin = markWith({ pagesSeen: 0 });
  const burst = { ...beginBurst(begin, { ...PARTS, hopedBytes }), passes, whole: true };
  const now = markWith({ monotonicMillis: 10_000, pagesVisited: visited, ...parts });
  return { stage: stageOfBurst(burst, now, HOST, 0.5), endMillis: millisToPassEnd(burst, now, HOST) };
}

describe('how far a burst has come', () => {
  test('in the first pass of a burst nothing merges, and all is done a dearer pass later', () => {
    const { stage, endMillis } = after(250_000, 0);
    assert.equal(endMillis, 30_000);
    // A million pages of 6 µs at half a core.
    assert.deepEqual(stage, { name: 'first-pass', firstSavingsInMillis: 30_000, endInMillis: 30_000 + 12_000 });
  });

  test('before Linux 6.11 a page that equals a shared one merges in the first pass', () => {
    assert.equal(after(250_000, 0, { mergesAtFirstScan: true }).stage.firstSavingsInMillis, undefined);
    assert.equal(after(250_000, 0).stage.firstSavingsInMillis, 30_000);
  });

  describe('for a guest of 200,000 pages that starts beside 800,000 pages that ksmd knows, at 40 us a page', () => {
    const late = (visited: number, mergesAtFirstScan: boolean, newPages = 200_000) => {
      const { stage } = after(visited, 0, { pagesMerged: 5, mergesAtFirstScan }, newPages * PAGE);
      const { firstSavingsInMillis: first, endInMillis = 0 } = stage;
      return [first === undefined ? undefined : Math.round(first), Math.round(endInMillis)];
    };
    // Merging the guest's pages takes 2.4 s: 6 us a page at half a core.
    test("a new guest's pages merge a whole pass after ksmd first scans them, at the end of this one", () => {
      assert.deepEqual(late(250_000, false), [(800_000 - 250_000 + 1_000_000) / 25, 62_000 + 2400]);
    });

    test('before Linux 6.11 a new guest’s pages merge when ksmd first scans them', () => {
      assert.deepEqual(late(250_000, true), [(800_000 - 250_000) / 25, 22_000 + 2400]);
      assert.deepEqual(late(900_000, true), [undefined, 2400]);
    });

    test('if more than half of all pages are new, they merge in the next pass', () => {
      assert.deepEqual(late(250_000, false, 500_001), [30_000, 42_000]);
    });
  });

  test('after its first pass a burst merges, until the pass ends', () => {
    assert.deepEqual(after(750_000, 1).stage, { name: 'merging', endInMillis: 10_000 / 3 });
  });

  test('the end of a burst counts the pages that ksmd knows beyond the guests’ memory', () => {
    assert.equal(after(500_000, 1, { pagesSeen: 2_000_000 }).endMillis, 30_000);
  });

  for (const [name, visited, parts] of [
    ['on a kernel that does not count pages', undefined, {}],
    ['before a page was visited', 0, {}],
    ['in the first second', 1000, { monotonicMillis: 999 }],
    ['when the pass takes longer than expected', 1_000_000, {}],
  ] as const) {
    test(`the stage of a burst has no times ${name}`, () => {
      assert.deepEqual(after(visited, 0, parts).stage, { name: 'first-pass' });
      assert.deepEqual(after(visited, 2, parts).stage, { name: 'merging' });
    });
  }
});

describe('a stage in words', () => {
  const rows = [
    [{ name: 'waiting' }, 'waiting for guests'],
    [{ name: 'waiting', endInMillis: 38_500 }, 'waiting for guests, about 40 s at most'],
    [{ name: 'first-pass' }, 'first pass'],
    [{ name: 'first-pass', endInMillis: 62_000 }, 'first pass; done in about 1 min'],
    [
      { name: 'first-pass', firstSavingsInMillis: 38_500, endInMillis: 124_000 },
      'first pass: nothing can merge yet, about 40 s more; done in about 2 min 5 s',
    ],
    [{ name: 'merging', endInMillis: 1 }, 'merging: this pass ends in about 5 s'],
    [{ name: 'merging' }, 'merging'],
    [{ name: 'done' }, 'done: nothing more to gain'],
  ] as const;
  for (const [stage, text] of rows) {
    test(`the stage of a burst is described as ${text}`, () => {
      assert.equal(describeStage(stage), text);
    });
  }
});
