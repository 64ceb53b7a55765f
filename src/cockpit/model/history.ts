import { type Happening, happenings } from '../../core/history/happenings.js';
import { recordOf } from '../../core/history/items.js';
import type { HistoryRecord } from '../../core/history/record.js';
import { historyOf, segmentsOf, stretchesOf } from '../../core/history/series.js';

/** How much of the history is shown, in milliseconds. */
export const SPANS = { hour: 3_600_000, day: 86_400_000, week: 7 * 86_400_000, month: 31 * 86_400_000 } as const;
export type Span = keyof typeof SPANS;

/** The characters of a line's sum, and the space after it. What came over the bus is as it was written. */
const SUM_LENGTH = 9;

/** The records of a page of the history, without those that another version of samepaged wrote. */
export function recordsOf(lines: string): readonly HistoryRecord[] {
  return lines.split('\n').flatMap((line): HistoryRecord[] => {
    try {
      const record = recordOf(JSON.parse(line.slice(SUM_LENGTH)));
      return record === undefined ? [] : [record];
    } catch {
      return [];
    }
  });
}

/** What the curves show: columns of the same length, null where nothing is known. */
export interface Curves {
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly savedBytes: readonly (number | null)[];
  readonly freeBytes: readonly (number | null)[];
  /** Of one core. */
  readonly ksmdPercent: readonly (number | null)[];
  readonly happenings: readonly Happening[];
}

/** The curves of a span of time, with a hole where nobody looked. */
export function curvesOf(records: readonly HistoryRecord[], fromMillis: number, toMillis: number): Curves {
  const { samples, guestEvents, decisions } = historyOf(records, fromMillis, toMillis);
  const ksmd = new Map(
    stretchesOf(samples).map(({ first, last, ksmdCpuNanos }) => {
      const millis = last.atMillis - first.atMillis;
      return [last.atMillis, ksmdCpuNanos === undefined || millis === 0 ? null : ksmdCpuNanos / millis / 10_000];
    }),
  );
  const rows = segmentsOf(samples).flatMap((segment) => [
    ...segment.map((sample) => ({
      time: sample.atMillis / 1000,
      saved: sample.savedBytes,
      free: sample.freeBytes,
      ksmd: ksmd.get(sample.atMillis) ?? null,
    })),
    { time: ((segment.at(-1)?.atMillis ?? 0) + 1) / 1000, saved: null, free: null, ksmd: null },
  ]);
  return {
    times: rows.map(({ time }) => time),
    savedBytes: rows.map(({ saved }) => saved),
    freeBytes: rows.map(({ free }) => free),
    ksmdPercent: rows.map(({ ksmd: percent }) => percent),
    happenings: happenings(guestEvents, decisions),
  };
}

/** What happened nearest to a moment, and not farther from it than `mostMillis`. */
export function happeningsNear(all: readonly Happening[], atMillis: number, mostMillis: number): readonly Happening[] {
  const near = all.filter((happening) => Math.abs(happening.atMillis - atMillis) <= mostMillis);
  const nearest = Math.min(...near.map((happening) => Math.abs(happening.atMillis - atMillis)));
  return near.filter((happening) => Math.abs(happening.atMillis - atMillis) === nearest);
}
