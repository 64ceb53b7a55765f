import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { map, merge, timer } from 'rxjs';
import { describeTrigger, type Trigger } from '../../../src/core/trigger.js';
import { turnsOf } from '../../support/policies/retuneLoop.js';

/** A trigger that comes from outside, at its millisecond; its number makes it one of a kind. */
interface Arrival {
  readonly at: number;
  readonly kind: 'guest' | 'manual';
}

interface Course {
  readonly arrivals: readonly Arrival[];
  readonly settleMillis: number;
  readonly samples: readonly string[];
  readonly applies: readonly string[];
}

const LAST_ARRIVAL_MILLIS = 5000;
const duration = fc.integer({ min: 0, max: 800 });
const course: fc.Arbitrary<Course> = fc.record({
  arrivals: fc.array(
    fc.record({ at: fc.nat(LAST_ARRIVAL_MILLIS), kind: fc.constantFrom('guest' as const, 'manual' as const) }),
    { maxLength: 40 },
  ),
  settleMillis: fc.integer({ min: 0, max: 600 }),
  samples: fc.array(
    fc.tuple(duration, fc.constantFrom('(s|)', '(s|)', '#')).map(([ms, end]) => `${ms}ms ${end}`),
    { minLength: 1, maxLength: 6 },
  ),
  applies: fc.array(
    fc.tuple(duration, fc.constantFrom('(a|)', '(a|)', '#')).map(([ms, end]) => `${ms}ms ${end}`),
    { minLength: 1, maxLength: 6 },
  ),
});

/** The arrivals in the order in which they come, and the turns that took them. */
function run({ arrivals, settleMillis, samples, applies }: Course) {
  const numbered = arrivals.map((arrival, index) => ({ ...arrival, name: String(index) })).sort((a, b) => a.at - b.at);
  const of = (kind: Arrival['kind']) => numbered.filter((arrival) => arrival.kind === kind);
  const guest$ = merge(
    ...of('guest').map(({ at, name }) => timer(at).pipe(map(() => ({ change: 'started' as const, name })))),
  );
  const manual$ = merge(
    ...of('manual').map(({ at, name }) => timer(at).pipe(map((): Trigger => ({ kind: 'manual', by: name })))),
  );
  const plans = { p: { settleMillis, recheckMillis: [1000, 3000] } };
  const watched = turnsOf({ plans, guest: guest$, manual: manual$, samples, applies, stop: '10m z' });
  return { numbered, turns: watched.turns, sampledAt: watched.sampledAt, overlaps: watched.overlaps() };
}

function nameOf(trigger: Trigger): string | undefined {
  if (trigger.kind === 'guest') return trigger.event.name;
  return trigger.kind === 'manual' ? trigger.by : undefined;
}

describe('whatever comes in, and however long a turn takes', () => {
  test('every trigger is in exactly one turn, rechecks included, however long turns take', () => {
    fc.assert(
      fc.property(course, (chosen) => {
        const { numbered, turns } = run(chosen);
        const expected = numbered.flatMap(({ kind, name }) =>
          kind === 'manual'
            ? [`asked for by ${name}`]
            : [`guest ${name} started`, `recheck of guest ${name}`, `recheck of guest ${name}`],
        );
        const taken = turns.flatMap(({ triggers }) => triggers.map(describeTrigger));
        assert.deepEqual(taken.sort(), ['start', ...expected].sort());
      }),
    );
  });

  test('a turn takes its sample after its triggers came, and turns never overlap', () => {
    fc.assert(
      fc.property(course, (chosen) => {
        const { numbered, turns, sampledAt, overlaps } = run(chosen);
        assert.equal(overlaps, 0);
        assert.equal(sampledAt.length, turns.length);
        const cameAt = new Map(numbered.map(({ name, at }) => [name, at]));
        for (const [index, { triggers }] of turns.entries()) {
          const sampled = sampledAt[index] ?? 0;
          for (const trigger of triggers) {
            const came = cameAt.get(nameOf(trigger) ?? '') ?? 0;
            assert.ok(came <= sampled, `${describeTrigger(trigger)} came at ${came}, after ${sampled}`);
          }
        }
      }),
    );
  });

  test('triggers of one kind are taken in the order in which they came', () => {
    fc.assert(
      fc.property(course, (chosen) => {
        const { numbered, turns } = run(chosen);
        for (const kind of ['guest', 'manual'] as const) {
          const taken = turns.flatMap(({ triggers }) =>
            triggers.filter((trigger) => trigger.kind === kind).map(nameOf),
          );
          assert.deepEqual(
            taken,
            numbered.filter((arrival) => arrival.kind === kind).map(({ name }) => name),
          );
        }
      }),
    );
  });

  test('the policy remembers the turns that did not fail, and no other', () => {
    fc.assert(
      fc.property(course, (chosen) => {
        const { turns } = run(chosen);
        const decided = turns.flatMap((retune) => ('decision' in retune ? [retune.decision.sentence] : []));
        assert.deepEqual(
          decided,
          decided.map((_, index) => `count ${index + 1}`),
        );
      }),
    );
  });
});
