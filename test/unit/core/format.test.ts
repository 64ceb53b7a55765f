import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compareBytes, formatBytes, plural } from '../../../src/core/format.js';

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
    test(`${bytes} bytes are shown as ${text}`, () => {
      assert.equal(formatBytes(bytes), text);
    });
  }

  test('formatBytes is the figure to half a tenth of its unit', () => {
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

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** A comparison as a sentence has it. */
function compared(addends: readonly number[], limit: number): string {
  const { sign, size } = compareBytes(addends, limit);
  return `${addends.map(size).join(' + ')} ${sign} ${size(limit)}`;
}

describe('compareBytes', () => {
  const rows: [addends: number[], limit: number, text: string][] = [
    [[3.1 * GIB], 4.7 * GIB, '3.1 GiB < 4.7 GiB'],
    [[8 * GIB], 4.7 * GIB, '8.0 GiB > 4.7 GiB'],
    [[2 * GIB], 2 * GIB, '2.0 GiB = 2.0 GiB'],
    [[3.16 * GIB], 3.2 * GIB, '3.16 GiB < 3.20 GiB'],
    [[3.2 * GIB - 2.4 * MIB], 3.2 * GIB, '3.198 GiB < 3.200 GiB'],
    [[3.2 * GIB + 2.4 * MIB], 3.2 * GIB, '3.202 GiB > 3.200 GiB'],
    // Nearer than three decimals show.
    [[3.2 * GIB - 1], 3.2 * GIB, '3.200 GiB < 3.200 GiB'],
    [[1023.97 * MIB], GIB, '1023.97 MiB < 1.00 GiB'],
    [[1023], 1024, '1023 B < 1.0 KiB'],
    // As it is read: a sum of what was rounded.
    [[12.75 * GIB, 3.25 * GIB], 16 * GIB, '12.75 GiB + 3.25 GiB = 16.00 GiB'],
    [[12.84 * GIB, 3.14 * GIB], 16 * GIB, '12.8 GiB + 3.1 GiB < 16.0 GiB'],
    [[12.76 * GIB, 3.23 * GIB], 16 * GIB, '12.76 GiB + 3.23 GiB < 16.00 GiB'],
    [[512 * MIB, 15.5 * GIB], 16 * GIB, '512.0 MiB + 15.5 GiB = 16.0 GiB'],
  ];
  for (const [addends, limit, text] of rows) {
    test(`compared sizes are shown as ${text}`, () => {
      assert.equal(compared(addends, limit), text);
    });
  }

  test('a comparison is true as it is read, of all that three decimals can tell apart', () => {
    const bytes = fc.oneof(
      fc.nat(4096),
      fc.nat(2 ** 31 - 1),
      fc.nat({ max: 2 ** 31 - 1 }).map((kib) => kib * 1024),
    );
    fc.assert(
      fc.property(bytes, bytes, fc.integer({ min: -64, max: 64 }), (one, other, thousandths) => {
        // Away from the sum by at least what rounding three figures to three decimals may add up to.
        const limit = Math.max(Math.round((one + other) * (1 + (thousandths * 2) / 1000)), 0);
        fc.pre(thousandths !== 0 && one + other > 1024);
        const [shownOne, shownOther, sign, shownLimit] = readingOf(compared([one, other], limit));
        const left = shownOne + shownOther - shownLimit;
        assert.equal(left < 0 ? '<' : left > 0 ? '>' : '=', sign, compared([one, other], limit));
      }),
    );
  });
});

/** "1.5 KiB + 10 B < 2.0 KiB" */
function readingOf(text: string): [number, number, string, number] {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const sizes = [...text.matchAll(/([\d.]+) (\w+)/g)].map(
    ([, figure, unit = '']) => Number(figure) * 1024 ** units.indexOf(unit),
  );
  const [one = NaN, other = NaN, limit = NaN] = sizes;
  return [one, other, /[<=>]/.exec(text)?.[0] ?? '', limit];
}

describe('plural', () => {
  const rows: [number, string][] = [
    [0, '0 guests'],
    [1, '1 guest'],
    [2, '2 guests'],
    [1000, '1000 guests'],
  ];
  for (const [count, text] of rows) {
    test(`plural writes ${text}`, () => {
      assert.equal(plural(count, 'guest'), text);
    });
  }
});
