import { formatDuration } from '../../core/duration.js';
import { formatBytes, plural } from '../../core/format.js';
import type { Savings } from '../../core/savings.js';
import type { Figures } from './figures.js';

/** How the burst ended: passes bring nothing more, the time was up, or somebody interrupted it. */
type End = 'over' | 'cut' | 'interrupted';

/** What merging came to on this host; what `samepagectl estimate --json` prints. Sizes in bytes. */
export interface Estimate {
  readonly end: End;
  readonly seconds: number;
  /** Undefined where it cannot be seen. */
  readonly ksmdCpuSeconds: number | undefined;
  /** What was saved before, and with the burst. */
  readonly before: Savings;
  readonly after: Savings;
  readonly availableBytes: number;
  readonly guests: readonly EstimatedGuest[];
}

export interface EstimatedGuest {
  readonly name: string;
  readonly residentBytes: number;
  /** Undefined where only root may read it, or this kernel does not report it. */
  readonly mergedBytes: number | undefined;
  readonly mergedBytesBefore: number | undefined;
  readonly freedBytes: number;
}

export interface BurstEnd {
  readonly end: End;
  readonly millis: number;
}

/** Guests that came or went meanwhile are as they were at the end. */
export function estimateOf(before: Figures, after: Figures, { end, millis }: BurstEnd): Estimate {
  const nanos = [before.ksmdCpuNanos, after.ksmdCpuNanos];
  const cpuNanos = nanos[0] === undefined || nanos[1] === undefined ? undefined : nanos[1] - nanos[0];
  const mergedBefore = new Map(before.guests.map(({ pid, mergedBytes }) => [pid, mergedBytes]));
  const freedBefore = new Map(before.guests.map(({ pid, freedBytes }) => [pid, freedBytes]));
  return {
    end,
    seconds: millis / 1000,
    ksmdCpuSeconds: cpuNanos === undefined ? undefined : cpuNanos / 1e9,
    before: before.savings,
    after: after.savings,
    availableBytes: after.availableBytes,
    guests: after.guests
      .map(({ pid, name, residentBytes, mergedBytes, freedBytes }) => ({
        ...{ name, residentBytes, mergedBytes, mergedBytesBefore: mergedBefore.get(pid) },
        freedBytes: Math.max(freedBytes - (freedBefore.get(pid) ?? 0), 0),
      }))
      .toSorted((a, b) => (b.mergedBytes ?? -1) - (a.mergedBytes ?? -1) || a.name.localeCompare(b.name)),
  };
}

/** The estimate in sentences. */
export function estimateText(estimate: Estimate): readonly string[] {
  const { before, after, guests } = estimate;
  const parts = (
    [
      ['shared', after.sharedBytes - before.sharedBytes],
      ['zero pages', after.zeroBytes - before.zeroBytes],
      ['freed by splitting huge pages', after.freedBytes - before.freedBytes],
    ] as const
  ).filter(([, bytes]) => bytes !== 0);
  const saved = after.savedBytes - before.savedBytes;
  const kinds =
    parts.length === 0 ? '' : ` (${parts.map(([name, bytes]) => `${formatBytes(bytes)} ${name}`).join(', ')})`;
  const records = formatBytes(Math.max(after.bookkeepingBytes - before.bookkeepingBytes, 0));
  const more = before.savedBytes > 0 ? `, more than the ${formatBytes(before.savedBytes)} from before` : '';
  return [
    `Merging saves ${formatBytes(saved)} here${kinds}${more}; KSM's records take ${records} for it.`,
    costText(estimate, saved),
    endText(estimate),
    headroomText(estimate),
    ...(guests.length === 0 ? ['No guest runs.'] : guests.map(guestText)),
  ];
}

function costText({ seconds, ksmdCpuSeconds }: Estimate, saved: number): string {
  const lasted = formatDuration(seconds * 1000);
  if (ksmdCpuSeconds === undefined) return `It took ${lasted}; ksmd's CPU time cannot be seen here.`;
  const share = Math.round((ksmdCpuSeconds / Math.max(seconds, 0.001)) * 100);
  const rate = ksmdCpuSeconds > 0 && saved > 0 ? `: ${formatBytes(saved / ksmdCpuSeconds)} for each second of it` : '';
  return `ksmd took ${ksmdCpuSeconds.toFixed(1)} s of CPU in ${lasted} (${share} % of a core)${rate}.`;
}

function endText({ end, after, before }: Estimate): string {
  if (end === 'over') return 'The burst is over: further passes would gain nothing.';
  const why = end === 'cut' ? 'its time was up' : 'it was interrupted';
  const least =
    after.savedBytes > before.savedBytes ? ': merging saves at least this much' : ', before pages could merge';
  return `The burst was cut, as ${why}${least}; --for gives it more time.`;
}

function headroomText({ availableBytes, after, before }: Estimate): string {
  const saved = Math.max(after.savedBytes - before.savedBytes, 0);
  const available = `${formatBytes(availableBytes)} are available with the pages merged`;
  if (saved === 0) return `Headroom: ${available}, nothing of it from merging.`;
  const split = 'a guest that writes to a merged page takes a copy of its own';
  return `Headroom: ${available}, ${formatBytes(saved)} of it from merging; ${split}, so leave room for that in memory or swap.`;
}

function guestText({ name, residentBytes, mergedBytes, mergedBytesBefore = 0, freedBytes }: EstimatedGuest): string {
  const freed = freedBytes > 0 ? `, ${formatBytes(freedBytes)} freed by splitting huge pages` : '';
  if (mergedBytes === undefined)
    return `  ${name}: only root can read what is merged of it (Linux 5.19 and newer)${freed}`;
  const before = mergedBytesBefore > 0 ? ` (${formatBytes(mergedBytesBefore)} before)` : '';
  const share = residentBytes === 0 ? '' : `, ${Math.round((mergedBytes / residentBytes) * 100)} % of its memory`;
  return `  ${name}: ${formatBytes(mergedBytes)} merged${before}${share}${freed}`;
}

/** What a person should know before. */
export function warningText(longestMillis: number, keep: boolean, before: Savings, guestCount: number): string {
  const time = formatDuration(longestMillis);
  const shared = before.savedBytes > 0 ? `; ${formatBytes(before.savedBytes)} are merged already` : '';
  const end = keep ? 'They stay shared after it (--keep).' : 'After it they are unmerged again.';
  return (
    `ksmd merges equal pages of ${plural(guestCount, 'guest')} for up to ${time}, within KSM_CPU_MAX${shared}. While pages are shared, a guest ` +
    `can find out by timing its writes whether another has a page that it knows: KSM is a side channel. ${end}`
  );
}
