import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Variant } from 'dbus-next';
import fc from 'fast-check';
import * as v from 'valibot';
import { retuneDict } from '../../../src/api/encode.js';
import { Retune, type RetuneReply } from '../../../src/api/replies.js';
import { plain } from '../../../src/api/unpack.js';
import type { GuestChange } from '../../../src/core/guest.js';
import type { KsmWrite } from '../../../src/core/ksm.js';
import type { Applied } from '../../../src/core/retune.js';
import type { Trigger } from '../../../src/core/trigger.js';
import { sampleOf } from '../../support/examples/examples.js';

function overTheBus(dict: object): RetuneReply {
  return v.parse(Retune, plain(dict));
}

function failedBy(triggers: readonly Trigger[]) {
  return retuneDict({ triggers, policy: 'ksmtuned', failure: new Error('why'), nextInMillis: 60_000 });
}

describe('a retune over the bus', () => {
  const run: KsmWrite = { setting: 'run', from: 1, to: 2 };
  const told = (applied: Applied) =>
    overTheBus(
      retuneDict({
        ...{ triggers: [], policy: 'ksmtuned', nextInMillis: 0, sample: sampleOf(), applied },
        decision: { reason: 'unmerged', sentence: 'unmerged by hand', settings: { run: 2 } },
      }),
    );

  test('a retune over the bus says that a dry run wrote nothing', () => {
    const { dryRun, changes, failed } = told({ dryRun: true, writes: [run], problems: [] });
    assert.deepEqual({ dryRun, changes, failed }, { dryRun: true, changes: ['run 1 -> 2'], failed: undefined });
  });

  test('a retune over the bus says what the kernel did not take', () => {
    const { dryRun, changes, failed } = told({ writes: [], failed: [run], problems: [] });
    assert.deepEqual({ dryRun, changes, failed }, { dryRun: undefined, changes: [], failed: ['run 1 -> 2'] });
  });
});

describe('the guest events of a retune over the bus', () => {
  test('the guest events of a retune are those among its triggers, whatever the guests are called', () => {
    const change = fc.constantFrom<GuestChange>('started', 'stopped', 'crashed', 'resized');
    const name = fc.oneof(fc.constantFrom('guest a started', 'web server'), fc.stringMatching(/^[ -~]{1,30}$/));
    fc.assert(
      fc.property(fc.array(fc.record({ name, change }, { noNullPrototype: true }), { maxLength: 20 }), (events) => {
        const triggers = events.flatMap((event): Trigger[] => [
          { kind: 'guest', event },
          { kind: 'recheck', name: event.name },
          { kind: 'manual', by: `guest ${event.name} started` },
        ]);
        assert.deepEqual(overTheBus(failedBy(triggers)).guestEvents, events);
      }),
    );
  });

  test('the guest events of a retune are absent from a daemon that does not know them', () => {
    const { triggers, guestEvents } = overTheBus({ Triggers: new Variant('as', ['guest web started']) });
    assert.deepEqual([triggers, guestEvents], [['guest web started'], undefined]);
  });

  test('the guest events of a retune are without a change that only a newer daemon knows', () => {
    const pairs = [
      ['web', 'hibernated'],
      ['db', 'stopped'],
    ];
    const reply = overTheBus({ GuestEvents: new Variant('a(ss)', pairs) });
    assert.deepEqual(reply.guestEvents, [{ name: 'db', change: 'stopped' }]);
  });

  test('the guest events of a retune are twenty at most, each name of a bounded length', () => {
    const event = { name: 'x'.repeat(5000), change: 'started' } as const;
    const { guestEvents = [] } = overTheBus(failedBy(Array<Trigger>(500).fill({ kind: 'guest', event })));
    assert.equal(guestEvents.length, 20);
    assert.ok(guestEvents.every(({ name }) => name.length < 1100));
  });
});
