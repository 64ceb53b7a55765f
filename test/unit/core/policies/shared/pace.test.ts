import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type Pace,
  batchNanosFor,
  firstPace,
  nextPace,
  restingPace,
  sleepFor,
} from '../../../../../src/core/policies/shared/pace.js';
import { Ksmd, type KsmdTimes } from '../../../../support/policies/policyPlant.js';

const LEAST_PAGES = 16;
const MOST_PAGES = 32768;
const LOOKS = [...Array<number>(8).fill(250), ...Array<number>(56).fill(500)];

describe('a budget is a batch and a sleep', () => {
  const rows: [percent: number, batchMillis: number, sleepMillisecs: number][] = [
    [1, 1.01, 100],
    [5, 5.26, 100],
    [10, 10, 90],
    [25, 10, 30],
    [50, 10, 10],
    [80, 10, 2],
    [90, 10, 1],
    [97, 10, 1],
    [98, 10, 0],
    [100, 10, 0],
  ];
  for (const [percent, batchMillis, sleepMillisecs] of rows) {
    test(`a budget of ${percent} % of a core is ${batchMillis} ms of work and ${sleepMillisecs} ms of sleep`, () => {
      assert.equal(sleepFor(percent / 100), sleepMillisecs);
      assert.equal(Math.round(batchNanosFor(percent / 100) / 1e4) / 100, batchMillis);
      assert.deepEqual(firstPace(percent / 100), {
        pagesToScan: Math.trunc(batchNanosFor(percent / 100) / 10_000),
        sleepMillisecs,
        owedNanos: 0,
      });
    });
  }
});

describe('the next pace', () => {
  const pace: Pace = { pagesToScan: 1000, sleepMillisecs: 10, owedNanos: 0 };
  /** Measured over a time in which ksmd waited for a CPU for a part of it. */
  const measured = (share: number, millis = 500, waited = 0) => ({
    elapsedMillis: millis,
    cpuNanos: share * millis * 1e6,
    waitNanos: waited * millis * 1e6,
  });

  test('the next pace is the same when ksmd used its budget', () => {
    assert.deepEqual(nextPace(pace, measured(0.5), 0.5), pace);
  });

  test('the next pace brings the ratio of work to rest to what is wanted, in one step', () => {
    const half = nextPace(pace, measured(1 / 3), 0.5);
    // A third is 1 : 2, a half is 1 : 1; what was left unused, 83 ms, is used within two seconds.
    const owed = half.owedNanos / 2e9;
    assert.equal(Math.round(half.owedNanos / 1e6), -83);
    assert.equal(half.pagesToScan, Math.round((1000 * 2 * (0.5 - owed)) / (0.5 + owed)));
  });

  test('an idle ksmd that waits for a CPU has short batches, another has not', () => {
    for (const spent of [measured(0.01, 500, 0.6), measured(0.1, 500, 2), measured(0, 500, 0)]) {
      assert.equal(nextPace(pace, spent, 0.5, true).pagesToScan, 100);
      assert.equal(nextPace({ ...pace, pagesToScan: 50 }, spent, 0.5, true).pagesToScan, 50);
    }
    assert.equal(nextPace(pace, measured(0.01, 500, 0.9), 0.5).pagesToScan, 1000);
  });

  test('short batches of ksmd grow again as soon as it does not wait', () => {
    const calm = measured(0.02, 500, 0.1);
    assert.equal(nextPace({ ...pace, pagesToScan: 100 }, calm, 0.5, true).pagesToScan, 400);
  });

  test('the next pace makes up for what was used beyond the budget, and remembers what is left unused for half a second', () => {
    assert.equal(Math.round(nextPace(pace, measured(0.8), 0.5).owedNanos / 1e6), 150);
    assert.equal(Math.round(nextPace({ ...pace, owedNanos: 4e8 }, measured(0.3), 0.5).owedNanos / 1e6), 300);
    assert.equal(Math.round(nextPace(pace, measured(0, 60_000), 0.5).owedNanos / 1e6), -250);
  });

  test('the next pace changes by a sixteenth or four times at most', () => {
    assert.equal(nextPace(pace, measured(0), 0.5).pagesToScan, 4000);
    assert.equal(nextPace(pace, measured(1), 0.5).pagesToScan, 63);
    assert.equal(nextPace({ ...pace, pagesToScan: 20 }, measured(1), 0.5).pagesToScan, LEAST_PAGES);
    assert.equal(nextPace({ ...pace, pagesToScan: 9000 }, measured(0), 0.5).pagesToScan, MOST_PAGES);
  });

  test('the next pace is not changed by a moment that says little', () => {
    const next = nextPace(pace, measured(0, 99), 0.5);
    assert.deepEqual([next.pagesToScan, next.sleepMillisecs], [1000, 10]);
    assert.equal(next.owedNanos, -49.5e6, 'but it counts');
    assert.equal(nextPace(pace, measured(0, 100), 0.5).pagesToScan, 4000);
  });

  test('the next pace does not take time that others had the CPU for rest', () => {
    // A quarter of the time at work, half of it waiting: as much work as rest, were there a CPU.
    const next = nextPace({ ...pace, owedNanos: 125e6 }, measured(0.25, 500, 0.5), 0.5);
    assert.deepEqual([next.pagesToScan, Math.round(next.owedNanos / 1e6)], [1000, 0]);
  });

  for (const waited of [0.85, 1, 1.5]) {
    test(`the next pace is not changed by a time in which ksmd hardly had a CPU: waits of ${waited} of it`, () => {
      for (const share of [0, 0.1]) assert.equal(nextPace(pace, measured(share, 500, waited), 0.5).pagesToScan, 1000);
    });
  }

  test('the next pace begins anew when the budget was changed, and keeps what is owed', () => {
    const next = nextPace({ ...pace, owedNanos: 1e9 }, measured(0.5), 0.2);
    assert.deepEqual([next.pagesToScan, next.sleepMillisecs], [1000, 40]);
    assert.equal(Math.round(next.owedNanos / 1e6), 1150);
  });

  test('the next pace after a rest begins anew, and has made up for what it could', () => {
    const rested = restingPace({ pagesToScan: 30000, sleepMillisecs: 10, owedNanos: 1e9 }, measured(0, 1000), 0.5);
    assert.deepEqual({ ...rested, owedNanos: 0 }, firstPace(0.5));
    assert.equal(Math.round(rested.owedNanos / 1e6), 500);
  });

  test('the next pace of a whole core does not change with what ksmd finds', () => {
    const first = firstPace(1);
    assert.equal(nextPace(first, measured(0.2), 1).pagesToScan, first.pagesToScan);
  });
});

const budget = fc.integer({ min: 1, max: 97 }).map((percent) => percent / 100);
/** A page's cost in nanoseconds, 0.1 to 20 µs, as often small as large. */
const cost = fc.double({ min: Math.log(100), max: Math.log(20_000), noNaN: true }).map(Math.exp);
/** What the ticks of the timer add to a sleep. */
const rounding = fc.double({ min: 0, max: 10, noNaN: true });
/** Times in which costs stay for some looks, or change at each. */
const times = fc.array(
  fc.record({ pageNanos: cost, roundingMillis: rounding, looks: fc.integer({ min: 1, max: 12 }) }),
  {
    minLength: 12,
    maxLength: 40,
  },
);

function timesOf(parts: readonly (KsmdTimes & { looks: number })[]): KsmdTimes[] {
  const all = parts.flatMap(({ looks, ...part }) => Array<KsmdTimes>(looks).fill(part));
  return LOOKS.flatMap((_, at) => all.slice(at % all.length).slice(0, 1));
}

/** ksmd paced to the budget over the looks. */
function paced(share: number, parts: readonly KsmdTimes[]): { ksmd: Ksmd; paces: Pace[] } {
  const ksmd = new Ksmd();
  let pace = firstPace(share);
  const paces = parts.map((part, at) => {
    const elapsedMillis = LOOKS[at] ?? 0;
    const cpuNanos = ksmd.run(pace, elapsedMillis, part);
    pace = nextPace(pace, { elapsedMillis, cpuNanos, waitNanos: 0 }, share);
    return pace;
  });
  return { ksmd, paces };
}

describe('whatever pages cost and however sleeps are rounded', () => {
  test('batch and sleep stay within their bounds, whatever pages cost', () => {
    fc.assert(
      fc.property(budget, times, (share, parts) => {
        for (const { pagesToScan, sleepMillisecs, owedNanos } of paced(share, timesOf(parts)).paces) {
          assert.ok(Number.isInteger(pagesToScan) && pagesToScan >= LEAST_PAGES && pagesToScan <= MOST_PAGES);
          assert.ok(Number.isInteger(sleepMillisecs) && sleepMillisecs >= 1 && sleepMillisecs <= 100);
          assert.ok(Number.isFinite(owedNanos));
        }
      }),
      { numRuns: 200 },
    );
  });

  // A jump of a page's cost is seen at the next look, half a second later: that much of a core is beyond foresight.
  const rows = [
    {
      name: 'ten seconds use at most 1.2 budgets of half a core and more',
      least: 50,
      most: 97,
      factor: 1.2,
      beyond: 0,
    },
    {
      name: 'ten seconds use at most a fifth of a core more than a smaller budget',
      least: 1,
      most: 49,
      factor: 1,
      beyond: 0.2,
    },
  ];
  for (const { name, least, most, factor, beyond } of rows) {
    test(`whatever pages cost, ${name}`, () => {
      const percent = fc.integer({ min: least, max: most });
      fc.assert(
        fc.property(percent, times, (value, parts) => {
          const { ksmd } = paced(value / 100, timesOf(parts));
          const used = ksmd.mostShare(10_000, 1000);
          assert.ok(used <= (factor * value) / 100 + beyond, `${(used * 100).toFixed(1)} % of ${value} %`);
        }),
        { numRuns: 200 },
      );
    });
  }
});

describe('with a constant cost', () => {
  const constant = (pageNanos: number, roundingMillis: number) => LOOKS.map(() => ({ pageNanos, roundingMillis }));

  test('with a constant cost, three looks bring the share to within 5 % of the budget, or the batch to its bound', () => {
    fc.assert(
      fc.property(budget, cost, rounding, (share, pageNanos, roundingMillis) => {
        let pace = firstPace(share);
        const shareOf = ({ pagesToScan, sleepMillisecs }: Pace) => {
          const work = pagesToScan * pageNanos;
          return work / (work + (sleepMillisecs + roundingMillis) * 1e6);
        };
        for (let look = 0; look < (pageNanos < 250 ? 4 : 3); look += 1) {
          pace = nextPace(pace, { elapsedMillis: 250, cpuNanos: shareOf(pace) * 250e6, waitNanos: 0 }, share);
        }
        if (pace.pagesToScan === LEAST_PAGES || pace.pagesToScan === MOST_PAGES) return;
        const wanted = Math.max(share - pace.owedNanos / 2e9, share / 10);
        assert.ok(Math.abs(shareOf(pace) / wanted - 1) <= 0.05, `${shareOf(pace)} of ${wanted} (${share})`);
      }),
    );
  });

  test('with a constant cost, any ten seconds are within 8 % of the budget, batch by batch', () => {
    fc.assert(
      fc.property(budget, cost, rounding, (share, pageNanos, roundingMillis) => {
        const { ksmd, paces } = paced(share, constant(pageNanos, roundingMillis));
        if (paces.some(({ pagesToScan }) => pagesToScan === MOST_PAGES || pagesToScan === LEAST_PAGES)) return;
        const [least, most] = [ksmd.leastShare(10_000, 1000), ksmd.mostShare(10_000, 1000)];
        assert.ok(least >= share * 0.92 && most <= share * 1.08, `${least} to ${most} of ${share}`);
      }),
      { numRuns: 200 },
    );
  });

  test('with a constant cost, batches take as long as they are meant to, where sleeps are not rounded', () => {
    fc.assert(
      fc.property(budget, cost, (share, pageNanos) => {
        const { ksmd } = paced(share, constant(pageNanos, 0));
        const meant = Math.max((sleepFor(share) * share) / (1 - share), batchNanosFor(share) / 1e6);
        const first = (firstPace(share).pagesToScan * pageNanos) / 1e6;
        assert.ok(
          ksmd.longestBatchMillis <= Math.max(first, meant * 3),
          `${ksmd.longestBatchMillis} ms, ${meant} meant`,
        );
      }),
    );
  });
});
