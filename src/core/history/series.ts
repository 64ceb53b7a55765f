import type { HistoryDecision, HistoryGuestEvent, HistoryRecord, HistorySample } from './record.js';

/** The history of a span of time, each kind of record in the order of its times. */
export interface History {
  readonly fromMillis: number;
  readonly toMillis: number;
  readonly samples: readonly HistorySample[];
  readonly decisions: readonly HistoryDecision[];
  readonly guestEvents: readonly HistoryGuestEvent[];
}

/** The time from one sample to the next, when samepaged looked regularly. */
export interface Stretch {
  readonly first: HistorySample;
  readonly last: HistorySample;
  /** CPU time of ksmd; undefined where it is unknown, as after a reboot. */
  readonly ksmdCpuNanos: number | undefined;
}

/** Thrice what lies between samples of a history's older part. */
const LEAST_GAP_MILLIS = 15 * 60_000;

/** The records from one time to another, both included. */
export function historyOf(records: readonly HistoryRecord[], fromMillis: number, toMillis: number): History {
  const within = records
    .filter(({ atMillis }) => atMillis >= fromMillis && atMillis <= toMillis)
    .toSorted((a, b) => a.atMillis - b.atMillis);
  return {
    fromMillis,
    toMillis,
    samples: within.filter((record) => record.kind === 'sample'),
    decisions: within.filter((record) => record.kind === 'decision'),
    guestEvents: within.filter((record) => record.kind === 'guest'),
  };
}

/** The samples that follow one another without a gap. In a gap nobody looked, and nothing is known. */
export function segmentsOf(samples: readonly HistorySample[]): readonly (readonly HistorySample[])[] {
  const longest = longestStretchMillis(samples);
  const segments: HistorySample[][] = [];
  for (const sample of samples) {
    const segment = segments.at(-1);
    const before = segment?.at(-1);
    if (segment === undefined || before === undefined || sample.atMillis - before.atMillis > longest)
      segments.push([sample]);
    else segment.push(sample);
  }
  return segments;
}

/** The times between one sample and the next, without the gaps. */
export function stretchesOf(samples: readonly HistorySample[]): readonly Stretch[] {
  return segmentsOf(samples).flatMap((segment) =>
    segment.slice(1).map((last, index): Stretch => {
      const first = segment[index] ?? last;
      return { first, last, ksmdCpuNanos: ksmdCpuNanos(first, last) };
    }),
  );
}

/** What is longer is a gap: samepaged did not run, or had no reason to look (a pause by hand). */
export function longestStretchMillis(samples: readonly HistorySample[]): number {
  const lengths = samples.slice(1).map(({ atMillis }, index) => atMillis - (samples[index]?.atMillis ?? atMillis));
  const median = lengths.toSorted((a, b) => a - b)[Math.trunc((lengths.length - 1) / 2)] ?? 0;
  return Math.max(LEAST_GAP_MILLIS, 3 * median);
}

/** The counter starts again at every boot. */
function ksmdCpuNanos(first: HistorySample, last: HistorySample): number | undefined {
  if (first.ksmdCpuNanos === undefined || last.ksmdCpuNanos === undefined) return undefined;
  const nanos = last.ksmdCpuNanos - first.ksmdCpuNanos;
  return nanos < 0 ? undefined : nanos;
}

/** Percent of one core that ksmd used over these stretches; undefined where nothing is known of it. */
export function ksmdPercent(stretches: readonly Stretch[]): number | undefined {
  let [nanos, millis] = [0, 0];
  for (const { first, last, ksmdCpuNanos: used } of stretches) {
    if (used === undefined) continue;
    nanos += used;
    millis += last.atMillis - first.atMillis;
  }
  return millis === 0 ? undefined : nanos / millis / 10_000;
}
