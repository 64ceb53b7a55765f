import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type GuestEvent,
  type GuestReport,
  type Inventory,
  residentBytesOf,
  takeReport,
} from '../../../src/core/guest.js';

const started = (name: string): GuestReport => ({ kind: 'event', change: 'started', name });
const stopped = (name: string): GuestReport => ({ kind: 'event', change: 'stopped', name });
const crashed = (name: string): GuestReport => ({ kind: 'event', change: 'crashed', name });
const resized = (name: string): GuestReport => ({ kind: 'event', change: 'resized', name });
const list = (...names: string[]): GuestReport => ({ kind: 'list', names });

/** All events and the last inventory. */
function fold(reports: readonly GuestReport[], begin?: Inventory) {
  const events: GuestEvent[] = [];
  let inventory = begin;
  for (const report of reports) {
    const [next, news] = takeReport(inventory, report);
    inventory = next;
    events.push(...news);
  }
  return { inventory, events };
}

function inWords(events: readonly GuestEvent[]): string {
  return events.map(({ change, name }) => `${name} ${change}`).join(', ');
}

describe('takeReport', () => {
  const rows: { name: string; before: string[] | undefined; report: GuestReport; events: string; after?: string[] }[] =
    [
      {
        name: 'the first list is where we begin',
        before: undefined,
        report: list('a', 'b'),
        events: '',
        after: ['a', 'b'],
      },
      { name: 'before it, events are passed on', before: undefined, report: started('a'), events: 'a started' },
      { name: 'an empty first list', before: undefined, report: list(), events: '', after: [] },
      { name: 'a start', before: ['a'], report: started('b'), events: 'b started', after: ['a', 'b'] },
      { name: 'a start that is known', before: ['a'], report: started('a'), events: '', after: ['a'] },
      { name: 'a stop', before: ['a', 'b'], report: stopped('b'), events: 'b stopped', after: ['a'] },
      { name: 'a stop that is known', before: ['a'], report: stopped('b'), events: '', after: ['a'] },
      { name: 'a crash', before: ['a'], report: crashed('a'), events: 'a crashed', after: [] },
      { name: 'the stop after a crash', before: [], report: stopped('a'), events: '', after: [] },
      { name: 'a resize', before: ['a', 'b'], report: resized('b'), events: 'b resized', after: ['a', 'b'] },
      { name: 'a resize of a guest that does not run', before: ['a'], report: resized('b'), events: '', after: ['a'] },
      {
        name: 'before the first list, a resize is passed on',
        before: undefined,
        report: resized('a'),
        events: 'a resized',
      },
      {
        name: 'a list that says nothing new',
        before: ['a', 'b'],
        report: list('b', 'a'),
        events: '',
        after: ['a', 'b'],
      },
      { name: 'a list with a guest twice', before: [], report: list('a', 'a'), events: 'a started', after: ['a'] },
      {
        name: 'a list that repairs missed events: what stopped comes first',
        before: ['a', 'b'],
        report: list('b', 'c'),
        events: 'a stopped, c started',
        after: ['b', 'c'],
      },
      { name: 'an empty list', before: ['a', 'b'], report: list(), events: 'a stopped, b stopped', after: [] },
    ];
  for (const { name, before, report, events, after } of rows) {
    test(name, () => {
      const inventory = before === undefined ? undefined : new Set(before);
      const [next, news] = takeReport(inventory, report);
      assert.equal(inWords(news), events);
      assert.deepEqual(next === undefined ? undefined : [...next].sort(), after);
      assert.deepEqual(inventory === undefined ? undefined : [...inventory], before, 'what it was handed is untouched');
    });
  }

  test('each resize is told: a guest can be resized over and over', () => {
    const { inventory, events } = fold([list('a', 'b'), resized('a'), resized('a'), stopped('a'), resized('a')]);
    assert.equal(inWords(events), 'a resized, a resized, a stopped');
    assert.deepEqual(inventory, new Set(['b']));
  });

  test('a guest that restarted between two lists is seen by its events', () => {
    const { events } = fold([list('a'), stopped('a'), started('a'), list('a')]);
    assert.equal(inWords(events), 'a stopped, a started');
  });
});

const name = fc.constantFrom<string[]>('a', 'b', 'c', 'd');
const names = fc.array(name, { maxLength: 6 });
const stateReport: fc.Arbitrary<GuestReport> = fc.oneof(
  fc.record({
    kind: fc.constant('event' as const),
    change: fc.constantFrom('started' as const, 'stopped' as const, 'crashed' as const),
    name,
  }),
  fc.record({ kind: fc.constant('list' as const), names }),
);
const report = fc.oneof({ arbitrary: stateReport, weight: 4 }, name.map(resized));
const reports = fc.array(report, { maxLength: 30 });

describe('any interleaving of events and lists', () => {
  test('ends in the last full list and what came after it', () => {
    fc.assert(
      fc.property(reports, names, reports, (before, lastNames, after) => {
        const events = after.filter((each) => each.kind === 'event');
        const expected = new Set(lastNames);
        for (const each of events) {
          if (each.change === 'started') expected.add(each.name);
          else if (each.change !== 'resized') expected.delete(each.name);
        }
        const { inventory } = fold([...before, list(...lastNames), ...events]);
        assert.deepEqual(inventory, expected);
      }),
    );
  });

  test('gives a guest no start or end twice: once begun they take turns, and resizes come in between', () => {
    fc.assert(
      fc.property(names, reports, (first, rest) => {
        const running = new Set(first);
        for (const { change, name: guest } of fold(rest, new Set(first)).events) {
          assert.equal(running.has(guest), change !== 'started', `${guest} ${change}`);
          if (change === 'started') running.add(guest);
          else if (change !== 'resized') running.delete(guest);
        }
      }),
    );
  });

  test('gives events that are the whole difference between the first list and the last inventory', () => {
    fc.assert(
      fc.property(names, reports, (first, rest) => {
        const { inventory, events } = fold([list(...first), ...rest]);
        const replayed = fold(
          events.map((event): GuestReport => ({ kind: 'event', ...event })),
          new Set(first),
        );
        assert.deepEqual(replayed.inventory, inventory);
        assert.deepEqual(replayed.events, events);
      }),
    );
  });

  test('gives nothing for a report that is repeated, but for a resize', () => {
    fc.assert(
      fc.property(names, reports, stateReport, (first, rest, last) => {
        const { inventory } = fold([list(...first), ...rest, last]);
        const [again, events] = takeReport(inventory, last);
        assert.deepEqual(events, []);
        assert.deepEqual(again, inventory);
      }),
    );
  });
});

test('residentBytesOf adds up what is in RAM, not what was promised', () => {
  const guest = (residentBytes: number) => ({ name: 'a', residentBytes, configuredBytes: 1024 ** 4 });
  assert.equal(residentBytesOf([]), 0);
  assert.equal(residentBytesOf([guest(4096), guest(0), guest(3 * 1024 ** 3)]), 3 * 1024 ** 3 + 4096);
});
