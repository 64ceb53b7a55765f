import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Point, figuresOf } from '../../../src/simulation/trace.js';

const GIB = 1024 ** 3;

function point(seconds: number, savedGiB: number, cpuSeconds: number): Point {
  return {
    atMillis: seconds * 1000,
    savedBytes: savedGiB * GIB,
    possibleBytes: 10 * GIB,
    freeBytes: 0,
    guests: 1,
    run: 1,
    pagesToScan: 100,
    sleepMillisecs: 20,
    fullScans: 0,
    pagesScanned: 0,
    ksmdCpuNanos: cpuSeconds * 1e9,
    memoryPressurePercent: 0,
  };
}

const figures = (points: readonly Point[], gainGiB: number) => figuresOf({ points, retunes: [] }, gainGiB * GIB);

describe('the figures of a run', () => {
  test('the figures of a run are times and CPU time between the points, counted from the clock on', () => {
    const points = [
      point(-50, 0, 0),
      point(0, 1, 20),
      point(10, 1, 25),
      point(20, 11, 30),
      point(30, 11, 31),
      point(40, 11, 32),
    ];
    const { calmCpuPercent = NaN, ...others } = figures(points, 10);
    assert.deepEqual(others, {
      gainBytes: 10 * GIB,
      reachedShare: 1,
      millisTo50: 15_000,
      millisTo90: 19_000,
      millisTo99: 19_900,
      ksmdCpuNanosTo90: 9.5e9,
      ksmdCpuNanos: 12e9,
      meanSavedBytes: 7 * GIB,
      busiestCpuPercent: 50,
    });
    // 2.05 s in the 20.1 s from 99 % on.
    assert.equal(calmCpuPercent.toFixed(6), (205 / 20.1).toFixed(6));
  });

  test('the figures of a run leave out what was not reached', () => {
    assert.deepEqual(figures([point(0, 0, 0), point(10, 5, 1)], 10), {
      gainBytes: 10 * GIB,
      reachedShare: 0.5,
      millisTo50: 10_000,
      ksmdCpuNanos: 1e9,
      meanSavedBytes: 2.5 * GIB,
      busiestCpuPercent: 10,
    });
  });

  test('the figures of a run know no time to reach nothing', () => {
    const { millisTo90, reachedShare } = figures([point(0, 3, 0), point(10, 3, 1)], 0);
    assert.deepEqual([millisTo90, reachedShare], [undefined, 1]);
  });

  test('the figures of a run find the busiest ten seconds, and no shorter burst', () => {
    const burst = [0, 6, 7, 12, 16, 40].map((seconds) => point(seconds, 0, seconds < 7 ? 0 : seconds < 16 ? 1 : 1.6));
    assert.equal(figures(burst, 1).busiestCpuPercent, 16);
    assert.equal(figures(burst.slice(0, 3), 1).busiestCpuPercent.toFixed(3), (100 / 7).toFixed(3));
    assert.equal(figures(burst.slice(0, 1), 1).busiestCpuPercent, 0);
  });
});
