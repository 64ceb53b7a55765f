import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { HistorySample } from '../../../../src/core/history/record.js';
import { clockMarks, clockRange, clockStep, clockTime } from '../../../../src/text/clock.js';
import { cpuSteps, pointsOf } from '../../../../src/ctl/history/curves.js';
import { type Happening, describeHappening, happenings, summarize } from '../../../../src/core/history/happenings.js';
import { memoryScale, percentScale } from '../../../../src/text/scale.js';
import { historyOf, ksmdPercent, segmentsOf, stretchesOf } from '../../../../src/core/history/series.js';
import { NOW, record, sample } from '../../../support/examples/historyArbitraries.js';
import { inTimeZone } from '../../../support/timeZone.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PLAIN: HistorySample = {
  ...{ kind: 'sample', atMillis: 0, savedBytes: 0, freeBytes: 0, totalBytes: 0, committedBytes: 0, guestCount: 0 },
  ...{ run: 0, freedBytes: 0, profitBytes: undefined, ksmdCpuNanos: undefined, pagesScanned: undefined },
};
/** Samples at these minutes, with ksmd's CPU time in seconds. */
const samplesAt = (...times: readonly (readonly [minute: number, cpuSeconds?: number])[]): HistorySample[] =>
  times.map(([minute, seconds]) => {
    return { ...PLAIN, atMillis: minute * MINUTE, ksmdCpuNanos: seconds === undefined ? undefined : seconds * 1e9 };
  });

describe('the CPU time of ksmd', () => {
  inTimeZone('Europe/Berlin');
  const percent = (...times: readonly (readonly [number, number?])[]) => ksmdPercent(stretchesOf(samplesAt(...times)));

  test('the CPU time of ksmd is told in percent of one core', () => {
    assert.equal(percent([0, 100], [1, 130]), 50);
    assert.equal(percent([0, 100], [1, 160], [4, 160]), 25);
  });

  test('the CPU time of ksmd is not told where the counter began anew, or is not there', () => {
    assert.equal(percent([0, 100], [1, 2]), undefined);
    assert.equal(percent([0, 100], [1, 2], [2, 8]), 10);
    assert.equal(percent([0], [1]), undefined);
    assert.equal(percent([0, 1]), undefined);
  });

  test('the CPU time of ksmd over a gap is not told', () => {
    assert.equal(percent([0, 0], [1, 6], [2, 12], [22, 72]), 10);
    assert.equal(percent([0, 0], [1, 0], [15, 90]), 10);
  });

  test('the CPU time of ksmd is never below zero nor no number, whatever is recorded', () => {
    fc.assert(
      fc.property(fc.array(sample), (samples) => {
        const { samples: within } = historyOf(samples, NOW - 40 * 24 * HOUR, NOW);
        for (const { percent: used } of cpuSteps(stretchesOf(within), HOUR)) assert.ok(used >= 0 && used < Infinity);
        const all = ksmdPercent(stretchesOf(within));
        assert.ok(all === undefined || (all >= 0 && all < Infinity));
      }),
    );
  });
});

describe('samples', () => {
  inTimeZone('Europe/Berlin');
  test('samples of a curve are parted where nobody looked for more than a quarter of an hour', () => {
    const segments = segmentsOf(samplesAt([0], [1], [16], [32], [33], [34]));
    assert.deepEqual(
      segments.map((segment) => segment.map(({ atMillis }) => atMillis / MINUTE)),
      [
        [0, 1, 16],
        [32, 33, 34],
      ],
    );
  });

  test('samples that are always far apart have no gap between them', () => {
    assert.equal(segmentsOf(samplesAt([0], [60], [120], [180], [300])).length, 1);
    assert.equal(segmentsOf(samplesAt([0], [60], [120], [180], [361])).length, 2);
  });

  test('samples of a curve are in no more than one segment each, and all of them in one', () => {
    fc.assert(
      fc.property(fc.array(record), (records) => {
        const { samples } = historyOf(records, 0, NOW);
        assert.deepEqual(segmentsOf(samples).flat(), samples);
      }),
    );
  });

  test('samples of one pixel are one point, their mean', () => {
    const samples = [10, 10.2, 10.9, 11].map((atMillis, index) => ({ ...PLAIN, atMillis, freeBytes: index }));
    const points = pointsOf(
      samples,
      (at) => at,
      ({ freeBytes }) => freeBytes,
    );
    assert.deepEqual(
      points.map(({ x, y }) => [Number(x.toFixed(3)), y]),
      [
        [10.367, 1],
        [11, 3],
      ],
    );
  });
});

describe('the clock', () => {
  inTimeZone('Europe/Berlin');
  const marks = (from: string, to: string, step: number) =>
    clockMarks(Date.parse(from), Date.parse(to), step).map((mark) => clockTime(mark));

  test('the axis of time has at most as many parts as asked', () => {
    assert.equal(clockStep(HOUR, 12), 5 * MINUTE);
    assert.equal(clockStep(24 * HOUR, 24), HOUR);
    assert.equal(clockStep(24 * HOUR, 23), 2 * HOUR);
    assert.equal(clockStep(1000 * 24 * HOUR, 10), 100 * 24 * HOUR);
  });

  test('the axis of time has its marks at round times of the clock', () => {
    assert.deepEqual(marks('2026-01-05T10:07:00Z', '2026-01-05T10:30:00Z', 10 * MINUTE), ['11:10', '11:20', '11:30']);
  });

  test('a clock that is put forward has no mark in the hour that is left out', () => {
    assert.deepEqual(marks('2026-03-29T00:10:00Z', '2026-03-29T02:40:00Z', 30 * MINUTE), [
      ...['01:30', '03:00', '03:30', '04:00', '04:30'],
    ]);
  });

  test('a clock that is put back goes on after the repeated hour', () => {
    const times = clockMarks(Date.parse('2026-10-24T22:30:00Z'), Date.parse('2026-10-25T03:00:00Z'), HOUR);
    assert.deepEqual(
      times.map((mark) => clockTime(mark)),
      ['01:00', '02:00', '03:00', '04:00'],
    );
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
  });

  test('the axis of time names a year once, and a date where it is another', () => {
    const range = (from: string, to: string) => clockRange(Date.parse(from), Date.parse(to));
    assert.equal(range('2026-01-05T08:00:00Z', '2026-01-05T09:00:00Z'), '5 Jan 2026 09:00 to 10:00');
    assert.equal(range('2026-01-05T08:00:00Z', '2026-01-06T09:00:00Z'), '5 Jan 2026 09:00 to 6 Jan 10:00');
    assert.equal(range('2025-12-31T08:00:00Z', '2026-01-01T09:00:00Z'), '31 Dec 2025 09:00 to 1 Jan 2026 10:00');
  });
});

describe('scales', () => {
  inTimeZone('Europe/Berlin');
  test('the scale of a curve ends in a round figure above the largest value', () => {
    const labels = (bytes: number) => memoryScale(bytes, { bottom: 0, top: 1 }).ticks.map(({ label }) => label);
    assert.deepEqual(labels(0), ['0', '0.5 MiB', '1 MiB']);
    assert.deepEqual(labels(3 * 1024 ** 3), ['0', '1 GiB', '2 GiB', '3 GiB']);
    assert.deepEqual(labels(1000 * 1024 ** 3).at(-1), '1000 GiB');
    assert.deepEqual(percentScale(3, { bottom: 0, top: 1 }).ticks.at(-1)?.label, '5 %');
  });

  test('the scale of a curve keeps every value within', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 2 ** 60, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (most, part) => {
          const { pixel, ticks } = memoryScale(most, { bottom: 300, top: 100 });
          assert.ok(pixel(most * part) <= 300 && pixel(most * part) >= 100 - 1e-9);
          assert.ok(ticks.length >= 2 && ticks.length <= 7, String(ticks.length));
        },
      ),
    );
  });
});

describe('what happened, in words', () => {
  inTimeZone('Europe/Berlin');
  const guests = (change: 'started' | 'stopped', ...names: string[]): Happening => ({
    ...{ kind: 'guests', atMillis: 0, change, names },
  });
  const decision = (reason: string): Happening => ({
    ...{ kind: 'decision', atMillis: 0, policy: 'p', reason, sentence: `because of ${reason}`, changes: [] },
  });

  test('guests that came in the same turn are one happening', () => {
    const event = (atMillis: number, name: string) => ({ kind: 'guest', atMillis, name, change: 'started' }) as const;
    const all = happenings([event(1, 'a'), event(2, 'b'), event(2, 'c')], []);
    assert.deepEqual(all.map(describeHappening), ['guest a started', 'guests b and c started']);
  });

  test('a happening of many guests says how many and what first, and names some', () => {
    const five = ['a', 'b', 'c', 'd', 'e'];
    assert.equal(describeHappening(guests('stopped', ...five)), 'guests a, b, c, d and e stopped');
    assert.equal(describeHappening(guests('stopped', ...five, 'f')), '6 guests stopped: a, b, c, d, e, ...');
  });

  test('happenings are summed up', () => {
    assert.equal(summarize([guests('started', 'a')]), 'guest a started');
    assert.equal(
      summarize([guests('started', 'a', 'b'), guests('stopped', 'c'), guests('started', 'd')]),
      'guests: 3 started, c stopped',
    );
    assert.equal(summarize([decision('x')]), 'because of x');
    assert.equal(
      summarize([guests('stopped', 'c'), decision('x'), decision('y')]),
      'guest c stopped; 2 decisions, last y',
    );
  });
});
