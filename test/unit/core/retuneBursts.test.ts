import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { concatMap, from, merge, timer } from 'rxjs';
import { describeTrigger, type Trigger } from '../../../src/core/trigger.js';
import { turnsOf } from '../../support/policies/retuneLoop.js';

/** So many triggers at one moment. */
interface Burst {
  readonly at: number;
  readonly count: number;
}

const bursts: fc.Arbitrary<readonly Burst[]> = fc.array(
  fc.record({ at: fc.nat(4000), count: fc.integer({ min: 1, max: 2000 }) }),
  { minLength: 1, maxLength: 4 },
);

function namesOf(all: readonly Burst[]): { readonly at: number; readonly names: readonly string[] }[] {
  return all.map(({ at, count }, index) => ({
    at,
    names: Array.from({ length: count }, (_, number) => `${index}-${number}`),
  }));
}

/** What `all` is as a stream. */
function stream<T>(all: readonly Burst[], valueOf: (name: string) => T) {
  return merge(...namesOf(all).map(({ at, names }) => timer(at).pipe(concatMap(() => from(names.map(valueOf))))));
}

describe('any number of triggers in a turn of any length', () => {
  const course = fc.record({
    bursts,
    settleMillis: fc.constantFrom(0, 250),
    sample: fc.constantFrom('(s|)', '3s (s|)', '10s (s|)', '#', '3s #'),
    kind: fc.constantFrom('guest' as const, 'manual' as const),
  });

  test('with any number of triggers in a turn of any length the loop lives, and each is in exactly one turn', () => {
    fc.assert(
      fc.property(course, ({ bursts: all, settleMillis, sample, kind }) => {
        const { turns } = turnsOf({
          plans: { p: { settleMillis } },
          guest: kind === 'guest' ? stream(all, (name) => ({ change: 'started' as const, name })) : '',
          manual: kind === 'manual' ? stream(all, (name): Trigger => ({ kind: 'manual', by: name })) : '',
          samples: [sample, sample, '(s|)'],
          stop: '10m z',
        });
        const told = namesOf(all).flatMap(({ names }) =>
          names.map((name) => (kind === 'guest' ? `guest ${name} started` : `asked for by ${name}`)),
        );
        const taken = turns.flatMap(({ triggers }) => triggers.map(describeTrigger));
        assert.deepEqual(taken.sort(), ['start', ...told].sort());
      }),
      { numRuns: 60 },
    );
  });
});
