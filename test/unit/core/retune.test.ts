import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Subject, map, merge, timer } from 'rxjs';
import type { GuestEvent } from '../../../src/core/guest.js';
import { describeTrigger, type Trigger } from '../../../src/core/trigger.js';
import { expectTurns, triggersOf, turnsOf } from '../../support/policies/retuneLoop.js';

describe('the loop begins', () => {
  test('the loop begins with one turn at the first plan', () => {
    expectTurns({ plan: '5ms p' }, { marbles: '5ms s', turns: { s: 'start' } });
  });

  test('the loop begins with the first plan, and takes along earlier requests', () => {
    expectTurns({ plan: '50ms p', manual: '10ms x' }, { marbles: '50ms s', turns: { s: 'asked for by x, start' } });
  });

  test('the loop begins without losing a guest that started before there was a plan', () => {
    const { turns } = turnsOf({
      plan: '50ms p',
      plans: { p: { recheckMillis: [5000] } },
      guest: '10ms a',
      stop: '1m s',
    });
    const triggers = turns.flatMap((retune) => retune.triggers.map(describeTrigger));
    assert.deepEqual(triggers.sort(), ['guest a started', 'recheck of guest a', 'start']);
  });
});

describe('guest events settle', () => {
  const rows = [
    {
      name: 'a single event is a turn after the settle time',
      guest: '1s a',
      marbles: 's 1249ms t',
      turns: { s: 'start', t: 'guest a started' },
    },
    {
      name: 'a burst within the settle time is one turn, and the time counts from its first event',
      guest: '1s a 9ms b 118ms C 118ms (dE)',
      marbles: 's 1249ms t',
      turns: {
        s: 'start',
        t: 'guest a started, guest b started, guest c stopped, guest d started, guest e stopped',
      },
    },
    {
      name: 'events that come later are another turn',
      guest: '1s a 300ms b',
      marbles: 's 1249ms t 300ms u',
      turns: { s: 'start', t: 'guest a started', u: 'guest b started' },
    },
    {
      name: 'twenty guests autostarting are one turn',
      guest: '1s abcdefghijklmnopqrst',
      marbles: 's 1249ms t',
      turns: { s: 'start', t: Array.from('abcdefghijklmnopqrst', (name) => `guest ${name} started`).join(', ') },
    },
    {
      name: 'a guest that stops at once is both events',
      guest: '1s aA',
      marbles: 's 1249ms t',
      turns: { s: 'start', t: 'guest a started, guest a stopped' },
    },
  ];
  for (const { name, guest, marbles, turns } of rows) {
    test(`guest events settle: ${name}`, () => {
      expectTurns({ guest }, { marbles, turns });
    });
  }

  test('1000 guest events in a second are at most 5 turns, and none of them is lost', () => {
    const event$ = merge(
      ...Array.from({ length: 1000 }, (_, at) =>
        timer(at).pipe(map((): GuestEvent => ({ change: at % 2 === 0 ? 'started' : 'stopped', name: String(at) }))),
      ),
    );
    const { turns } = turnsOf({ guest: event$, stop: '10s s' });
    const withGuests = turns
      .map(({ triggers }) => triggers.filter(({ kind }) => kind === 'guest'))
      .filter((triggers) => triggers.length > 0);
    assert.ok(withGuests.length >= 1 && withGuests.length <= 5, String(withGuests.length));
    const names = withGuests.flat().map((trigger) => (trigger.kind === 'guest' ? trigger.event.name : ''));
    assert.deepEqual(
      names,
      Array.from({ length: 1000 }, (_, at) => String(at)),
    );
  });
});

describe('a retune by hand', () => {
  test('a retune by hand is immediate', () => {
    expectTurns({ manual: '1s x' }, { marbles: 's 999ms t', turns: { s: 'start', t: 'asked for by x' } });
  });

  test('a retune by hand does not wait for guests to settle: it takes them along, and nothing is left for later', () => {
    expectTurns(
      { guest: '1s a', manual: '1010ms x' },
      { marbles: 's 1009ms t', turns: { s: 'start', t: 'guest a started, asked for by x' } },
    );
  });

  test('a retune by hand leaves a later event of the burst its own turn', () => {
    expectTurns(
      { guest: '1s a 100ms b', manual: '1010ms x' },
      {
        marbles: 's 1009ms t 239ms u',
        turns: { s: 'start', t: 'guest a started, asked for by x', u: 'guest b started' },
      },
    );
  });

  test('a retune by hand asked for while the outcome of another is told is a turn of its own', () => {
    const again$ = new Subject<Trigger>();
    const { turns } = turnsOf({ manual: again$, stop: '1m s' }, ({ triggers }) => {
      if (triggers[0]?.kind === 'start') again$.next({ kind: 'manual', by: 'x' });
    });
    assert.deepEqual(turns.map(triggersOf), ['start', 'asked for by x']);
  });
});

describe('turns never overlap', () => {
  test('turns never overlap when a sample takes longer than the triggers take to come', () => {
    const { sampledAt, overlaps } = expectTurns(
      { manual: '10ms v 99ms w 99ms x 99ms y 99ms z', samples: ['1s (s|)'] },
      {
        marbles: '1s s 999ms t',
        turns: {
          s: 'start',
          t: 'asked for by v, asked for by w, asked for by x, asked for by y, asked for by z',
        },
      },
    );
    assert.deepEqual(sampledAt, [0, 1000]);
    assert.equal(overlaps(), 0);
  });

  test('turns never overlap when applying takes long', () => {
    const { sampledAt, overlaps } = expectTurns(
      { manual: '10ms x', guest: '20ms a', applies: ['1s (a|)'] },
      { marbles: '1s s 999ms t', turns: { s: 'start', t: 'asked for by x, guest a started' } },
    );
    assert.deepEqual(sampledAt, [0, 1000]);
    assert.equal(overlaps(), 0);
  });

  test('a trigger during a retune is in the next one, exactly once', () => {
    const { sampledAt, overlaps } = expectTurns(
      { guest: '1s a 499ms b 999ms c', samples: ['(s|)', '2s (s|)'] },
      {
        marbles: 's 3249ms t 1999ms u',
        turns: { s: 'start', t: 'guest a started', u: 'guest b started, guest c started' },
      },
    );
    assert.deepEqual(sampledAt, [0, 1250, 3250]);
    assert.equal(overlaps(), 0);
  });
});
