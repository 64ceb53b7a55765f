import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HistoryDecision } from '../../../src/core/history/record.js';
import { foldRepeated } from '../../../src/replay/folding.js';
import { FROM } from '../../support/simulation/replayHost.js';
import { inTimeZone } from '../../support/timeZone.js';

/** A decision a second, its reason and its sentence one letter. */
function decisions(letters: string): readonly HistoryDecision[] {
  return Array.from(letters, (letter, second) => {
    const atMillis = FROM + second * 1000;
    return { kind: 'decision', atMillis, policy: 'adaptive', reason: letter, sentence: letter, changes: [] };
  });
}

const textsOf = (letters: string) => foldRepeated(decisions(letters)).map(({ text }) => text);

describe('decisions of a replay', () => {
  inTimeZone('UTC');
  const rows: readonly (readonly [string, string, readonly string[]])[] = [
    ['none are shown as none', '', []],
    ['few that repeat are shown as they are', 'ababab', Array.from('ababab')],
    [
      'two in turn are folded, and what follows them is shown',
      `x${'ab'.repeat(20)}c`,
      ['x', 'a', 'b', 'these 2 decisions in turn, 38 times more until 5 Jan 08:00:40', 'c'],
    ],
    [
      'three in turn are folded, in whatever order they come again',
      `${'abc'.repeat(3)}bacd`,
      ['a', 'b', 'c', 'these 3 decisions in turn, 9 times more until 5 Jan 08:00:11', 'd'],
    ],
    ['one again and again is folded', 'a'.repeat(9), ['a', 'this decision, 8 times more until 5 Jan 08:00:08']],
    ['four in turn are shown as they are', 'abcd'.repeat(5), Array.from('abcd'.repeat(5))],
  ];
  for (const [name, letters, texts] of rows) {
    test(`decisions of a replay: ${name}`, () => {
      assert.deepEqual(textsOf(letters), texts);
    });
  }

  test('a folded line of a replay stands where its first decision would', () => {
    assert.equal(foldRepeated(decisions('ab'.repeat(10)))[2]?.atMillis, FROM + 2000);
  });
});
