// Records of every kind, as odd as they may come.
import fc from 'fast-check';
import {
  LONGEST_TEXT,
  type HistoryDecision,
  type HistoryGuestEvent,
  type HistoryRecord,
  type HistorySample,
} from '../../../src/core/history/record.js';

/** Objects as literals make them. */
const PLAIN = { noNullPrototype: true };
const DAY = 86_400_000;
export const NOW = Date.parse('2026-01-05T12:00:00Z');

/** Mostly the last month and now, now and then anything: clocks are set wrong. */
export const time = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: NOW - 2 * DAY, max: NOW }) },
  { weight: 3, arbitrary: fc.integer({ min: NOW - 40 * DAY, max: NOW + 2 * DAY }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 8.64e15 }) },
);

const bytes = fc.maxSafeNat();
/** CPU time is an unsigned 64-bit number in the kernel. */
const counter = fc.option(
  fc.oneof(
    fc.maxSafeNat(),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => Number(value)),
  ),
  { nil: undefined },
);

/** Any text without what core/history.ts takes out. */
const text = (maxLength: number) =>
  fc
    .string({ unit: 'binary', maxLength })
    .map((any) => any.replaceAll(/[\p{Cc}\p{Cs}]/gu, '\ufffd').slice(0, maxLength));

export const sample: fc.Arbitrary<HistorySample> = fc.record(
  {
    kind: fc.constant('sample' as const),
    atMillis: time,
    savedBytes: bytes,
    freeBytes: bytes,
    totalBytes: bytes,
    committedBytes: bytes,
    guestCount: fc.nat(5000),
    run: fc.nat(2),
    freedBytes: fc.oneof(fc.constant(0), bytes),
    profitBytes: fc.option(fc.maxSafeInteger(), { nil: undefined }),
    ksmdCpuNanos: counter,
    pagesScanned: counter,
  },
  PLAIN,
);

export const decision: fc.Arbitrary<HistoryDecision> = fc.record(
  {
    kind: fc.constant('decision' as const),
    atMillis: time,
    policy: text(LONGEST_TEXT.word),
    reason: text(LONGEST_TEXT.word),
    sentence: text(LONGEST_TEXT.sentence),
    changes: fc.array(text(30), { maxLength: 10, size: 'max' }),
  },
  PLAIN,
);

export const guestEvent: fc.Arbitrary<HistoryGuestEvent> = fc.record(
  {
    kind: fc.constant('guest' as const),
    atMillis: time,
    name: text(LONGEST_TEXT.name),
    change: fc.constantFrom('started' as const, 'stopped' as const, 'crashed' as const, 'resized' as const),
  },
  PLAIN,
);

export const record: fc.Arbitrary<HistoryRecord> = fc.oneof({ weight: 4, arbitrary: sample }, decision, guestEvent);
