import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type LoopCase, expectTurns } from '../../support/policies/retuneLoop.js';

/** `marbles` end with the loop; `samples` is how many turns were begun. */
interface Row {
  readonly name: string;
  readonly loop: LoopCase;
  readonly marbles: string;
  readonly samples: number;
}

const turns = { s: 'start', x: 'asked for by x', g: 'guest a started' };
const rows: Row[] = [
  { name: 'at rest it ends at once', loop: { stop: '10s z' }, marbles: 's 9999ms |', samples: 1 },
  {
    name: 'a sample under way is finished and its turn told',
    loop: { stop: '400ms z', samples: ['1s (s|)'] },
    marbles: '1s (s|)',
    samples: 1,
  },
  {
    name: 'a decision is applied to its end',
    loop: { stop: '400ms z', applies: ['1s (a|)'] },
    marbles: '1s (s|)',
    samples: 1,
  },
  {
    name: 'a turn under way that fails is told as well',
    loop: { stop: '400ms z', samples: ['1s #'] },
    marbles: '1s (s|)',
    samples: 1,
  },
  {
    name: 'guests that still settle are not waited for',
    loop: { guest: '1s a', stop: '1100ms z' },
    marbles: 's 1099ms |',
    samples: 1,
  },
  {
    name: 'further looks at a guest are not waited for',
    loop: { guest: '1s a', plans: { p: { recheckMillis: [5000] } }, stop: '2s z' },
    marbles: 's 1249ms g 749ms |',
    samples: 2,
  },
  {
    name: 'nothing is begun after it',
    loop: { manual: '600ms x', stop: '500ms z' },
    marbles: 's 499ms |',
    samples: 1,
  },
  {
    name: 'a turn that waited for the one under way is not begun',
    loop: { manual: '300ms x', stop: '400ms z', samples: ['1s (s|)'] },
    marbles: '1s (s|)',
    samples: 1,
  },
  {
    name: 'before there is a plan it ends at once',
    loop: { plan: '1s p', stop: '400ms z' },
    marbles: '400ms |',
    samples: 0,
  },
  {
    name: 'before there is a plan it ends at once, although a retune was asked for',
    loop: { plan: '1s p', manual: '300ms x', stop: '400ms z' },
    marbles: '400ms |',
    samples: 0,
  },
];

describe('stopping the loop', () => {
  for (const { name, loop, marbles, samples } of rows) {
    test(`the loop is stopped: ${name}`, () => {
      const { sampledAt, overlaps } = expectTurns(loop, { marbles, turns });
      assert.equal(sampledAt.length, samples);
      assert.equal(overlaps(), 0);
    });
  }
});
