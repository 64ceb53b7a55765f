import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type CurvePoint, firstReach } from '../../../src/simulation/curve.js';
import { atTime, busiestPercent } from '../../bench/ksm/curve.js';
import { figuresOf } from '../../bench/ksm/figures.js';

/** Time in s, saved in MiB, ksmd's CPU in ms. */
function curve(...points: readonly (readonly [number, number, number])[]): CurvePoint[] {
  return points.map(([seconds, mebibytes, millis]) => ({
    atMillis: seconds * 1000,
    savedBytes: mebibytes * MIB,
    ksmdCpuNanos: millis * 1e6,
  }));
}

const MIB = 1024 ** 2;

describe('firstReach', () => {
  const rising = curve([0, 0, 0], [10, 100, 1000], [20, 80, 1500], [30, 200, 3000]);

  test('firstReach is on the line between the points around it, time and CPU alike', () => {
    assert.deepEqual(firstReach(rising, 50 * MIB), curve([5, 50, 500])[0]);
    assert.deepEqual(firstReach(rising, 140 * MIB), curve([25, 140, 2250])[0]);
  });
  test('firstReach is the first time, also when it is lost again', () => {
    assert.deepEqual(firstReach(rising, 90 * MIB), curve([9, 90, 900])[0]);
  });
  test('firstReach is the first point when that has so much already', () => {
    assert.deepEqual(firstReach(rising, 0), rising[0]);
    assert.deepEqual(firstReach(rising, -1), rising[0]);
  });
  test('firstReach is nothing when it was never reached', () => {
    assert.equal(firstReach(rising, 201 * MIB), undefined);
    assert.equal(firstReach([], 0), undefined);
  });
  test('firstReach does not divide by a rise of nothing', () => {
    assert.deepEqual(firstReach(curve([0, 1, 0], [1, 1, 5], [2, 3, 10]), 1 * MIB), curve([0, 1, 0])[0]);
  });
});

describe('atTime', () => {
  const two = curve([1, 0, 100], [3, 10, 300]);
  test('atTime is on the line', () => {
    assert.deepEqual(atTime(two, 2000), curve([2, 5, 200])[0]);
  });
  test('atTime is the nearest end outside', () => {
    assert.deepEqual([atTime(two, 0), atTime(two, 9000)], two);
  });
  test('atTime refuses a curve without points', () => {
    assert.throws(() => atTime([], 0), RangeError);
  });
});

describe('busiestPercent', () => {
  test('busiestPercent finds the busy stretch wherever it lies', () => {
    // 2 s of CPU within 4 s, in the middle of 60 quiet seconds: 20 % of any 10 s around them.
    const burst = curve([0, 0, 0], [27, 0, 0], [31, 0, 2000], [60, 0, 2000]);
    assert.equal(busiestPercent(burst, 10_000).toFixed(6), '20.000000');
  });
  test('busiestPercent takes a stretch that ends between two looks', () => {
    const even = curve(...Array.from({ length: 101 }, (_, index) => [index * 0.3, 0, index * 30] as const));
    assert.equal(busiestPercent(even, 10_000).toFixed(6), '10.000000');
  });
  test('busiestPercent is the whole of a short curve', () => {
    assert.equal(busiestPercent(curve([0, 0, 0], [4, 0, 1000]), 10_000), 25);
  });
  test('busiestPercent is nothing without time', () => {
    assert.equal(busiestPercent(curve([0, 0, 5]), 10_000), 0);
    assert.equal(busiestPercent([], 10_000), 0);
  });
});

describe('figuresOf', () => {
  // The tuner runs from 0 on; a guest is started at 100 s and ready at 110 s; 64 MiB of 100 come while it boots.
  const late = curve([0, 1000, 500], [100, 1000, 600], [108, 1064, 1000], [120, 1100, 3000], [150, 1100, 3300]);
  const course = { beginMillis: 100_000, zeroMillis: 110_000, calmMillis: [120_000, 150_000] } as const;
  const figures = figuresOf(late, course, 100 * MIB);

  test('the gain of a curve comes on top of what is saved at its beginning', () => {
    assert.equal(figures.to90?.sinceBeginMillis.toFixed(0), '16667');
    assert.equal(figures.reachedShare, 1);
    assert.equal(figures.savedBytes, 1100 * MIB);
  });
  test('the times of a curve are from the clock, and not below 0', () => {
    assert.equal(figures.to50?.millis, 0);
    assert.equal(figures.to50.sinceBeginMillis, 6250);
    assert.equal(figures.to99?.sinceBeginMillis.toFixed(0), '19667');
    assert.equal(figures.to99.millis.toFixed(0), '9667');
  });
  test('the CPU time of a curve is from its beginning on, and that of the calm is by itself', () => {
    assert.equal(figures.to50?.ksmdCpuMillis, 312.5);
    assert.equal(figures.calmKsmdCpuMillis, 300);
    assert.equal(figures.calmMillis, 30_000);
  });
  test('what came before the beginning of a curve does not make it busy', () => {
    const before = curve([0, 0, 0], [10, 0, 9000], [20, 0, 9000], [40, 0, 9200]);
    const calm = figuresOf(before, { beginMillis: 20_000, zeroMillis: 20_000, calmMillis: [20_000, 40_000] }, 0);
    assert.equal(calm.busiestPercent, 1);
  });
  test('nothing is reached on a curve where there is nothing to gain', () => {
    const none = figuresOf(late, course, 0);
    assert.deepEqual(
      [none.to50, none.to90, none.to99, none.reachedShare],
      [undefined, undefined, undefined, undefined],
    );
  });
  test('what a curve does not reach has no figure', () => {
    const half = figuresOf(late, course, 200 * MIB);
    assert.deepEqual([half.to90, half.reachedShare], [undefined, 0.5]);
    assert.equal(half.to50?.sinceBeginMillis, 20_000);
  });

  test('the savings of a curve are summed up from the clock on, beyond what was saved at its beginning', () => {
    // From 110 s on: 70 MiB rising to 100 in 10 s, then 100 for 30 s.
    assert.equal((figures.integralByteSeconds / MIB).toFixed(0), '3850');
    assert.equal(figures.ksmdCpuMillis, 2700);
  });
});

describe('ksmd at rest', () => {
  const course = { beginMillis: 0, zeroMillis: 0, calmMillis: [0, 60_000] } as const;
  const restOf = (gainMiB: number, ...points: readonly (readonly [number, number, number])[]) =>
    figuresOf(curve(...points), course, gainMiB * MIB).rest;

  test('ksmd rests from the first moment after the gain from which it takes next to nothing for 10 s', () => {
    const rest = restOf(
      100,
      [0, 0, 0],
      [10, 95, 5000],
      [15, 100, 8000],
      [20, 100, 8050],
      [30, 100, 8100],
      [60, 100, 8200],
    );
    assert.deepEqual(rest, { millis: 15_000, sinceBeginMillis: 15_000, ksmdCpuMillis: 8000 });
  });
  test('the quiet before the gain is no rest of ksmd', () => {
    assert.equal(restOf(100, [0, 0, 0], [20, 0, 0], [40, 100, 9000], [60, 100, 18_000]), undefined);
  });
  test('ksmd never rests where the gain was not reached', () => {
    assert.equal(restOf(100, [0, 0, 0], [20, 50, 9000], [60, 50, 9000]), undefined);
  });
  test('where there is nothing to gain, ksmd rests after it was first at work', () => {
    const rest = restOf(0, [0, 0, 0], [20, 0, 0], [30, 0, 9000], [40, 0, 9000], [60, 0, 9000]);
    assert.equal(rest?.millis, 30_000);
  });
  test('no rest of ksmd is reported when the curve ends too soon', () => {
    assert.equal(restOf(100, [0, 0, 0], [55, 100, 9000], [60, 100, 9000]), undefined);
  });
});
