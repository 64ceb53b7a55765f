import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { firstScore, nextScore, waveWord } from '../../../src/demo/score.js';
import type { Wave } from '../../../src/demo/morning.js';
import type { Point } from '../../../src/simulation/trace.js';

const MINUTE = 60_000;
const WAVE: Wave = { fromMillis: 10 * MINUTE, doneMillis: 15 * MINUTE, untilMillis: 30 * MINUTE };

function point(minutes: number, savedBytes: number, parts: Partial<Point> = {}): Point {
  return {
    ...{ atMillis: minutes * MINUTE, savedBytes, possibleBytes: 1000, freeBytes: 500, guests: 1, run: 1 },
    ...{ pagesToScan: 0, sleepMillisecs: 0, fullScans: 0, pagesScanned: 0, ksmdCpuNanos: 0, memoryPressurePercent: 0 },
    ...parts,
  };
}

/** What is said of the wave after these looks. */
function wordAfter(points: readonly Point[], memoryIsPlenty = false): string {
  const score = points.reduce((before, next) => nextScore(before, next, memoryIsPlenty), firstScore([WAVE]));
  const [wave] = score.waves;
  assert.ok(wave !== undefined);
  return waveWord(wave, points.at(-1)?.atMillis ?? 0);
}

describe('the score of the demo', () => {
  test('the score of the demo has the mean of what was saved, the least that was free, and the CPU time so far', () => {
    const looks = [
      point(0, 100, { freeBytes: 40, ksmdCpuNanos: 1 }),
      point(1, 200, { freeBytes: 20, ksmdCpuNanos: 5 }),
      point(2, 600, { freeBytes: 30, ksmdCpuNanos: 9 }),
    ];
    const score = looks.reduce((before, next) => nextScore(before, next, false), firstScore([]));
    assert.deepEqual(score, { meanSavedBytes: 300, leastFreeBytes: 20, ksmdCpuNanos: 9, waves: [], points: 3 });
  });

  const waves: readonly (readonly [name: string, points: readonly Point[], word: string])[] = [
    ['that has not begun is blank', [point(9, 0)], ''],
    ['under way shows that it is', [point(10, 200), point(20, 500)], '…'],
    ['is timed from its last guest', [point(10, 200), point(15, 500), point(22, 920), point(25, 1000)], '7'],
    ['counts what it brings, not what was saved before', [point(10, 890), point(20, 980)], '…'],
    ['merged while its guests come took a minute at most', [point(10, 200), point(15, 990), point(16, 990)], '1'],
    ['that is over was not merged in time', [point(10, 200), point(20, 300), point(31, 1000)], '-'],
  ];
  for (const [name, points, word] of waves) {
    test(`in the score of the demo a wave ${name}`, () => {
      assert.equal(wordAfter(points), word);
    });
  }

  test('in the score of the demo a wave that nobody had to merge is not held against a policy', () => {
    assert.equal(wordAfter([point(10, 0), point(20, 0), point(31, 0)], true), 'plenty');
  });
});
