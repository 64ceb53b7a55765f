import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  arrivals,
  type ScanCause,
  describeScanCause,
  hasDeparture,
  nextScanCause,
} from '../../../../../src/core/policies/shared/cause.js';
import type { Trigger } from '../../../../../src/core/trigger.js';
import { START, TIMER, guestOf, manual, started, stopped } from '../../../../support/policies/policyHost.js';

const GUESTS = ['a', 'b', 'c'].map((name) => guestOf(name, 0));
const ofGuests = (...guests: string[]): ScanCause => ({ guests, other: undefined, everything: false });
const guestEvent = (change: 'resized' | 'crashed'): Trigger => ({ kind: 'guest', event: { change, name: 'a' } });

describe('memory is due to be looked through', () => {
  const rows: { name: string; before?: ScanCause; triggers: Trigger[]; other?: string; due: ScanCause | undefined }[] =
    [
      { name: 'not by the timer', triggers: [TIMER], due: undefined },
      {
        name: 'not by a reload or a second look',
        triggers: [{ kind: 'reload' }, { kind: 'recheck', name: 'a' }],
        due: undefined,
      },
      { name: 'not when a guest goes or is resized', triggers: [stopped('a'), guestEvent('resized')], due: undefined },
      { name: 'for guests that started', triggers: [started('a'), started('b')], due: ofGuests('a', 'b') },
      {
        name: 'for each guest that started once',
        before: ofGuests('a'),
        triggers: [started('a'), started('b')],
        due: ofGuests('a', 'b'),
      },
      {
        name: 'for no guest that has gone meanwhile',
        before: ofGuests('gone'),
        triggers: [started('went')],
        due: undefined,
      },
      { name: 'still, after a turn of the timer', before: ofGuests('b'), triggers: [TIMER], due: ofGuests('b') },
      {
        name: 'at the start, for what ksmd does not know',
        triggers: [START],
        due: { ...ofGuests(), other: 'samepaged has just started' },
      },
      {
        name: 'all of it, when somebody asks',
        triggers: [TIMER, manual('SIGUSR1')],
        due: { guests: [], other: 'asked for by SIGUSR1', everything: true },
      },
      {
        name: 'all of it, for a reason of the policy',
        triggers: [started('a')],
        other: 'memory has become short',
        due: { guests: ['a'], other: 'memory has become short', everything: true },
      },
      {
        name: 'for the newest reason, and all of it as long as that was due',
        before: { guests: [], other: 'asked for by SIGUSR1', everything: true },
        triggers: [manual('SIGUSR2'), started('c')],
        due: { guests: ['c'], other: 'asked for by SIGUSR2', everything: true },
      },
      {
        name: 'what somebody asked for outlives the guests that came with it',
        before: { guests: ['gone'], other: 'asked for by SIGUSR1', everything: true },
        triggers: [TIMER],
        due: { guests: [], other: 'asked for by SIGUSR1', everything: true },
      },
    ];
  for (const { name, before, triggers, other, due } of rows) {
    test(`memory is due to be looked through: ${name}`, () => {
      assert.deepEqual(nextScanCause(before, triggers, arrivals(triggers), GUESTS, other), due);
    });
  }
});

test('a guest has gone when it stopped or crashed', () => {
  assert.equal(hasDeparture([TIMER, stopped('a')]), true);
  assert.equal(hasDeparture([guestEvent('crashed')]), true);
  assert.equal(hasDeparture([TIMER, START, started('a'), guestEvent('resized')]), false);
});

test('a cause is described in a few words', () => {
  assert.equal(describeScanCause(ofGuests('a'), GUESTS), 'guest a started');
  assert.equal(describeScanCause(ofGuests('a', 'b'), GUESTS), 'guest a and 1 other started');
  assert.equal(describeScanCause(ofGuests('a', 'b', 'c'), GUESTS), 'guest a and 2 others started');
  assert.equal(
    describeScanCause({ ...ofGuests('a'), other: 'memory has become short' }, GUESTS),
    'memory has become short',
  );
});
