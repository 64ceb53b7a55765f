import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Policy, PolicyMemory } from '../../../src/core/policy.js';
import { describeTrigger, type Trigger } from '../../../src/core/trigger.js';
import { countingPolicy, expectTurns, outcomeOf, triggersOf } from '../../support/policies/retuneLoop.js';

/** Decides as countingPolicy, but throws `fault` at its `failing`th decision. */
function throwingPolicy(failing: number, fault: Error): Policy {
  const counting = countingPolicy('count');
  let decisions = 0;
  return {
    name: 'throwing',
    decide(memory, sample, triggers) {
      decisions += 1;
      if (decisions === failing) throw fault;
      return counting.decide(memory, sample, triggers);
    },
  };
}

/** Decides as countingPolicy, and keeps what it was handed. */
function watchingPolicy() {
  const seen: { memory: PolicyMemory | undefined; takenAt: number; triggers: readonly Trigger[] }[] = [];
  const counting = countingPolicy('count');
  const policy: Policy = {
    name: 'watching',
    decide(memory, sample, triggers) {
      seen.push({ memory, takenAt: sample.takenAtMillis, triggers });
      return counting.decide(memory, sample, triggers);
    },
  };
  return { policy, seen };
}

const turns = { a: 'count 1', b: 'count 2', c: 'count 3' };

describe('a failed turn is told, keeps the memory of the policy, and the loop goes on', () => {
  const rows = [
    {
      name: 'a sample that fails',
      loop: { samples: ['(s|)', '#', '(s|)'] },
      failure: 'failed: no sample',
    },
    {
      name: 'a sample that fails after a while',
      loop: { samples: ['(s|)', '3ms #', '(s|)'] },
      failure: 'failed: no sample',
      marbles: 'a 99ms 3ms f 96ms b',
    },
    {
      name: 'a decision that cannot be applied',
      loop: { applies: ['(a|)', '#', '(a|)'] },
      failure: 'failed: not applied',
    },
    {
      name: 'a policy that throws',
      loop: { plans: { p: { policy: throwingPolicy(2, new Error('a fault')) } } },
      failure: 'failed: a fault',
    },
    {
      name: 'a fault that is no error but a word',
      loop: { samples: ['(s|)', '#', '(s|)'], fault: 'a word' },
      failure: 'failed: a word',
    },
  ];
  for (const { name, loop, failure, marbles = 'a 99ms f 99ms b' } of rows) {
    test(`the loop survives ${name}`, () => {
      const { overlaps } = expectTurns(
        { manual: '100ms x 99ms y', ...loop },
        { marbles, turns: { ...turns, f: failure } },
        outcomeOf,
      );
      assert.equal(overlaps(), 0);
    });
  }

  test('after a first turn that fails the next one begins without memory', () => {
    expectTurns(
      { manual: '100ms x', samples: ['#', '(s|)'] },
      { marbles: 'f 99ms a', turns: { ...turns, f: 'failed: no sample' } },
      outcomeOf,
    );
  });

  test('the triggers of a failed retune are reported with it and not repeated', () => {
    expectTurns(
      { guest: '1s a', samples: ['(s|)', '#', '(s|)'], plans: { p: { intervalMillis: 60000 } } },
      {
        marbles: 's 1249ms f 59999ms t',
        turns: { s: 'start', f: 'guest a started', t: 'timer' },
        millis: 100000,
      },
      triggersOf,
    );
  });

  const untaken = [
    { name: 'a sample', loop: { samples: ['(s|)', '#', '#', '(s|)'] }, failure: 'failed: no sample' },
    { name: 'its application', loop: { applies: ['(a|)', '#', '#', '(a|)'] }, failure: 'failed: not applied' },
  ];
  for (const { name, loop, failure } of untaken) {
    test(`after ${name} failed, the policy gets what came, but no timer, at the next turn that does not fail`, () => {
      const { policy, seen } = watchingPolicy();
      const plans = { p: { intervalMillis: 60_000, policy } };
      expectTurns(
        { guest: '1s a', ...loop, plans },
        { marbles: 'a 1249ms f 59999ms f 59999ms b 59999ms c', turns: { ...turns, f: failure }, millis: 190_000 },
        outcomeOf,
      );
      const told = seen.map(({ triggers }) => triggers.map(describeTrigger).join(', '));
      assert.equal(told[0], 'start');
      assert.deepEqual(told.slice(-2), ['guest a started, timer', 'timer']);
    });
  }

  test('the timer goes on after every failed turn', () => {
    expectTurns(
      { samples: ['#'], plans: { p: { intervalMillis: 1000 } } },
      { marbles: 'f 999ms f 999ms f', turns: { f: 'failed: no sample' }, millis: 2500 },
      outcomeOf,
    );
  });

  test('what came during a failed turn is in the next one', () => {
    expectTurns(
      { manual: '100ms x 9ms y', samples: ['(s|)', '1s #', '(s|)'] },
      { marbles: 's 1099ms (fy)', turns: { s: 'start', f: 'asked for by x', y: 'asked for by y' } },
      (retune) => triggersOf(retune),
    );
  });

  test('the report of a failed turn names the policy and carries the error itself', () => {
    const fault = new Error('a fault');
    expectTurns(
      { plans: { p: { policy: throwingPolicy(1, fault) } } },
      { marbles: 'f', turns: { f: 'throwing true' } },
      (retune) => `${retune.policy} ${String('failure' in retune && retune.failure === fault)}`,
    );
  });
});

test('a decision sees the memory of the one before, its own sample and its own triggers', () => {
  const { policy, seen } = watchingPolicy();
  expectTurns({ plans: { p: { policy } }, manual: '100ms x' }, { marbles: 'a 99ms b', turns }, outcomeOf);
  assert.deepEqual(seen, [
    { memory: undefined, takenAt: 0, triggers: [{ kind: 'start' }] },
    { memory: { policy: 'ksmtuned', npages: 1 }, takenAt: 100, triggers: [{ kind: 'manual', by: 'x' }] },
  ]);
});
