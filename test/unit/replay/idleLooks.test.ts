import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Decision } from '../../../src/core/decision.js';
import { withoutIdleLooks } from '../../../src/replay/idleLooks.js';
import { VirtualHost } from '../../../src/simulation/host.js';
import { fixedPlan } from '../../../src/simulation/run.js';

const DAY = 86_400_000;
const HOST = new VirtualHost({ memoryMiB: 1024 });

/** When the next look is after such a decision. */
function nextLook(isSteady: boolean, decided: Partial<Decision>): number | undefined {
  const decision: Decision = {
    reason: 'enough-memory',
    sentence: '',
    settings: { run: 0 },
    nextInMillis: 15_000,
    ...decided,
  };
  const plan = { ...fixedPlan({}), policy: { name: 'p', decide: () => [undefined, decision] as const } };
  return withoutIdleLooks(plan, { isSteady }).policy.decide(undefined, HOST.sample(), [])[1].nextInMillis;
}

describe('looks of a replay', () => {
  const cases: readonly [string, boolean, Partial<Decision>, number][] = [
    ['come when the policy decides otherwise, where nothing happens', true, { staysForMillis: 40_000 }, 40_000],
    ['come once a day at least', true, { staysForMillis: Infinity }, DAY],
    ['come as the policy asks where it does not say how long it stays', true, {}, 15_000],
    ['come as the policy asks while ksmd runs', true, { staysForMillis: 40_000, settings: { run: 1 } }, 15_000],
    ['come as the policy asks where guests fill their memory', false, { staysForMillis: 40_000 }, 15_000],
  ];
  for (const [name, isSteady, decided, expected] of cases) {
    test(name, () => {
      assert.equal(nextLook(isSteady, decided), expected);
    });
  }
});
