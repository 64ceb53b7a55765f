// The loop of core/retune.ts on a virtual clock, with marbles for what comes in and a policy that only counts.
import assert from 'node:assert/strict';
import { EMPTY, NEVER, type Observable, defer, map, tap } from 'rxjs';
import { type RunHelpers, TestScheduler } from 'rxjs/testing';
import type { Decision } from '../../../src/core/decision.js';
import type { GuestEvent } from '../../../src/core/guest.js';
import type { Policy, PolicyMemory } from '../../../src/core/policy.js';
import { describeTrigger, type Trigger } from '../../../src/core/trigger.js';
import { type Applied, type Plan, type Retune, retunes } from '../../../src/core/retune.js';
import type { Sample } from '../../../src/core/sample.js';
import { sampleOf, npagesOf, ksmtunedMemory } from '../examples/examples.js';

/** What happens to a loop. Marbles; every time in them is a millisecond. */
export interface LoopCase {
  /** The letters are keys of `plans`, or the plan DEFAULT_PLAN; 'p' unless told. */
  readonly plan?: string;
  readonly plans?: Readonly<Record<string, Partial<Plan>>>;
  /** `a` is "guest a started", `A` is "guest a stopped". */
  readonly guest?: string | Observable<GuestEvent>;
  /** `x` is a retune asked for by x. */
  readonly manual?: string | Observable<Trigger>;
  readonly stop?: string;
  /** What the first, second ... sample does, the last for all further ones: `5ms (s|)` takes 5 ms, `#` fails. */
  readonly samples?: readonly string[];
  /** Likewise what becomes of the decisions: `(a|)`, or `#`. */
  readonly applies?: readonly string[];
  /** What `#` means, in place of an Error. */
  readonly fault?: unknown;
}

/** A loop that was watched. */
export interface Watched {
  readonly turn$: Observable<Retune>;
  /** When samples were taken, in order. */
  readonly sampledAt: readonly number[];
  /** Turns that began while another was under way. */
  readonly overlaps: () => number;
}

const LETTERS = Array.from('abcdefghijklmnopqrstuvwxyz');
const GUEST_EVENTS = Object.fromEntries(
  LETTERS.flatMap((name): [string, GuestEvent][] => [
    [name, { change: 'started', name }],
    [name.toUpperCase(), { change: 'stopped', name }],
  ]),
);
const MANUAL = Object.fromEntries(LETTERS.map((by): [string, Trigger] => [by, { kind: 'manual', by }]));
const APPLIED: Applied = { writes: [], problems: [] };

/** Counts its decisions in its memory and says the count. */
export function countingPolicy(name: string, more: Partial<Decision> = {}): Policy {
  return {
    name,
    decide(memory) {
      const npages = (npagesOf(memory) ?? 0) + 1;
      const next: PolicyMemory = ksmtunedMemory(npages);
      return [next, { reason: 'enough-memory', sentence: `${name} ${npages}`, settings: {}, ...more }];
    },
  };
}

export const DEFAULT_PLAN: Plan = {
  because: { kind: 'start' },
  settings: {},
  accounting: 'corrected',
  unmergesToApply: false,
  policy: countingPolicy('count'),
  intervalMillis: 3600000,
  settleMillis: 250,
  recheckMillis: [],
  onConflict: 'reassert',
};

/** Why a turn was: its triggers in words. */
export function triggersOf({ triggers }: Retune): string {
  return triggers.map(describeTrigger).join(', ');
}

/** What came of a turn: the decision's sentence, or the failure. */
export function outcomeOf(retune: Retune): string {
  return 'failure' in retune ? `failed: ${retune.failure.message}` : retune.decision.sentence;
}

/** Runs `work` on a virtual clock that goes as far as there is something to do. */
function onVirtualClock<T>(work: (watch: (loop: LoopCase) => Watched, helpers: RunHelpers) => T): T {
  const scheduler = new TestScheduler((actual, expected) => {
    assert.deepEqual(actual, expected);
  });
  return scheduler.run((helpers) => work((loop) => watchLoop(loop, scheduler, helpers), helpers));
}

/** All turns of a loop that is stopped. */
export function turnsOf(loop: LoopCase, onTurn: (retune: Retune) => void = () => undefined) {
  const turns: Retune[] = [];
  let failure: unknown;
  const watched = onVirtualClock((watch) => {
    const begun = watch(loop);
    begun.turn$.subscribe({
      next: (retune) => {
        turns.push(retune);
        onTurn(retune);
      },
      error: (error: unknown) => (failure = error),
    });
    return begun;
  });
  assert.ifError(failure);
  return { ...watched, turns };
}

/**
 * The turns of a loop within the first `millis`, as marbles of letters that are keys of `turns`. `tell` puts a turn into
 * words, the keys' values.
 */
export function expectTurns(
  loop: LoopCase,
  expected: { readonly marbles: string; readonly turns: Readonly<Record<string, string>>; readonly millis?: number },
  tell: (retune: Retune) => string = triggersOf,
): Watched {
  return onVirtualClock((watch, { expectObservable }) => {
    const watched = watch(loop);
    const until = loop.stop === undefined ? `^ ${String(expected.millis ?? 600000)}ms !` : undefined;
    expectObservable(watched.turn$.pipe(map(tell)), until).toBe(expected.marbles, expected.turns);
    return watched;
  });
}

function watchLoop(loop: LoopCase, scheduler: TestScheduler, { cold, hot }: RunHelpers): Watched {
  const { plan = 'p', plans = {}, guest = '', manual = '', stop = '', samples = ['(s|)'], applies = ['(a|)'] } = loop;
  const planOf = (letter: string): Plan => ({ ...DEFAULT_PLAN, ...plans[letter] });
  const sampledAt: number[] = [];
  let applied = 0;
  let underWay = 0;
  let overlaps = 0;

  const sample = () =>
    defer((): Observable<Sample> => {
      if (underWay > 0) overlaps += 1;
      underWay += 1;
      sampledAt.push(scheduler.frame);
      const marbles = samples[sampledAt.length - 1] ?? samples.at(-1) ?? '';
      return cold(marbles, { s: sampleOf({ takenAtMillis: scheduler.frame }) }, loop.fault ?? new Error('no sample'));
    });
  const apply = () =>
    defer((): Observable<Applied> => {
      applied += 1;
      return cold(applies[applied - 1] ?? applies.at(-1) ?? '', { a: APPLIED }, loop.fault ?? new Error('not applied'));
    });
  const ofMarbles = <T>(marbles: string, values: Record<string, T>) => (marbles === '' ? NEVER : hot(marbles, values));

  const turn$ = retunes({
    plan$: cold(plan, Object.fromEntries(LETTERS.map((letter) => [letter, planOf(letter)]))).pipe(
      map((next, index): Plan => (index === 0 ? next : { ...next, because: { kind: 'reload' } })),
    ),
    guest$: typeof guest === 'string' ? ofMarbles(guest, GUEST_EVENTS) : guest,
    manual$: typeof manual === 'string' ? ofMarbles(manual, MANUAL) : manual,
    sample,
    apply,
    stop$: stop === '' ? EMPTY : hot(stop),
  }).pipe(tap(() => (underWay -= 1)));
  return { turn$, sampledAt, overlaps: () => overlaps };
}
