import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findingsAsJson, formatFindings } from '../../../../src/ctl/doctor/screen.js';
import type { Finding } from '../../../../src/doctor/check.js';
import { PLAIN } from '../../../support/examples/ctlExamples.js';

const LONG = 'a sentence of many words that goes on and on until it needs a second line and then some more of it';

const FINDINGS: readonly Finding[] = [
  {
    id: 'one',
    level: 'problem',
    title: 'First',
    found: LONG,
    why: 'it matters',
    remedies: ['# a line', `echo ${'x'.repeat(90)}`],
  },
  { id: 'two', level: 'note', title: 'Second', found: 'noted', why: 'it may matter' },
  { id: 'three', level: 'unknown', title: 'Third', found: 'no bus', why: 'it could' },
  { id: 'four', level: 'unknown', title: 'Fourth one', found: 'no bus', why: 'it could' },
  { id: 'five', level: 'ok', title: 'Fifth', found: 'fine', why: 'it does' },
  { id: 'six', level: 'ok', title: 'Sixth', found: LONG, why: 'it does' },
];

const plain = (columns: number) => formatFindings(FINDINGS, { ...PLAIN, columns });

describe('the report', () => {
  test('the report of doctor has problems and notes in full, a line for what is unknown or ok, and the sum', () => {
    assert.equal(
      plain(60),
      `problem: First
  a sentence of many words that goes on and on until it
  needs a second line and then some more of it
  Why it matters: it matters
  To fix it:
    # a line
    echo ${'x'.repeat(90)}

note: Second
  noted
  Why it matters: it may matter

unknown:
  Third, Fourth one
              no bus

ok:
  Fifth       fine
  Sixth       a sentence of many words that goes on and on
              until it needs a second line and then some
              more of it

1 problem, 1 note, 2 unknown, 2 ok`,
    );
  });

  test('the report of doctor fits its terminal, but for commands, which must stay whole', () => {
    for (const columns of [40, 60, 80, 100]) {
      const lines = plain(columns)
        .split('\n')
        .filter((line) => !line.startsWith('    echo'));
      assert.ok(
        lines.every((line) => line.length <= columns),
        lines.join('\n'),
      );
    }
  });

  test('the report of doctor paints the level, and nothing else', () => {
    const painted = formatFindings(FINDINGS, { ...PLAIN, columns: 60, colour: true });
    assert.ok(painted.startsWith('\u001b[1m\u001b[31mproblem\u001b[39m\u001b[22m: First\n'));
    assert.match(painted, /\n\u001b\[1m\u001b\[33mnote\u001b\[39m\u001b\[22m: Second\n/);
    assert.equal(painted.replaceAll(/\u001b\[[\d;]*m/g, ''), plain(60));
  });

  test('the report of doctor on a host without fault is short, and counts of none are not painted', () => {
    const ok = FINDINGS.slice(4, 5);
    assert.equal(formatFindings(ok, PLAIN), 'ok:\n  Fifth  fine\n\n0 problems, 0 notes, 0 unknown, 1 ok');
    assert.match(
      formatFindings(ok, { ...PLAIN, colour: true }),
      /\n0 problems, 0 notes, 0 unknown, \u001b\[1m\u001b\[32m1 ok\u001b\[39m\u001b\[22m$/,
    );
  });
});

test('the report of doctor for programs: every field of every finding, and null where nothing is to be mended', () => {
  const list = JSON.parse(findingsAsJson(FINDINGS)) as Record<string, unknown>[];
  assert.equal(list.length, 6);
  for (const finding of list) {
    assert.deepEqual(Object.keys(finding), ['id', 'level', 'title', 'found', 'why', 'mend']);
  }
  assert.equal(list[0]?.['mend'], `# a line\necho ${'x'.repeat(90)}`);
  assert.equal(list[1]?.['mend'], null);
});
