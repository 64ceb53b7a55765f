import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { map, merge, timer } from 'rxjs';
import type { GuestEvent } from '../../../src/core/guest.js';
import { countingPolicy, expectTurns, outcomeOf, triggersOf } from '../../support/policies/retuneLoop.js';

describe('the timer', () => {
  const minute = { p: { intervalMillis: 60000 } };

  test('the timer looks again after each interval', () => {
    expectTurns(
      { plans: minute },
      { marbles: 's 59999ms t 59999ms t 59999ms t', turns: { s: 'start', t: 'timer' }, millis: 200000 },
    );
  });

  test('the timer begins anew with every turn, whatever its cause', () => {
    expectTurns(
      { plans: minute, manual: '40s x 39999ms y' },
      {
        marbles: 's 39999ms x 39999ms y 59999ms t',
        turns: { s: 'start', x: 'asked for by x', y: 'asked for by y', t: 'timer' },
        millis: 190000,
      },
    );
  });

  test('the timer counts from the end of a turn', () => {
    expectTurns(
      { plans: minute, samples: ['10s (s|)'] },
      { marbles: '10s s 69999ms t', turns: { s: 'start', t: 'timer' }, millis: 100000 },
    );
  });

  test('the timer is not touched by a guest event whose turn a retune by hand has taken', () => {
    expectTurns(
      { plans: minute, guest: '1s a', manual: '1010ms x' },
      {
        marbles: 's 1009ms x 59999ms t',
        turns: { s: 'start', x: 'guest a started, asked for by x', t: 'timer' },
        millis: 100000,
      },
    );
  });

  const askers = [
    { name: 'sooner', nextInMillis: 1000, marbles: 's 999ms t 999ms t 999ms t', millis: 3500 },
    { name: 'later', nextInMillis: 90000, marbles: 's 89999ms t', millis: 100000 },
  ];
  for (const { name, nextInMillis, marbles, millis } of askers) {
    test(`the timer is where the policy wants it, when it wants to look ${name}`, () => {
      const policy = countingPolicy('count', { nextInMillis });
      const plans = { p: { intervalMillis: 60000, policy } };
      expectTurns({ plans }, { marbles, turns: { s: 'start', t: 'timer' }, millis });
      const told = { s: String(nextInMillis) };
      expectTurns({ plans }, { marbles: 's', turns: told, millis: 1 }, (retune) => String(retune.nextInMillis));
    });
  }

  test('the timer is where the turn says that it is, after a failure too', () => {
    expectTurns(
      { plans: minute, samples: ['#', '(s|)'], manual: '1s x' },
      { marbles: 'm 999ms m', turns: { m: '60000' }, millis: 2000 },
      (retune) => String(retune.nextInMillis),
    );
  });
});

describe('a reload', () => {
  test('a reload is a turn with the new policy, which is handed the memory of the old one', () => {
    const plans = { a: { policy: countingPolicy('old') }, b: { policy: countingPolicy('new') } };
    const loop = { plan: 'a 9ms b', plans, manual: '5ms x 9ms y' };
    expectTurns(loop, {
      marbles: 's 4ms x 4ms r 4ms y',
      turns: { s: 'start', x: 'asked for by x', r: 'reload', y: 'asked for by y' },
    });
    expectTurns(
      loop,
      { marbles: 's 4ms x 4ms r 4ms y', turns: { s: 'old 1', x: 'old 2', r: 'new 3', y: 'new 4' } },
      outcomeOf,
    );
  });

  test('a reload names the policy that decided', () => {
    const plans = { a: { policy: countingPolicy('old') }, b: { policy: countingPolicy('new') } };
    expectTurns(
      { plan: 'a 9ms b', plans },
      { marbles: 's 9ms r', turns: { s: 'old', r: 'new' } },
      ({ policy }) => policy,
    );
  });

  test('a reload changes the interval at once', () => {
    expectTurns(
      { plan: 'a 9999ms b', plans: { a: { intervalMillis: 60000 }, b: { intervalMillis: 1000 } } },
      {
        marbles: 's 9999ms r 999ms t 999ms t',
        turns: { s: 'start', r: 'reload', t: 'timer' },
        millis: 12500,
      },
    );
  });

  test('a reload changes the settle time', () => {
    expectTurns(
      { plan: 'a 9999ms b', plans: { a: { settleMillis: 250 }, b: { settleMillis: 20 } }, guest: '1s a 19s b' },
      {
        marbles: 's 1249ms g 8749ms r 10020ms h',
        turns: { s: 'start', g: 'guest a started', r: 'reload', h: 'guest b started' },
      },
    );
  });

  test('a reload while a turn is under way waits for it, and the old policy finishes it', () => {
    const plans = { a: { policy: countingPolicy('old') }, b: { policy: countingPolicy('new') } };
    const { overlaps } = expectTurns(
      { plan: 'a 9ms b', plans, samples: ['1s (s|)'] },
      { marbles: '1s s 999ms r', turns: { s: 'old 1', r: 'new 2' } },
      outcomeOf,
    );
    assert.equal(overlaps(), 0);
  });

  test('a reload is told apart from the start by its trigger', () => {
    expectTurns(
      { plan: 'a 9ms b 9ms c', plans: {} },
      { marbles: 's 9ms r 9ms r', turns: { s: 'start', r: 'reload' } },
      triggersOf,
    );
  });
});

describe('a guest that started is looked at again', () => {
  const recheck = { p: { recheckMillis: [5000, 20000] } };
  const looks = { s: 'start', g: 'guest a started', r: 'recheck of guest a' };
  const rows = [
    {
      name: 'after 5 and after 20 seconds, counted from its event; the looks settle as events do',
      guest: '1s a',
      marbles: 's 1249ms g 4999ms r 14999ms r',
      turns: looks,
    },
    {
      name: 'no more when the guest stopped in between',
      guest: '1s a 7s A',
      marbles: 's 1249ms g 4999ms r 2000ms x',
      turns: { ...looks, x: 'guest a stopped' },
    },
    {
      name: 'not at all when the guest stopped before',
      guest: '1s a 3s A',
      marbles: 's 1249ms g 3000ms x',
      turns: { ...looks, x: 'guest a stopped' },
    },
    {
      name: 'although another guest stopped',
      guest: '1s a 999ms B',
      marbles: 's 1249ms g 999ms x 3999ms r 14999ms r',
      turns: { ...looks, x: 'guest b stopped' },
    },
    {
      name: 'counted from the last start when it was restarted',
      guest: '1s a 999ms A 999ms a',
      marbles: 's 1249ms g 999ms x 999ms g 4999ms r 14999ms r',
      turns: { ...looks, x: 'guest a stopped' },
    },
    {
      name: 'not when it stopped only',
      guest: '1s A',
      marbles: 's 1249ms x',
      turns: { ...looks, x: 'guest a stopped' },
    },
    {
      name: 'together with the others of its burst',
      guest: '1s abc',
      marbles: 's 1249ms g 4999ms r 14999ms r',
      turns: {
        s: 'start',
        g: 'guest a started, guest b started, guest c started',
        r: 'recheck of guest a, recheck of guest b, recheck of guest c',
      },
    },
  ];
  for (const { name, guest, marbles, turns } of rows) {
    test(`a guest that started is looked at again: ${name}`, () => {
      expectTurns({ plans: recheck, guest }, { marbles, turns });
    });
  }

  test('a guest that started is looked at again although its memory changed, which brings no looks of its own', () => {
    const later = (millis: number, event: GuestEvent) => timer(millis).pipe(map(() => event));
    const started = later(1000, { change: 'started', name: 'a' });
    const guest = merge(started, later(3000, { change: 'resized', name: 'a' }));
    expectTurns(
      { plans: recheck, guest },
      { marbles: 's 1249ms g 1999ms x 2999ms r 14999ms r', turns: { ...looks, x: 'guest a resized' } },
    );
  });

  test('a guest that started is looked at again as the plan says that was in force when it started', () => {
    expectTurns(
      { plan: 'a 2999ms b', plans: { a: { recheckMillis: [5000] }, b: { recheckMillis: [] } }, guest: '1s a 8999ms b' },
      {
        marbles: 's 1249ms g 1749ms l 3249ms r 3999ms h',
        turns: { ...looks, l: 'reload', h: 'guest b started' },
      },
    );
  });
});
