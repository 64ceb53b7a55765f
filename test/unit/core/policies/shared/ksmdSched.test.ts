import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Decision } from '../../../../../src/core/decision.js';
import { type KsmdSchedChoice, withKsmdSched } from '../../../../../src/core/policies/shared/ksmdSched.js';
import type { Policy, PolicyMemory } from '../../../../../src/core/policy.js';
import type { Sample } from '../../../../../src/core/sample.js';
import { IDLE_KSM, sampleOf } from '../../../../support/examples/examples.js';

const SEEN = { ...IDLE_KSM, ksmdSched: 'other 5' } as const;
const BUDGET_PERCENT = 50;
const MINUTE = 60_000;

/** What a look finds, and what the inner policy makes of it. */
interface Look extends Partial<Sample> {
  readonly run?: 0 | 1;
  readonly isUrgent?: boolean;
}

/** The decision after one look at each. */
function decided(choice: KsmdSchedChoice, looks: readonly Look[]): Decision {
  const working = { terms: [], comparisons: [], keys: [] };
  let memory: PolicyMemory | undefined;
  let last: Decision | undefined;
  for (const { run = 1, isUrgent = false, ...look } of looks) {
    const inner: Policy = {
      name: 'a policy',
      decide: (kept) => [kept, { reason: 'burst', sentence: '', settings: { run }, isUrgent, working }],
    };
    const policy = withKsmdSched(inner, choice, BUDGET_PERCENT);
    [memory, last] = policy.decide(memory, sampleOf({ ksm: SEEN, ...look }), [{ kind: 'timer' }]);
  }
  assert.ok(last !== undefined);
  return last;
}

/** What is set; `back` where it is given back to the host. */
function sched({ settings, released }: Decision): string | undefined {
  return settings.ksmdSched ?? (released?.includes('ksmdSched') === true ? 'back' : undefined);
}

/** A look each minute at a ksmd that runs for so many percent of the time, and waits for so many. */
function minutes(count: number, { runs, waits }: { runs: number; waits: number }, first = 0): readonly Look[] {
  return Array.from({ length: count + 1 }, (_, index) => {
    const millis = (first + index) * MINUTE;
    const nanos = (percent: number) => (millis * 1e6 * percent) / 100;
    return { monotonicMillis: millis, ksmdCpuNanos: nanos(runs), ksmdWaitNanos: nanos(waits) };
  });
}

const STARVED = { runs: 1, waits: 98 };

describe("ksmd's scheduling class", () => {
  const rows: [what: string, KsmdSchedChoice, looks: readonly Look[], expected: string | undefined][] = [
    ['auto: idle while ksmd merges', 'auto', [{}], 'idle 5'],
    ['auto: what the host had while memory is nearly out', 'auto', [{}, { isUrgent: true }], 'back'],
    ['auto: idle again after memory was nearly out', 'auto', [{ isUrgent: true }, {}], 'idle 5'],
    ['auto: nothing is set while ksmd rests', 'auto', [{ run: 0 }], undefined],
    ['idle, whatever the memory', 'idle', [{ isUrgent: true }], 'idle 5'],
    ["other: the kernel's own", 'other', [{}], 'other 5'],
    ['keep: what the host had', 'keep', [{}], 'back'],
    ['keep: what the host had, at rest as well', 'keep', [{ run: 0 }], 'back'],
    ['auto, where ksmd cannot be seen', 'auto', [{ ksm: IDLE_KSM }], undefined],
    ['starved for four minutes: idle', 'auto', minutes(4, STARVED), 'idle 5'],
    ['starved for five minutes: nice 19', 'auto', minutes(5, STARVED), 'other 19'],
    ['starved for nine minutes: nice 19', 'auto', minutes(9, STARVED), 'other 19'],
    ['starved for ten minutes: what the host had', 'auto', minutes(10, STARVED), 'back'],
    ['starved for an hour: what the host had', 'auto', minutes(60, STARVED), 'back'],
    ['a tenth of the budget is enough', 'auto', minutes(60, { runs: 5, waits: 95 }), 'idle 5'],
    ['who sleeps is not starved', 'auto', minutes(60, { runs: 1, waits: 1 }), 'idle 5'],
    ['a rest ends a step', 'auto', [...minutes(5, STARVED), { run: 0 }, {}], 'idle 5'],
    [
      'the five minutes begin when ksmd does',
      'auto',
      [{ run: 0 }, ...minutes(4, STARVED), { run: 0 }, ...minutes(4, STARVED, 5)],
      'idle 5',
    ],
    ['starved, where its times do not show', 'auto', [{}, { monotonicMillis: 60 * MINUTE }], 'idle 5'],
  ];
  for (const [what, choice, looks, expected] of rows) {
    test(`ksmd's scheduling class, ${what}`, () => {
      assert.equal(sched(decided(choice, looks)), expected);
    });
  }

  test("the explanation of ksmd's scheduling class has the reason and the key", () => {
    const { working } = decided('auto', minutes(5, STARVED));
    assert.match(working?.notes?.join() ?? '', /nice 19: as SCHED_IDLE, in five minutes ksmd got less than a tenth/);
    assert.deepEqual(working?.keys, ['KSM_KSMD_SCHED']);
  });

  test('a scheduling class that somebody asked for and cannot have is a problem; auto reports nothing', () => {
    const problems = (choice: KsmdSchedChoice) => decided(choice, [{ ksm: IDLE_KSM }]).problems ?? [];
    assert.deepEqual(problems('auto'), []);
    assert.match(problems('idle')[0]?.sentence ?? '', /^KSM_KSMD_SCHED=idle: ksmd's scheduling class cannot be seen/);
  });
});
