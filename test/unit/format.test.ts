import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatBytes, plural } from '../../src/core/format.js';

describe('formatBytes', () => {
  const rows: [number, string][] = [
    [0, '0 B'],
    [1, '1 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [512 * 1024 ** 2, '512.0 MiB'],
    [1023.9 * 1024 ** 2, '1023.9 MiB'],
    [19.5 * 1024 ** 3, '19.5 GiB'],
    [3 * 1024 ** 4, '3.0 TiB'],
    [2 ** 50, '1.0 PiB'],
    [5000 * 2 ** 50, '5000.0 PiB'],
    [-512, '-512 B'],
    [-3 * 1024 ** 2, '-3.0 MiB'],
    // What rounds up to a whole unit is that unit.
    [1024 ** 2 - 1, '1.0 MiB'],
    [1024 ** 3 - 1, '1.0 GiB'],
    [-(1024 ** 4 - 1), '-1.0 TiB'],
  ];
  for (const [bytes, text] of rows) {
    test(`${bytes} is ${text}`, () => {
      assert.equal(formatBytes(bytes), text);
    });
  }

  test('is the figure to half a tenth of its unit', () => {
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
    fc.assert(
      fc.property(fc.maxSafeInteger(), (bytes) => {
        const [value, unit = ''] = formatBytes(bytes).split(' ');
        const scale = 1024 ** units.indexOf(unit);
        assert.ok(Math.abs(Number(value) * scale - bytes) <= 0.0501 * scale, formatBytes(bytes));
      }),
    );
  });
});

describe('plural', () => {
  const rows: [number, string][] = [
    [0, '0 guests'],
    [1, '1 guest'],
    [2, '2 guests'],
    [1000, '1000 guests'],
  ];
  for (const [count, text] of rows) {
    test(text, () => {
      assert.equal(plural(count, 'guest'), text);
    });
  }
});
