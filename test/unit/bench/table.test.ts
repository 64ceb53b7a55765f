import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ScenarioName, DEFAULT_SIZES, scenario } from '../../../src/simulation/step.js';
import type { Figures, Reach } from '../../bench/ksm/figures.js';
import { type Expect, table } from '../../bench/ksm/table.js';
import type { Outcome } from '../../bench/ksm/trial.js';

const GIB = 1024 ** 3;
const POINT = {
  ...{ availableBytes: 0, countedBytes: GIB, ksmdCpuNanos: 0, ksmdWaitNanos: 0, fullScans: 0, pagesScanned: 0 },
  ...{ run: 1, pagesToScan: 100, sleepMillisecs: 20, bookkeepingBytes: undefined },
};
const reach = (seconds: number): Reach => ({
  millis: seconds * 1000,
  sinceBeginMillis: seconds * 1000 + 9000,
  ksmdCpuMillis: seconds * 500,
});

function outcome(given: Partial<Outcome>, figures: Partial<Figures> = {}): Outcome {
  return {
    scenario: 'full-host',
    tuner: 'adaptive',
    usage: { cpuMillis: 1500, residentBytes: 64 * 1024 ** 2 },
    told: undefined,
    memory: undefined,
    countedBytes: 12 * GIB,
    bookkeepingBytes: 0.25 * GIB,
    ksmdWaitedMillis: 700,
    guestsReadyMillis: undefined,
    curve: [],
    figures: {
      to50: reach(10),
      to90: reach(20),
      to99: reach(30),
      rest: reach(40),
      ksmdCpuMillis: 25_000,
      integralByteSeconds: 1234 * GIB,
      savedBytes: 12 * GIB,
      reachedShare: 1.05,
      calmKsmdCpuMillis: 2340,
      calmMillis: 300_000,
      busiestPercent: 69.6,
      ...figures,
    },
    ...given,
  };
}

const stranger: Expect = () => undefined;

/** The table's columns: the title, its two lines joined, and a cell for each tuner. */
function cells(name: ScenarioName, outcomes: readonly Outcome[], expect = stranger): string[][] {
  const [, , above = '', below = '', rule = '', ...rows] = table(scenario(name, DEFAULT_SIZES), outcomes, expect).split(
    '\n',
  );
  assert.match(rule, /^-+$/);
  // A column ends where every line has two spaces.
  const lines = [above, below, ...rows.filter((row) => row !== '')];
  const isBlank = (at: number) => lines.every((line) => (line[at] ?? ' ') === ' ');
  const ends = Array.from({ length: rule.length }, (_, at) => at).filter(
    (at) => at === rule.length - 1 || (!isBlank(at) && isBlank(at + 1) && isBlank(at + 2)),
  );
  const split = (line: string) => ends.map((end, index) => line.slice((ends[index - 1] ?? -1) + 1, end + 1).trim());
  const [first, second, ...body] = lines.map(split);
  return (first ?? []).map((title, column) => [
    `${title} ${second?.[column] ?? ''}`.trim(),
    ...body.map((row) => row[column] ?? ''),
  ]);
}

describe("the benchmark's table", () => {
  test("the benchmark's table says what happened", () => {
    const [title] = table(scenario('late-guest', DEFAULT_SIZES), [outcome({})], stranger).split('\n');
    assert.equal(
      title,
      'late-guest: one more guest arrives when all is merged; 1.0 GiB to gain; the clock starts when the guest is ready',
    );
  });

  test("the benchmark's table has a cell for every figure", () => {
    assert.deepEqual(cells('full-host', [outcome({})]), [
      ['tuner', 'adaptive'],
      ['time to 50 %, s', '10.0'],
      ['time to 90 %, s', '20.0'],
      ['simu- lated, s', '-'],
      ['time to 99 %, s', '30.0'],
      ['CPU to 90 %, s', '10.0'],
      ['simu- lated, s', '-'],
      ['CPU to 99 %, s', '15.0'],
      ['of the gain', 'all'],
      ['saved GiB', '12.00'],
      ['integral GiB s', '1234'],
      ['at rest s', '40.0'],
      ['CPU to rest, s', '20.0'],
      ['CPU in all, s', '25.0'],
      ['calm CPU, s', '2.3'],
      ['busiest 10 s, %', '70'],
      ['waited s', '0.7'],
      ['records MiB', '256'],
      ['tuner CPU, s', '1.5'],
      ['tuner MiB', '64'],
    ]);
  });

  test("the benchmark's table says never for what never came and - for what is not there", () => {
    const missing = { to90: undefined, to99: undefined, rest: undefined, reachedShare: 0.546, calmMillis: 3 };
    const rows = cells('full-host', [
      outcome({ tuner: 'kernel-defaults', usage: undefined, bookkeepingBytes: undefined }, missing),
    ]);
    assert.deepEqual(
      rows.map(([, cell]) => cell),
      [
        'kernel-defaults',
        '10.0',
        'never',
        '-',
        'never',
        'never',
        '-',
        'never',
        '55 %',
        '12.00',
        '1234',
        'never',
        '-',
        '25.0',
        '-',
        '70',
        '0.7',
        '-',
        '-',
        '-',
      ],
    );
  });

  test("savings a little below those at the beginning are no part of the gain in the benchmark's table", () => {
    const rows = cells('full-host', [outcome({}, { reachedShare: -0.003 }), outcome({}, { reachedShare: 0.99 })]);
    assert.deepEqual(rows[8], ['of the gain', '0 %', 'all']);
  });

  test("the benchmark's table puts what was simulated beside what was measured", () => {
    const rows = cells('full-host', [outcome({ tuner: 'flat-out' }), outcome({ tuner: 'ksmtuned' })], (tuner) =>
      tuner === 'flat-out' ? { to90Millis: 26_440, to90KsmdCpuMillis: undefined } : undefined,
    );
    assert.deepEqual(rows[3], ['simu- lated, s', '26.4', '-']);
    assert.deepEqual(rows[6], ['simu- lated, s', 'never', '-']);
  });

  test("the benchmark's table tells both times where the clock starts after the beginning", () => {
    assert.deepEqual(cells('late-guest', [outcome({})])[3], ['since it began, s', '29.0']);
    const titles = cells('full-host', [outcome({})]).map(([title]) => title);
    assert.equal(titles.includes('since it began, s'), false);
  });

  test("the benchmark's table tells the regret, over the time for which both were watched", () => {
    const saves = (tuner: 'adaptive' | 'flat-out', points: readonly (readonly [seconds: number, gib: number])[]) =>
      outcome({
        tuner,
        curve: points.map(([seconds, gib]) => ({ ...POINT, atMillis: seconds * 1000, savedBytes: gib * GIB })),
      });
    // Of adaptive's 10 s flat out saved 4 GiB in 5 s evenly, and had them for 5 s: 10 + 20; adaptive 4 GiB in 10 s: 20.
    const both = [
      saves('adaptive', [
        [0, 0],
        [10, 4],
      ]),
      saves('flat-out', [
        [0, 0],
        [5, 4],
        [10, 4],
        [60, 4],
      ]),
    ];
    const column = cells('full-host', both).find(([title]) => title === 'integral, of flat out');
    assert.deepEqual(column?.slice(1), ['67 %', 'all']);
    const titles = cells('full-host', both.slice(0, 1)).map(([title]) => title);
    assert.equal(titles.includes('integral, of flat out'), false);
  });

  test("the benchmark's table has no times to a gain where there is none", () => {
    const rows = cells('unique', [outcome({}, { to50: undefined, to90: undefined, to99: undefined })]);
    assert.deepEqual(
      rows.slice(0, 3).map(([title]) => title),
      ['tuner', 'saved GiB', 'integral GiB s'],
    );
  });

  test("the benchmark's table has a second table of what was gained where guests stay", () => {
    const memory = (availableGiB: number, anonGiB: number, hugeGiB: number) => ({
      availableBytes: availableGiB * GIB,
      guestsAnonBytes: anonGiB * GIB,
      guestsOwnBytes: anonGiB * GIB,
      hugeBytes: hugeGiB * GIB,
    });
    // 10 GiB more in 10 s, evenly, whatever KSM's counters say.
    const curve = [0, 10].map((seconds) => ({
      ...POINT,
      ...{ atMillis: seconds * 1000, availableBytes: (4 + seconds) * GIB, savedBytes: GIB },
    }));
    const gained = [memory(4, 13, 11), memory(14, 3, 0.5)] as const;
    const told = { sharedBytes: 2 * GIB, zeroBytes: 0.25 * GIB, freedBytes: 8.25 * GIB };
    const [, second = ''] = table(
      scenario('zeros', DEFAULT_SIZES),
      [outcome({ memory: gained, told, curve })],
      stranger,
    )
      .trimEnd()
      .split('\n\n')
      .slice(1);
    assert.equal(
      second.split('\n').at(-1)?.replaceAll(/ {2,}/g, '|'),
      'adaptive|10.00|50|10.00|10.00|11.00|0.50|12.00|256|2.00 + 0.25 + 8.25|+2.5 %|+5.0 %',
    );
  });

  test("the benchmark's table tells what KSM costs guests that are started", () => {
    const storm = [
      outcome({ tuner: 'adaptive', guestsReadyMillis: 61_500 }),
      outcome({ tuner: 'flat-out', guestsReadyMillis: 59_000 }),
      outcome({ tuner: 'off', guestsReadyMillis: 60_000 }),
    ];
    const rows = cells('boot-storm', storm);
    assert.deepEqual(rows[9], ['guests ready, s', '61.5', '59.0', '60.0']);
    assert.deepEqual(rows[10], ['against off, s', '+1.5', '-1.0', '+0.0']);
    const titles = cells('boot-storm', storm.slice(0, 2)).map(([title]) => title);
    assert.equal(titles.includes('against off, s'), false);
  });
});
