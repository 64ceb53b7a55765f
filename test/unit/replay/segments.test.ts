import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type {
  HistoryDecision,
  HistoryGuestEvent,
  HistoryRecord,
  HistorySample,
} from '../../../src/core/history/record.js';
import { livesOf, sharableBytes } from '../../../src/replay/lives.js';
import { type Segment, lengthMillis, meanOf, splitRecord } from '../../../src/replay/segments.js';
import { summaryOf } from '../../../src/replay/summary.js';
import { FROM, MINUTE } from '../../support/simulation/replayHost.js';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

function sample(minute: number, parts: Partial<HistorySample> = {}): HistorySample {
  return {
    ...{ kind: 'sample', atMillis: FROM + minute * MINUTE, savedBytes: 0, freeBytes: 8 * GIB, totalBytes: 32 * GIB },
    ...{
      freedBytes: 0,
      committedBytes: 4 * GIB,
      guestCount: 2,
      run: 1,
      profitBytes: 0,
      ksmdCpuNanos: minute,
      pagesScanned: minute,
    },
    ...parts,
  };
}

function decision(minute: number, policy: string): HistoryDecision {
  const atMillis = FROM + minute * MINUTE;
  return { kind: 'decision', atMillis, policy, reason: 'always', sentence: policy, changes: [] };
}

function event(minute: number, change: HistoryGuestEvent['change'], name: string): HistoryGuestEvent {
  return { kind: 'guest', atMillis: FROM + minute * MINUTE, name, change };
}

const minutesOf = ({ samples }: Segment) => samples.map(({ atMillis }) => (atMillis - FROM) / MINUTE);

describe('a record', () => {
  const rows: readonly [string, readonly HistoryRecord[], readonly (readonly number[])[]][] = [
    ['is one segment', [0, 1, 2].map((minute) => sample(minute)), [[0, 1, 2]]],
    [
      'is cut where nobody looked',
      [0, 1, 30, 31].map((minute) => sample(minute)),
      [
        [0, 1],
        [30, 31],
      ],
    ],
    [
      'is cut by a reboot',
      [sample(0), sample(1), sample(2, { ksmdCpuNanos: 0 }), sample(3)],
      [
        [0, 1],
        [2, 3],
      ],
    ],
    ['is cut where pages are counted anew', [sample(1), sample(2, { pagesScanned: 0 })], [[1], [2]]],
    [
      'is not cut where the kernel does not tell',
      [sample(1), sample(2, { ksmdCpuNanos: undefined, pagesScanned: undefined }), sample(3)],
      [[1, 2, 3]],
    ],
    [
      'is cut where another policy comes into force',
      [decision(0, 'a'), sample(0), sample(1), decision(1.5, 'a'), decision(2, 'b'), sample(2), sample(3)],
      [
        [0, 1],
        [2, 3],
      ],
    ],
  ];
  for (const [name, records, expected] of rows) {
    test(`a record ${name}`, () => {
      assert.deepEqual(splitRecord(records).map(minutesOf), expected);
    });
  }

  test('a record keeps what happened with the segment in which it did', () => {
    const segments = splitRecord([
      ...[decision(0, 'a'), sample(0), event(0.5, 'started', 'x'), sample(1)],
      ...[event(2, 'started', 'y'), decision(2, 'b'), sample(2), event(3, 'stopped', 'y'), sample(3)],
    ]);
    assert.deepEqual(
      segments.map(({ policy, decisions, guestEvents }) => [
        policy,
        decisions.map((made) => made.policy),
        guestEvents.map(({ name, change }) => `${name} ${change}`),
      ]),
      [
        ['a', ['a'], ['x started']],
        ['b', ['b'], ['y started', 'y stopped']],
      ],
    );
  });

  test('a record has means over time, not over samples', () => {
    const [segment] = splitRecord([sample(0), sample(1, { savedBytes: 6 }), sample(4, { savedBytes: 6 })]);
    assert.ok(segment);
    assert.equal(lengthMillis(segment), 4 * MINUTE);
    assert.equal(
      meanOf(segment, ({ savedBytes }) => savedBytes),
      (3 * 1 + 6 * 3) / 4,
    );
  });

  test('a record is summed up without its gaps and reboots', () => {
    const counted = (minute: number, ksmdCpuNanos: number | undefined, parts: Partial<HistorySample> = {}) =>
      sample(minute, { ksmdCpuNanos, pagesScanned: (ksmdCpuNanos ?? 0) / 2, ...parts });
    const summary = summaryOf(
      splitRecord([
        ...[decision(0, 'a'), counted(0, 100, { savedBytes: 4 }), counted(2, 300, { savedBytes: 4, guestCount: 5 })],
        ...[counted(40, 20, { savedBytes: 1 }), counted(44, 60, { savedBytes: 1 })],
        ...[decision(80, 'b'), counted(80, undefined), counted(82, undefined, { savedBytes: 0 })],
      ]),
    );
    assert.deepEqual(summary, {
      fromMillis: FROM,
      toMillis: FROM + 82 * MINUTE,
      recordedMillis: 8 * MINUTE,
      guests: { least: 2, most: 5, last: 2 },
      policies: ['a', 'b'],
      meanSavedBytes: (4 * 2 + 1 * 4) / 8,
      lastSavedBytes: 0,
      ksmd: { millis: 6 * MINUTE, cpuNanos: 240, nanosPerPage: 2 },
    });
  });
});

describe('guests', () => {
  /** Minutes of coming and going, and MiB. */
  const told = (records: readonly HistoryRecord[]) => {
    const [segment] = splitRecord(records);
    assert.ok(segment);
    const minute = (millis: number | undefined) => (millis === undefined ? undefined : (millis - FROM) / MINUTE);
    return livesOf(segment).map(({ name, fromMillis, toMillis, bytes }) => {
      return [name, minute(fromMillis), minute(toMillis), Math.round(bytes / MIB)];
    });
  };
  const at = (minute: number, guestCount: number, gibibytes: number) =>
    sample(minute, { guestCount, committedBytes: gibibytes * GIB });

  test('guests of before a record have alike parts, and those that events name have their names', () => {
    assert.deepEqual(told([at(0, 2, 4), event(1, 'resized', 'web'), at(2, 2, 4), at(4, 2, 4)]), [
      ['web', undefined, undefined, 2048],
      ['(guest 1)', undefined, undefined, 2048],
    ]);
  });

  test('guests that start have the growth of memory, together where they start together', () => {
    const lives = told([
      ...[at(0, 1, 2), at(1, 1, 2), event(1.5, 'started', 'a'), event(1.7, 'started', 'b'), at(2, 3, 3)],
      ...[at(3, 3, 8), at(4, 3, 8), at(5, 3, 8), event(5.5, 'stopped', 'a'), at(6, 2, 5), at(8, 2, 5)],
    ]);
    assert.deepEqual(
      lives.map(([name, from, to]) => [name, from, to]),
      [
        ['(guest 1)', undefined, undefined],
        ['a', 1.5, 5.5],
        ['b', 1.7, undefined],
      ],
    );
    const [, [, , , a] = [], [, , , b] = []] = lives;
    assert.equal(a, b);
    assert.ok(Math.abs(Number(a) - 3072) < 400, String(a));
  });

  test('guests that start as others stop have the memory of those, too', () => {
    const lives = told([
      ...[at(0, 2, 4), at(1, 2, 4), event(2, 'stopped', 'old'), event(2, 'started', 'new'), at(2, 2, 2)],
      ...[at(5, 2, 5), at(6, 2, 5)],
    ]);
    const [[, , , stays] = [], , [name, , , bytes] = []] = lives;
    assert.equal(name, 'new');
    assert.ok(Math.abs(Number(bytes) / Number(stays) - 1.5) < 0.01, `${bytes} beside ${stays}`);
  });

  test('guests of a record are scaled to what all used on average', () => {
    assert.deepEqual(told([at(0, 1, 2), at(1, 1, 4), at(2, 1, 6)]), [['(guest 1)', undefined, undefined, 4096]]);
  });

  test('guests whose events are missing come and go by their number', () => {
    assert.deepEqual(
      told([at(0, 2, 4), at(5, 3, 6), at(10, 3, 6), at(12, 1, 2), at(14, 1, 2)]).map((life) => life.slice(0, 3)),
      [
        ['(guest 1)', undefined, undefined],
        ['(guest 2)', undefined, 12],
        ['(guest 3)', 5, 12],
      ],
    );
  });

  test('a guest that crashes and starts at once is two guests', () => {
    const lives = told([at(0, 1, 2), event(1, 'crashed', 'a'), event(1, 'started', 'a'), at(1, 1, 2), at(5, 1, 2)]);
    assert.deepEqual(lives, [
      ['a', undefined, 1, 2048],
      ['a', 1, undefined, 2048],
    ]);
  });

  test('guests of a record can share all but the largest', () => {
    const life = (bytes: number, fromMillis: number | undefined, toMillis: number | undefined) => {
      return { name: '', fromMillis, toMillis, bytes };
    };
    const lives = [
      life(5, undefined, undefined),
      life(3, 10, undefined),
      life(9, undefined, 10),
      life(2, undefined, 11),
    ];
    assert.deepEqual(
      [9, 10, 11].map((millis) => sharableBytes(lives, millis)),
      [7, 5, 3],
    );
  });
});
