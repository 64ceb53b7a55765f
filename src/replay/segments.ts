import type { HistoryDecision, HistoryGuestEvent, HistoryRecord, HistorySample } from '../core/history/record.js';
import { historyOf, segmentsOf } from '../core/history/series.js';

/** A part of a record in which samepaged looked regularly, under one policy and in one boot of the host. */
export interface Segment {
  /** At least one, in the order of time. */
  readonly samples: readonly [HistorySample, ...HistorySample[]];
  /** In force throughout; undefined where no decision was recorded. */
  readonly policy: string | undefined;
  readonly decisions: readonly HistoryDecision[];
  readonly guestEvents: readonly HistoryGuestEvent[];
}

/** A record as far as it can be replayed; between its segments nothing is known. */
export function splitRecord(records: readonly HistoryRecord[]): readonly Segment[] {
  const { samples, decisions, guestEvents } = historyOf(records, -Infinity, Infinity);
  const policies = policiesAt(samples, decisions);
  const begins = new Set(segmentsOf(samples).map(([first]) => first));
  const segments: [HistorySample, ...HistorySample[]][] = [];
  for (const [index, sample] of samples.entries()) {
    const before = samples[index - 1];
    const segment = segments.at(-1);
    const goesOn = before !== undefined && !begins.has(sample) && !isRebooted(before, sample);
    if (goesOn && segment !== undefined && policies[index] === policies[index - 1]) segment.push(sample);
    else segments.push([sample]);
  }
  let [sampled, decided, happened] = [0, 0, 0];
  return segments.map((segment): Segment => {
    const policy = policies[sampled];
    sampled += segment.length;
    // What a retune did is recorded before its sample: up to the next segment all belongs to this one.
    const end = samples[sampled]?.atMillis ?? Infinity;
    const until = <T extends { readonly atMillis: number }>(list: readonly T[], from: number) => {
      const to = list.findIndex(({ atMillis }, index) => index >= from && atMillis >= end);
      return list.slice(from, to < 0 ? undefined : to);
    };
    const own = { decisions: until(decisions, decided), guestEvents: until(guestEvents, happened) };
    decided += own.decisions.length;
    happened += own.guestEvents.length;
    return { samples: segment, policy, ...own };
  });
}

export function lengthMillis({ samples }: Segment): number {
  return (samples.at(-1) ?? samples[0]).atMillis - samples[0].atMillis;
}

/** The mean over time of what the samples say. */
export function meanOf({ samples }: Segment, value: (sample: HistorySample) => number): number {
  const [first] = samples;
  let [sum, before] = [0, first];
  for (const sample of samples) {
    sum += ((value(before) + value(sample)) / 2) * (sample.atMillis - before.atMillis);
    before = sample;
  }
  const millis = before.atMillis - first.atMillis;
  return millis === 0 ? value(first) : sum / millis;
}

/** ksmd's counters start again at every boot. */
function isRebooted(before: HistorySample, after: HistorySample): boolean {
  const fell = (from: number | undefined, to: number | undefined) =>
    from !== undefined && to !== undefined && to < from;
  return fell(before.ksmdCpuNanos, after.ksmdCpuNanos) || fell(before.pagesScanned, after.pagesScanned);
}

/** Of the last decision at each sample; before the first decision, of that. */
function policiesAt(
  samples: readonly HistorySample[],
  decisions: readonly HistoryDecision[],
): readonly (string | undefined)[] {
  let next = 0;
  let policy = decisions[0]?.policy;
  return samples.map(({ atMillis }) => {
    for (let made = decisions[next]; made !== undefined && made.atMillis <= atMillis; made = decisions[next]) {
      policy = made.policy;
      next += 1;
    }
    return policy;
  });
}
