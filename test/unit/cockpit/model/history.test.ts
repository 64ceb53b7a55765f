import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HistoryRecord } from '../../../../src/core/history/record.js';
import { curvesOf, happeningsNear, recordsOf } from '../../../../src/cockpit/model/history.js';
import { encodeLine } from '../../../../src/state/history/lines.js';
import { exampleDay } from '../../../support/examples/historyExample.js';

const DAY_MILLIS = 86_400_000;
const FROM = Date.UTC(2026, 10, 20);

describe('the history in the page', () => {
  const records = exampleDay(FROM);

  test('a page of history lines gives the records that were written', () => {
    const lines = records.map((record) => encodeLine(record).text).join('');
    assert.deepEqual(recordsOf(lines), records);
  });

  test('history lines of another version are left out', () => {
    assert.deepEqual(recordsOf('00000000 ["x",1]\n00000000 not JSON\n\n'), []);
  });

  test("the columns of the page's curves are as long as each other, in the order of time", () => {
    const { times, savedBytes, freeBytes, ksmdPercent } = curvesOf(records, FROM, FROM + DAY_MILLIS);
    assert.ok(times.length > 1000);
    for (const column of [savedBytes, freeBytes, ksmdPercent]) assert.equal(column.length, times.length);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
  });

  test('a curve is interrupted where nobody looked', () => {
    const samples = records.filter(({ kind }) => kind === 'sample');
    const holed = samples.filter(({ atMillis }) => atMillis < FROM + 3_600_000 || atMillis > FROM + 5 * 3_600_000);
    const { times, savedBytes } = curvesOf(holed, FROM, FROM + DAY_MILLIS);
    const holes = times.filter((_time, index) => savedBytes[index] === null);
    assert.equal(holes[0], (FROM + 3_600_000 - 60_000 + 1) / 1000);
  });

  test("ksmd's share is of one core, and unknown at the first sample", () => {
    const at = (seconds: number, cpuSeconds: number): HistoryRecord => ({
      ...{ kind: 'sample', atMillis: FROM + seconds * 1000, savedBytes: 0, freedBytes: 0, freeBytes: 1, totalBytes: 2 },
      ...{ committedBytes: 1, guestCount: 1, run: 1, profitBytes: 0, pagesScanned: 0 },
      ksmdCpuNanos: cpuSeconds * 1e9,
    });
    const { ksmdPercent } = curvesOf([at(0, 5), at(10, 10), at(20, 10)], FROM, FROM + 60_000);
    assert.deepEqual(ksmdPercent, [null, 50, 0, null]);
  });

  test('the record near a moment is the nearest to it, and none that is farther away than asked', () => {
    const decision = (atMillis: number) => {
      return { kind: 'decision', atMillis, policy: 'p', reason: 'r', sentence: `at ${atMillis}`, changes: [] } as const;
    };
    const all = [decision(10), decision(20), decision(21)];
    assert.deepEqual(happeningsNear(all, 18, 5), [all[1]]);
    assert.deepEqual(happeningsNear(all, 40, 5), []);
  });
});
