import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newOccasion } from '../../../../../src/core/policies/shared/cause.js';
import type { Trigger } from '../../../../../src/core/trigger.js';
import { START, TIMER, started } from '../../../../support/policies/policyHost.js';

describe('memory should be looked through', () => {
  type Look = Parameters<typeof newOccasion>[2] & NonNullable<Parameters<typeof newOccasion>[1]>;
  const calm: Look = { need: { needed: true, urgent: false, urgency: undefined }, counters: { fullScans: 5 } };
  const pressed: Look = { ...calm, need: { needed: true, urgent: true, urgency: 'memory is nearly out' } };
  const plenty = { ...calm, need: { ...calm.need, needed: false } };
  const unmerged = { ...calm, counters: { fullScans: 0 } };
  const rows: {
    name: string;
    before?: Look;
    now: Look;
    triggers?: readonly Trigger[];
    isGoneThrough?: boolean;
    occasion: string | undefined;
  }[] = [
    { name: 'not while nothing is new', before: calm, now: calm, occasion: undefined },
    { name: 'under a policy that was set just now', now: calm, occasion: 'the policy test has just begun' },
    { name: 'not at the start: that is told by its trigger', now: calm, triggers: [START], occasion: undefined },
    { name: 'at the start with memory nearly out', now: pressed, triggers: [START], occasion: 'memory is nearly out' },
    { name: 'when memory becomes short', before: plenty, now: calm, occasion: 'memory has become short' },
    { name: 'when memory becomes nearly out at once', before: plenty, now: pressed, occasion: 'memory is nearly out' },
    { name: 'when pressure comes', before: calm, now: pressed, occasion: 'memory is nearly out' },
    { name: 'not while pressure stays', before: pressed, now: pressed, occasion: undefined },
    { name: 'not when pressure goes', before: pressed, now: calm, occasion: undefined },
    {
      name: 'not for pressure when memory has just been gone through',
      before: calm,
      now: pressed,
      isGoneThrough: true,
      occasion: undefined,
    },
    {
      name: 'when ksmd counts passes anew',
      before: calm,
      now: unmerged,
      occasion: 'what was merged has been unmerged',
    },
    {
      name: 'not for guests: their triggers tell of them',
      before: calm,
      now: calm,
      triggers: [started('a')],
      occasion: undefined,
    },
  ];
  for (const { name, before, now, triggers = [TIMER], isGoneThrough = false, occasion } of rows) {
    test(`whether memory should be looked through: ${name}`, () => {
      assert.equal(newOccasion('test', before, now, triggers, isGoneThrough), occasion);
    });
  }
});
