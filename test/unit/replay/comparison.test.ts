import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { differences, resembles } from '../../../src/replay/comparison.js';
import type { Trajectory } from '../../../src/replay/trajectory.js';
import { type TrajectoryFigures, type Reach, figuresOf, sumOf } from '../../../src/replay/figures.js';
import { reachRows } from '../../../src/replay/reaches.js';
import type { RebuiltHost } from '../../../src/replay/rebuild.js';
import { start } from '../../support/simulation/replayHost.js';

const GIB = 1024 ** 3;
const MINUTE = 60_000;

function figures(parts: Partial<TrajectoryFigures> = {}): TrajectoryFigures {
  return { millis: 60 * MINUTE, meanSavedBytes: GIB, ksmdCpuNanos: 100e9, pagesScanned: 1, to90: [], ...parts };
}

describe('a comparison', () => {
  const rows: readonly [string, Partial<TrajectoryFigures>, Partial<TrajectoryFigures>][] = [
    ['no notable difference', {}, { meanSavedBytes: 1.01 * GIB, ksmdCpuNanos: 99e9 }],
    ['90 % 4 min 10 s earlier, 60 % less ksmd CPU', { to90: [5 * MINUTE] }, { to90: [50_000], ksmdCpuNanos: 40e9 }],
    ['90 % 30 s later, 50 % more ksmd CPU', { to90: [60_000] }, { to90: [90_000], ksmdCpuNanos: 150e9 }],
    ['3.0 times the ksmd CPU', {}, { ksmdCpuNanos: 300e9 }],
    ['1 min 40 s of ksmd CPU instead of none', { ksmdCpuNanos: 0 }, {}],
    ['1.0 GiB more saved on average', {}, { meanSavedBytes: 2 * GIB }],
    ['512.0 MiB less saved on average', {}, { meanSavedBytes: GIB / 2 }],
    ['90 % after 45 s instead of never', { to90: ['never'] }, { to90: [45_000] }],
    ['90 % never instead of after 45 s in 1 of 2 cases', { to90: [45_000, 'never'] }, { to90: ['never', 'never'] }],
    ['no notable difference', { to90: ['never', undefined] }, { to90: ['never', undefined] }],
    ['no notable difference', { to90: [60_000] }, { to90: [69_000] }],
    // Of arrivals that only one of them dealt with nothing is known but that.
    [
      '90 % 2 min earlier in the 1 case that both reached and in 1 case more',
      { to90: [180_000, 'never', undefined] },
      { to90: [60_000, 600_000, undefined] },
    ],
    ['90 % in 2 cases fewer', { to90: [180_000, 1000, 1000] }, { to90: [180_000, 'never', 'never'] }],
    // As the table has them: 3 min 6 s and 2 min 33 s.
    ['90 % 33 s earlier', { to90: [186_400, 186_400] }, { to90: [152_600, 152_600] }],
  ];
  for (const [words, was, other] of rows) {
    test(`a comparison with ${JSON.stringify(was)} says "${words}"`, () => {
      assert.equal(differences(figures(was), figures(other), true), words);
    });
  }

  test('a comparison leaves out CPU time that says nothing', () => {
    assert.equal(differences(figures(), figures({ ksmdCpuNanos: 1 }), false), 'no notable difference');
  });

  test('hosts are compared that are no more than 30 % off', () => {
    assert.deepEqual(
      [
        [70, 100],
        [69, 100],
        [130, 100],
        [131, 100],
        [0, 0],
        [1, 0],
      ].map(([rebuilt = 0, recorded = 0]) => resembles(rebuilt, recorded)),
      [true, false, true, false, true, false],
    );
  });

  const reaches: readonly [readonly Reach[], readonly Reach[], ...(readonly [string, string, string])[]][] = [
    [[], [], ['90 % merged after', '-', '-']],
    [[undefined], [undefined], ['90 % merged after', '-', '-']],
    [
      ['never', undefined],
      ['never', undefined],
      ['90 % merged after', 'never', 'never'],
    ],
    [
      [60_000, 90_000],
      [186_400, 185_700],
      ['90 % merged after', '1 min 15 s', '3 min 6 s'],
    ],
    [
      ['never', 'never'],
      [30_000, 'never'],
      ['90 % merged after', 'never', '30 s in 1 of 2 cases'],
    ],
    [
      [240_000, 'never', undefined, 380_000],
      [250_000, 999_000, undefined, 'never'],
      ['90 % merged', 'in 2 of 3 cases', 'in 2 of 3 cases'],
      ['  after, in the 1 that both reached', '4 min', '4 min 10 s'],
    ],
  ];
  for (const [was, other, ...rows] of reaches) {
    test(`a comparison of reaches ${JSON.stringify(was)} and ${JSON.stringify(other)} shows what it compares`, () => {
      assert.deepEqual(reachRows(was, other), rows);
    });
  }
});

describe('a course', () => {
  const host: RebuiltHost = {
    ...{ host: { memoryMiB: 1024 }, before: [], savedBytes: 0, beginMillis: 1000 * MINUTE, durationMillis: 8 * MINUTE },
    later: [
      { atMillis: 3 * MINUTE, step: start('a', {}) },
      { atMillis: 3.5 * MINUTE, step: start('b', {}) },
      { atMillis: 6 * MINUTE, step: { kind: 'stop', guest: 'b' } },
      { atMillis: 7 * MINUTE, step: start('c', {}) },
    ],
  };
  const trajectoryOf = (saved: readonly number[], possible: readonly number[]): Trajectory => ({
    decisions: [],
    points: saved.map((savedBytes, minute) => ({
      ...{ atMillis: (1000 + minute) * MINUTE, savedBytes },
      ...{ possibleBytes: possible[minute] ?? 0, ksmdCpuNanos: 10 + minute, pagesScanned: 5 + 2 * minute },
    })),
  });

  test('a course comes to means, sums, and the time to 90 % from the beginning and from each arrival', () => {
    const course = trajectoryOf([0, 90, 100, 100, 120, 150, 80, 80, 80], [100, 100, 100, 100, 200, 200, 150, 150, 150]);
    assert.deepEqual(figuresOf(course, host), {
      ...{ millis: 8 * MINUTE, ksmdCpuNanos: 8, pagesScanned: 16, to90: [MINUTE, 'never', undefined] },
      meanSavedBytes: 800 / 9,
    });
  });

  test('a trajectory that begins with everything merged has nothing to reach', () => {
    const { to90 } = figuresOf(trajectoryOf([100, 100, 100, 100, 150, 195], [100, 100, 100, 100, 200, 200]), {
      ...host,
      savedBytes: 99,
    });
    assert.deepEqual([to90[0], Math.round(Number(to90[1]) / 1000)], [undefined, 113]);
  });

  test('a course on end with another comes to the mean over time and to the sum', () => {
    const sum = sumOf([figures({ millis: 1, to90: [1] }), figures({ millis: 3, meanSavedBytes: 0, to90: ['never'] })]);
    assert.deepEqual(
      [sum.meanSavedBytes, sum.ksmdCpuNanos, sum.pagesScanned, sum.to90],
      [GIB / 4, 200e9, 2, [1, 'never']],
    );
  });
});
