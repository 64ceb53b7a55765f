import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type GuestEvent, residentBytesOf } from '../../../src/core/guest.js';
import {
  type GuestReport,
  type GuestSource,
  type ListedGuest,
  NOTHING_LISTED,
  type Running,
  takeReport,
} from '../../../src/core/guestReport.js';

const event = (change: GuestEvent['change'], name: string): GuestReport => ({ kind: 'event', change, name, id: name });
const started = (name: string) => event('started', name);
const stopped = (name: string) => event('stopped', name);
const crashed = (name: string) => event('crashed', name);
const resized = (name: string) => event('resized', name);
const listed = (source: GuestSource, ...guests: ListedGuest[]): GuestReport => ({ kind: 'list', source, guests });
const list = (...names: string[]) => listed('libvirt', ...names.map((name) => ({ id: name, name })));
const inProc = (...names: string[]) =>
  listed('proc', ...names.map((name, at) => ({ id: name, name, pid: at, life: '1' })));

/** What runs when libvirt has listed these and /proc nothing. */
function runningOf(names: readonly string[] | undefined): Running {
  const guests = names?.map((name): [string, ListedGuest] => [name, { id: name, name }]);
  return { libvirt: guests === undefined ? undefined : new Map(guests), proc: new Map() };
}

function idsOf({ libvirt, proc }: Running): ReadonlySet<string> {
  return new Set([...(libvirt?.keys() ?? []), ...(proc?.keys() ?? [])]);
}

/** All events and what runs at last. */
function fold(reports: readonly GuestReport[], begin: Running = runningOf(undefined)) {
  const events: GuestEvent[] = [];
  let running = begin;
  for (const report of reports) {
    const [next, news] = takeReport(running, report);
    running = next;
    events.push(...news);
  }
  return { running, events };
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
    test(`guests in libvirt’s reports: ${name}`, () => {
      const running = runningOf(before);
      const [next, news] = takeReport(running, report);
      assert.equal(inWords(news), events);
      assert.deepEqual(next.libvirt === undefined ? undefined : [...idsOf(next)].sort(), after);
      assert.deepEqual(running, runningOf(before), 'what it was handed is untouched');
    });
  }

  test('each resize of a guest is reported: a guest can be resized over and over', () => {
    const { running, events } = fold([list('a', 'b'), resized('a'), resized('a'), stopped('a'), resized('a')]);
    assert.equal(inWords(events), 'a resized, a resized, a stopped');
    assert.deepEqual(idsOf(running), new Set(['b']));
  });

  test('a guest that restarted between two lists is seen by its events', () => {
    const { events } = fold([list('a'), stopped('a'), started('a'), list('a')]);
    assert.equal(inWords(events), 'a stopped, a started');
  });
});

const name = fc.constantFrom<string[]>('a', 'b', 'c', 'd');
const names = fc.array(name, { maxLength: 6 });
const stateReport: fc.Arbitrary<GuestReport> = fc.oneof(
  fc
    .constantFrom('started' as const, 'stopped' as const, 'crashed' as const)
    .chain((change) => name.map((guest) => event(change, guest))),
  names.map((all) => list(...all)),
);
const anyReport = fc.oneof({ arbitrary: stateReport, weight: 4 }, name.map(resized));
const reports = fc.array(anyReport, { maxLength: 30 });

describe('any interleaving of events and lists', () => {
  test('any interleaving of events and lists ends in the last full list and what came after it', () => {
    fc.assert(
      fc.property(reports, names, reports, (before, lastNames, after) => {
        const events = after.filter((each) => each.kind === 'event');
        const expected = new Set(lastNames);
        for (const each of events) {
          if (each.change === 'started') expected.add(each.name);
          else if (each.change !== 'resized') expected.delete(each.name);
        }
        const { running } = fold([...before, list(...lastNames), ...events]);
        assert.deepEqual(idsOf(running), expected);
      }),
    );
  });

  test('a guest has no start or end twice: once begun they take turns, and resizes come in between', () => {
    fc.assert(
      fc.property(names, reports, (first, rest) => {
        const running = new Set(first);
        for (const { change, name: guest } of fold(rest, runningOf(first)).events) {
          assert.equal(running.has(guest), change !== 'started', `${guest} ${change}`);
          if (change === 'started') running.add(guest);
          else if (change !== 'resized') running.delete(guest);
        }
      }),
    );
  });

  test('guest events are the whole difference between the first list and the last inventory', () => {
    fc.assert(
      fc.property(names, reports, (first, rest) => {
        const { running, events } = fold([list(...first), ...rest]);
        const replayed = fold(
          events.map(({ change, name: guest }) => event(change, guest)),
          runningOf(first),
        );
        assert.deepEqual(idsOf(replayed.running), idsOf(running));
        assert.deepEqual(replayed.events, events);
      }),
    );
  });

  test('a repeated report of libvirt gives no event but a resize', () => {
    fc.assert(
      fc.property(names, reports, stateReport, (first, rest, last) => {
        const { running } = fold([list(...first), ...rest, last]);
        const [again, events] = takeReport(running, last);
        assert.deepEqual(events, []);
        assert.deepEqual(idsOf(again), idsOf(running));
      }),
    );
  });
});

test('residentBytesOf adds up what is in RAM, not what was promised', () => {
  const guest = (residentBytes: number) => ({ name: 'a', residentBytes, configuredBytes: 1024 ** 4 });
  assert.equal(residentBytesOf([]), 0);
  assert.equal(residentBytesOf([guest(4096), guest(0), guest(3 * 1024 ** 3)]), 3 * 1024 ** 3 + 4096);
});

describe('guests of two sources', () => {
  test('guests of two sources begin when both have listed theirs, whichever is first', () => {
    for (const lists of [
      [list('a'), inProc('b')],
      [inProc('b'), list('a')],
    ]) {
      const { running, events } = fold(lists, NOTHING_LISTED);
      assert.deepEqual(events, []);
      assert.deepEqual(idsOf(running), new Set(['a', 'b']));
    }
  });

  test('guests that both sources list start and stop once, and crash as libvirt says', () => {
    const begin = runningOf([]);
    const here = fold([inProc('a'), started('a'), list('a'), inProc('a')], begin);
    assert.equal(inWords(here.events), 'a started');
    assert.equal(inWords(fold([crashed('a'), inProc(), list()], here.running).events), 'a crashed');
  });

  test('guests go on while libvirt is away, unless no process of theirs is seen', () => {
    const { events } = fold([inProc('a'), list('a', 'b'), list(), list('a', 'b')], NOTHING_LISTED);
    assert.equal(inWords(events), 'b stopped, b started');
  });

  test('guests are seen to start again between two lists by the life of their process', () => {
    const life = (each: string) => listed('proc', { id: 'a', name: 'a', pid: 7, life: each });
    assert.equal(
      inWords(fold([list(), life('7.1'), life('7.1'), life('7.2')], NOTHING_LISTED).events),
      'a stopped, a started',
    );
  });

  test('guests of one name are told apart, and each keeps the name that it was shown with', () => {
    const windows = (pid: number): ListedGuest => ({ id: `${pid}.1`, name: 'windows', pid });
    const { events } = fold(
      [
        list(),
        inProc(),
        listed('proc', windows(1)),
        listed('proc', windows(1), windows(2)),
        listed('proc', windows(2)),
        listed('proc'),
      ],
      NOTHING_LISTED,
    );
    assert.equal(inWords(events), 'windows started, windows (pid 2) started, windows stopped, windows (pid 2) stopped');
    assert.deepEqual(
      events.map(({ id, plainName }) => [id, plainName]),
      [
        ['1.1', undefined],
        ['2.1', 'windows'],
        ['1.1', undefined],
        ['2.1', 'windows'],
      ],
    );
  });
});
