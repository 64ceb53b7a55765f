import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Guest } from '../../../../../src/core/guest.js';
import { type Settling, describeSettling, nextSettling } from '../../../../../src/core/policies/shared/settling.js';
import type { Trigger } from '../../../../../src/core/trigger.js';
import { GIB, MIB, TIMER, guestOf, started, stopped } from '../../../../support/policies/policyHost.js';

/** Looks at guests one after another: at which seconds the guest `web` is still being waited for. */
function waited(residentMib: readonly number[], { configuredBytes = GIB, everyMillis = 500 } = {}): number[] {
  let settling: Settling = {};
  const seconds: number[] = [];
  for (const [at, mib] of residentMib.entries()) {
    const triggers: Trigger[] = at === 0 ? [started('web')] : [TIMER];
    settling = nextSettling(settling, [guestOf('web', mib * MIB, configuredBytes)], triggers, at * everyMillis);
    if ('web' in settling) seconds.push((at * everyMillis) / 1000);
  }
  return seconds;
}

/** Half seconds from 0 to `last`. */
const upTo = (last: number) => Array.from({ length: last * 2 + 1 }, (_, half) => half / 2);

describe('a guest that started is waited for', () => {
  test('a guest that started is waited for until its memory did not grow for two and a half seconds', () => {
    assert.deepEqual(waited([50, 200, 400, ...Array<number>(12).fill(600)]), upTo(3.5));
  });

  test('a guest that has all its memory at once is waited for for two and a half seconds', () => {
    assert.deepEqual(waited(Array<number>(12).fill(1024)), upTo(2));
  });

  const growing = (step: number) => Array.from({ length: 24 }, (_, look) => 1000 + look * step);

  test('a guest that started is waited for no longer for growth of two percent of its memory', () => {
    assert.deepEqual(waited(growing(40), { configuredBytes: 10 * GIB }), upTo(2), '200 MiB in that time, of 204');
    assert.deepEqual(waited(growing(60), { configuredBytes: 10 * GIB }), upTo(11.5), '240 MiB in two seconds');
  });

  test('a guest that started is waited for no longer for growth of 16 MiB, however small or unknown its memory', () => {
    assert.deepEqual(waited(growing(3), { configuredBytes: 64 * MIB }), upTo(2));
    assert.deepEqual(waited(growing(3), { configuredBytes: 0 }), upTo(2));
    assert.deepEqual(waited(growing(5), { configuredBytes: 0 }), upTo(11.5));
  });

  for (const [configuredGib, smallMib] of [
    [10, 204],
    [0, 16],
  ] as const) {
    test(`a guest of ${configuredGib} GiB that grows by ${smallMib} MiB is waited for no longer, by one more it is`, () => {
      const grown = (mib: number) =>
        waited([0, 0, ...Array<number>(8).fill(mib)], { configuredBytes: configuredGib * GIB });
      assert.deepEqual(grown(smallMib), upTo(2));
      assert.deepEqual(grown(smallMib + 1), upTo(3));
    });
  }

  test('a guest is waited for no longer when its balloon takes memory away', () => {
    assert.deepEqual(waited([1024, 900, 700, 500, 300, 100, 100]), upTo(2));
  });

  test('a guest is waited for no longer than three minutes, however it grows', () => {
    const mib = Array.from({ length: 30 }, (_, look) => look * 2000);
    assert.deepEqual(waited(mib, { configuredBytes: 64 * GIB, everyMillis: 10_000 }).at(-1), 170);
  });

  test('rare looks wait for a guest too: what grew between two of them is not settled at the second', () => {
    assert.deepEqual(waited([100, 900, 900], { everyMillis: 10_000 }), [0, 10]);
  });
});

describe('who is waited for', () => {
  const web = guestOf('web', 100 * MIB);
  const db = guestOf('db', 100 * MIB);
  const names = (settling: Settling) => Object.keys(settling);
  const look = (before: Settling, guests: readonly Guest[], millis: number, ...triggers: Trigger[]) =>
    nextSettling(before, guests, triggers, millis);

  test('no guest that was there before is waited for', () => {
    assert.deepEqual(names(look({}, [web, db], 0, { kind: 'start' })), []);
    assert.deepEqual(names(look({}, [web, db], 0, TIMER, stopped('web'))), []);
    const resized: Trigger = { kind: 'guest', event: { change: 'resized', name: 'db' } };
    assert.deepEqual(names(look({}, [web, db], 0, resized)), []);
  });

  test('each guest that started is waited for by itself', () => {
    let settling = look({}, [web], 0, started('web'));
    settling = look(settling, [web, db], 1500, started('db'));
    assert.deepEqual(names(settling), ['web', 'db']);
    settling = look(settling, [web, db], 2500, TIMER);
    assert.deepEqual(names(settling), ['db']);
    assert.deepEqual(names(look(settling, [web, db], 4000, TIMER)), []);
  });

  test('a guest that has stopped is not waited for, with or without an event', () => {
    const both = look({}, [web, db], 0, started('web'), started('db'));
    assert.deepEqual(names(look(both, [db], 1000, stopped('web'))), ['db']);
    assert.deepEqual(names(look(both, [db], 1000, TIMER)), ['db']);
  });

  test('a guest that started again is waited for again', () => {
    const first = look({}, [web], 0, started('web'));
    const again = look(first, [web], 2400, stopped('web'), started('web'));
    assert.deepEqual(names(look(again, [web], 4800, TIMER)), ['web']);
    assert.deepEqual(names(look(again, [web], 4900, TIMER)), []);
  });

  test('the guests that are waited for are named, three of them', () => {
    const guests = ['a', 'b', 'c', 'd', 'e'].map((name) => guestOf(name, 0));
    const told = (count: number) => {
      const some = guests.slice(0, count);
      return describeSettling(look({}, some, 0, ...some.map(({ name }) => started(name))), some);
    };
    assert.equal(told(1), 'a is still filling its memory');
    assert.equal(told(2), 'a, b are still filling their memory');
    assert.equal(told(3), 'a, b, c are still filling their memory');
    assert.equal(told(5), 'a, b, c and 2 more are still filling their memory');
  });
});
