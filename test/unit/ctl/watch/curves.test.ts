import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clip, ends, print, widthOf } from '../../../../src/text/cells.js';
import { curve } from '../../../../src/ctl/watch/curve.js';
import {
  type Bins,
  type Reading,
  binsUntil,
  gaugeBins,
  latestRate,
  rateBins,
} from '../../../../src/ctl/watch/series.js';

const PLAIN = { colour: false, unicode: true };

function reading(seconds: number, savedBytes: number, pagesScanned?: number): Reading {
  return { atMillis: seconds * 1000, savedBytes, freeBytes: 0, ksmdCpuNanos: undefined, pagesScanned };
}

describe('a curve', () => {
  const rows: readonly (readonly [name: string, values: readonly (number | undefined)[], shown: readonly string[]])[] =
    [
      ['rises by eighths', [0, 1, 8, 9, 16], ['   ▁█', '_▁███']],
      ['is blank where nothing is known', [undefined, 16, undefined], [' █ ', ' █ ']],
      ['shows the least there is', [0.001], [' ', '▁']],
      ['does not leave its lines', [1000, -5], ['█ ', '█_']],
    ];
  for (const [name, values, shown] of rows) {
    test(`a curve ${name}`, () => {
      assert.deepEqual(curve(values, { top: 16, rows: 2, unicode: true }), shown);
    });
  }

  test('a curve in ASCII rises by thirds', () => {
    assert.deepEqual(curve([0, 1, 2, 3, 4, 6, undefined], { top: 6, rows: 2, unicode: false }), ['    .# ', '_.:### ']);
  });
});

describe('readings in parts of time', () => {
  const bins: Bins = { fromMillis: 0, stepMillis: 10_000, count: 4 };

  test('readings in parts of time are weighed by time', () => {
    assert.deepEqual(gaugeBins([reading(0, 0), reading(20, 20), reading(25, 20)], 'savedBytes', bins), [
      5,
      15,
      20,
      undefined,
    ]);
  });

  test('readings as a rate are what passed in each part of time', () => {
    const readings = [reading(5, 0, 100), reading(15, 0, 200), reading(25, 0, 200)];
    assert.deepEqual(rateBins(readings, 'pagesScanned', bins), [10, 5, 0, undefined]);
  });

  test('readings in parts of time tell nothing of a gap, of a boot, and of a counter that is not there', () => {
    const wide: Bins = { ...bins, stepMillis: 100_000 };
    assert.deepEqual(gaugeBins([reading(0, 1), reading(151, 1)], 'savedBytes', wide), [
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    assert.deepEqual(rateBins([reading(0, 0, 900), reading(30, 0, 10)], 'pagesScanned', wide)[0], undefined);
    assert.deepEqual(rateBins([reading(0, 0), reading(30, 0)], 'pagesScanned', wide)[0], undefined);
  });

  test('readings in parts of time stay the same while the window moves by less than a part', () => {
    assert.deepEqual(binsUntil(1_000_000_001, 60), binsUntil(1_000_009_999, 60));
    const { fromMillis, stepMillis, count } = binsUntil(1_000_009_999, 60);
    assert.ok(fromMillis + stepMillis * count > 1_000_009_999);
    assert.equal(stepMillis * count, 600_000);
  });

  test('readings in parts of time give the rate of the last five seconds', () => {
    const readings = [0, 1, 2, 3, 4, 5, 6, 7].map((at) => reading(at, 0, at < 2 ? 0 : (at - 2) * 10));
    assert.equal(latestRate(readings, 'pagesScanned'), 10);
    assert.equal(latestRate(readings.slice(0, 1), 'pagesScanned'), undefined);
    assert.equal(latestRate([], 'pagesScanned'), undefined);
  });
});

describe('cells', () => {
  test('a text takes the cells that it takes on a terminal', () => {
    assert.deepEqual(
      ['abc', '東京', 'e\u0301', '🐧', '█', '\u1112\u1161\u11ab', '🇩🇪'].map(widthOf),
      [3, 4, 1, 2, 1, 2, 2],
    );
  });

  test('a line that is too long ends with an ellipsis and keeps within its columns', () => {
    const line = [{ text: 'ab' }, { text: '東京cd' }];
    const shown = [8, 7, 6, 5, 4, 3, 2, 1, 0].map((columns) => print(clip(line, columns), PLAIN));
    assert.deepEqual(shown, ['ab東京cd', 'ab東京…', 'ab東…', 'ab東…', 'ab…', 'ab…', 'a…', '…', '']);
  });

  test('a line shows at its two ends what fits', () => {
    const rights = [[{ text: 'kvm7 09:30' }], [{ text: '09:30' }]];
    const shown = [14, 13, 9, 8, 2].map((columns) => print(ends([{ text: 'KSM' }], rights, columns), PLAIN));
    assert.deepEqual(shown, ['KSM kvm7 09:30', 'KSM     09:30', 'KSM 09:30', 'KSM', 'K…']);
  });

  test('the colour of a cell ends where its text does', () => {
    assert.equal(
      print([{ text: 'a', ink: 'bad' }, { text: ' b  ' }], { colour: true, unicode: true }),
      '\u001b[1m\u001b[31ma\u001b[39m\u001b[22m b',
    );
  });
});
