import { residentBytesOf } from '../../guest.js';
import type { MergeStage } from '../../mergeStage.js';
import type { Sample } from '../../sample.js';
import type { Burst } from './burst.js';
import { type KsmdCounters, UNSHARED_PAGE_NANOS, progressBetween } from './progress.js';

/** A shorter time says nothing of how fast ksmd is, milliseconds. */
const LEAST_MEASURED_MILLIS = 1000;

/**
 * How far a burst is. In its first pass ksmd notes the checksums of pages that it does not know, so that next to
 * nothing merges; in the second it merges what did not change. Times are estimates, from how fast ksmd goes in this pass.
 *
 * @param budget parts of one core, 0 to 1.
 */
export function stageOfBurst(burst: Burst, now: KsmdCounters, sample: Sample, budget: number): MergeStage {
  const name = burst.passes === 0 ? 'first-pass' : 'merging';
  const pace = paceOfPass(burst, now, sample);
  if (pace === undefined) return { name };
  const leftMillis = pace.leftPages * pace.pageMillis;
  if (name === 'merging') return { name, endInMillis: leftMillis };
  const mergingMillis = (count: number) => (count * UNSHARED_PAGE_NANOS) / 1e6 / budget;
  const pages = pagesOf(now, sample);
  const newPages = burst.hopedBytes / now.pageSizeBytes;
  const isLate = now.pagesMerged > 0 && newPages > 0 && newPages <= pages / 2;
  if (!isLate) {
    const first = now.mergesAtFirstScan ? {} : { firstSavingsInMillis: leftMillis };
    return { name, ...first, endInMillis: leftMillis + mergingMillis(pages) };
  }
  // Guests that came are the last of the pass. Where their pages need a second scan, a whole lap lies between.
  const untilNewPages = pace.leftPages - newPages + (now.mergesAtFirstScan ? 0 : pages);
  const firstMillis = Math.max(untilNewPages * pace.pageMillis, 0);
  const first = firstMillis > 0 ? { firstSavingsInMillis: firstMillis } : {};
  return { name, ...first, endInMillis: firstMillis + mergingMillis(newPages) };
}

/** @param endInMillis how long it waits at most, milliseconds; undefined where nobody knows. */
export function stageOfWaiting(endInMillis: number | undefined): MergeStage {
  return { name: 'waiting', ...(endInMillis === undefined ? {} : { endInMillis }) };
}

/**
 * When ksmd will have gone through all memory, at the pace of this pass, milliseconds from now; undefined where unknown, as
 * when it takes longer than that.
 */
export function millisToPassEnd(burst: Burst, now: KsmdCounters, sample: Sample): number | undefined {
  const pace = paceOfPass(burst, now, sample);
  return pace && pace.leftPages * pace.pageMillis;
}

interface PassPace {
  readonly leftPages: number;
  readonly pageMillis: number;
}

function paceOfPass(burst: Burst, now: KsmdCounters, sample: Sample): PassPace | undefined {
  const sincePass = progressBetween(burst.pass, now);
  const visited = sincePass?.visitedPages;
  if (visited === undefined || visited === 0 || sincePass === undefined) return undefined;
  if (sincePass.elapsedMillis < LEAST_MEASURED_MILLIS) return undefined;
  const leftPages = pagesOf(now, sample) - visited;
  return leftPages > 0 ? { leftPages, pageMillis: sincePass.elapsedMillis / visited } : undefined;
}

/** In a first pass ksmd does not know them all yet. */
function pagesOf(now: KsmdCounters, { guests, pageSizeBytes }: Sample): number {
  return Math.max(now.pagesSeen, Math.trunc(residentBytesOf(guests) / pageSizeBytes));
}
