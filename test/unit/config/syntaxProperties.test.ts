import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseAssignments } from '../../../src/config/syntax.js';
import { shellText } from '../../support/examples/shellText.js';

const anyText = fc.oneof(shellText, fc.string({ unit: 'binary' }));

function single(value: string): string {
  return `'${value.replaceAll("'", String.raw`'\''`)}'`;
}

function double(value: string): string {
  return `"${value.replaceAll(/["\\$`]/g, String.raw`\$&`)}"`;
}

function backslashed(value: string): string {
  return value.replaceAll(/[^\w]/gu, String.raw`\$&`);
}

describe('any text', () => {
  test('any text is read as a configuration without a throw, and a complaint names a line of it', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { assignments, complaints } = parseAssignments(text);
        const lines = text.split('\n').length;
        for (const { line } of [...assignments, ...complaints]) {
          assert.ok(Number.isInteger(line) && line >= 1 && line <= lines, String(line));
        }
        for (const { key } of assignments) assert.match(key, /^[A-Za-z_]\w*$/);
        for (const { message } of complaints) assert.ok(message.length > 0 && message.length < 200, message);
      }),
      { numRuns: 1000 },
    );
  });

  test('any text as a configuration has at most one complaint a line, in the order of the lines', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const at = parseAssignments(text).complaints.map(({ line }) => line);
        assert.deepEqual(
          at,
          [...new Set(at)].sort((a, b) => a - b),
        );
      }),
    );
  });

  test('each line of any configuration is judged as it is alone', () => {
    fc.assert(
      fc.property(fc.array(shellText.map((text) => text.replaceAll(/[\n\uFEFF]/g, ''))), (lines) => {
        const together = parseAssignments(lines.join('\n'));
        const alone = lines.map((line) => parseAssignments(line));
        const found = alone.flatMap(({ assignments }) => assignments.map(({ key, value }) => [key, value]));
        assert.deepEqual(
          together.assignments.map(({ key, value }) => [key, value]),
          found,
        );
        assert.equal(together.complaints.length, alone.flatMap(({ complaints }) => complaints).length);
      }),
    );
  });
});

describe('a value comes back from every way to quote it', () => {
  const value = fc
    .oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...Array.from(`aA1 \t'"\\$\`#;|&<>()*?~=,`)) }),
    )
    .map((text) => text.replaceAll(/[\n\r\0]/g, ''));
  for (const [way, quote] of Object.entries({ single, double, backslashed })) {
    test(`a ${way} value comes back as it was`, () => {
      fc.assert(
        fc.property(value, value, (first, second) => {
          const text = `A=${quote(first)} B=${quote(second)} # comment`;
          const { assignments, complaints } = parseAssignments(text);
          assert.deepEqual(complaints, []);
          assert.deepEqual(assignments, [
            { key: 'A', value: first, line: 1 },
            { key: 'B', value: second, line: 1 },
          ]);
        }),
      );
    });
  }
});

describe('a megabyte', () => {
  const MEGABYTE = 1024 ** 2;

  test('a megabyte in one value is read', () => {
    const value = 'x'.repeat(MEGABYTE);
    for (const text of [`A=${value}`, `A='${value}'`, `A="${value}"`]) {
      assert.deepEqual(parseAssignments(text), { assignments: [{ key: 'A', value, line: 1 }], complaints: [] });
    }
  });

  test('a megabyte in one name, blanks, quotes or comment is read', () => {
    const long = (char: string) => char.repeat(MEGABYTE);
    assert.equal(parseAssignments(`${long('A')}=1`).assignments[0]?.key.length, MEGABYTE);
    assert.deepEqual(parseAssignments(`${long(' ')}A=1${long(' ')}`).assignments, [{ key: 'A', value: '1', line: 1 }]);
    assert.deepEqual(parseAssignments(`A=${long("'")}`).assignments, [{ key: 'A', value: '', line: 1 }]);
    assert.deepEqual(parseAssignments(`#${long('x')}`), { assignments: [], complaints: [] });
  });

  test('a megabyte of nonsense on one line is one short complaint', () => {
    for (const text of ['x'.repeat(MEGABYTE), `A${' '.repeat(MEGABYTE)}x`, `A=$${'('.repeat(MEGABYTE)}`]) {
      const { assignments, complaints } = parseAssignments(text);
      assert.deepEqual(assignments, []);
      assert.equal(complaints.length, 1);
      assert.ok((complaints[0]?.message.length ?? 0) < 200);
    }
  });

  test('a megabyte of settings and of bad lines is read', () => {
    const { assignments, complaints } = parseAssignments('A=1\nx\n'.repeat(MEGABYTE / 6));
    assert.equal(assignments.length, Math.floor(MEGABYTE / 6));
    assert.equal(complaints.length, Math.floor(MEGABYTE / 6));
    assert.deepEqual(assignments.at(-1), { key: 'A', value: '1', line: 2 * Math.floor(MEGABYTE / 6) - 1 });
  });

  test('a megabyte of NUL bytes is read', () => {
    assert.deepEqual(
      parseAssignments('\0'.repeat(MEGABYTE)).complaints.map(({ line }) => line),
      [1],
    );
  });
});
