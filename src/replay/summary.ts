import type { HistorySample } from '../core/history/record.js';
import { type Segment, lengthMillis, meanOf } from './segments.js';

/** What a record says, of the time in which somebody looked. */
export interface Summary {
  readonly fromMillis: number;
  readonly toMillis: number;
  readonly recordedMillis: number;
  readonly guests: { readonly least: number; readonly most: number; readonly last: number };
  /** In the order in which they came into force. */
  readonly policies: readonly string[];
  readonly meanSavedBytes: number;
  readonly lastSavedBytes: number;
  readonly ksmd: RecordedKsmd;
}

/** What ksmd did in the time of which that is known. */
export interface RecordedKsmd {
  readonly millis: number;
  readonly cpuNanos: number;
  /** Undefined where the kernel did not report it. */
  readonly nanosPerPage: number | undefined;
}

export function summaryOf(segments: readonly Segment[]): Summary {
  const samples = segments.flatMap((segment) => segment.samples);
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError('a record without a sample');
  const recordedMillis = total(segments, lengthMillis);
  const savedMillis = (segment: Segment) => meanOf(segment, ({ savedBytes }) => savedBytes) * lengthMillis(segment);
  const policies = segments.flatMap(({ policy }) => policy ?? []);
  let [least, most] = [first.guestCount, first.guestCount];
  for (const { guestCount } of samples) [least, most] = [Math.min(least, guestCount), Math.max(most, guestCount)];
  return {
    fromMillis: first.atMillis,
    toMillis: last.atMillis,
    recordedMillis,
    guests: { least, most, last: last.guestCount },
    policies: policies.filter((policy, index) => policy !== policies[index - 1]),
    meanSavedBytes: recordedMillis === 0 ? last.savedBytes : total(segments, savedMillis) / recordedMillis,
    lastSavedBytes: last.savedBytes,
    ksmd: ksmdIn(segments),
  };
}

function ksmdIn(segments: readonly Segment[]): RecordedKsmd {
  const timed = segments.filter((segment) => growth(segment, 'ksmdCpuNanos') !== undefined);
  const counted = timed.filter((segment) => growth(segment, 'pagesScanned') !== undefined);
  const sum = (of: readonly Segment[], counter: Counter) => total(of, (segment) => growth(segment, counter) ?? 0);
  const pages = sum(counted, 'pagesScanned');
  return {
    millis: total(timed, lengthMillis),
    cpuNanos: sum(timed, 'ksmdCpuNanos'),
    nanosPerPage: pages > 0 ? sum(counted, 'ksmdCpuNanos') / pages : undefined,
  };
}

type Counter = keyof HistorySample & ('ksmdCpuNanos' | 'pagesScanned');

function growth({ samples }: Segment, counter: Counter): number | undefined {
  const [from, to] = [samples[0][counter], samples.at(-1)?.[counter]];
  return from === undefined || to === undefined ? undefined : to - from;
}

function total(segments: readonly Segment[], value: (segment: Segment) => number): number {
  return segments.reduce((sum, segment) => sum + value(segment), 0);
}
