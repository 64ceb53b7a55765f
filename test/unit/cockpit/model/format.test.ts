import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, percent, relative, size } from '../../../../src/cockpit/model/format.js';
import { formatBytes } from '../../../../src/core/format.js';

test('a size is what samepagectl writes, with a space that does not break', () => {
  for (const bytes of [0, 512, 1023, 1024, 1_048_575, 1_073_741_823, 5.5 * 1024 ** 3, -3 * 1024 ** 2, 2 ** 53]) {
    assert.equal(
      size(bytes),
      formatBytes(bytes)
        .replace(' ', '\u00a0')
        .replace(/^(\d)(\d{3})/, '$1,$2'),
    );
  }
});

test('a percentage has two digits where there are no more before the point', () => {
  assert.deepEqual(
    [0, 0.04, 0.06, 5.25, 9.97, 55.5].map(percent),
    ['0', '0', '0.1', '5.3', '10', '56'].map((text) => `${text}\u00a0%`),
  );
});

test('a duration has its two largest units, and no moment is longer ago than it is', () => {
  assert.deepEqual([0, 45_000, 900_000, 9_000_000, 90_061_000].map(duration), [
    '0 s',
    '45 sec',
    '15 min',
    '2 hr 30 min',
    '1 day 1 hr',
  ]);
  assert.deepEqual(
    [relative(0, 500), relative(0, 180_000), relative(7_200_000, 0)],
    ['just now', '3 minutes ago', 'in 2 hours'],
  );
});
