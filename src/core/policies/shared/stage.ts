import { residentBytesOf } from '../../guest.js';
import { isAtLeast } from '../../kernelVersion.js';
import type { MergeStage } from '../../mergeStage.js';
import type { Sample } from '../../sample.js';
import type { Burst } from './burst.js';
import { type Mark, UNSHARED_PAGE_NANOS, progressBetween } from './progress.js';

/** Since then a page that equals a shared one merges in its second scan and not in its first (d58a361b0350). */
const CHECKSUM_FIRST = { major: 6, minor: 11 };
/** A shorter time says nothing of how fast ksmd is, milliseconds. */
const LEAST_MEASURED_MILLIS = 1000;

/**
 * How far a burst is. In its first pass ksmd notes the checksums of pages that it does not know, so that next to
 * nothing merges; in the second it merges what did not change. Times are estimates, from how fast ksmd goes in this pass.
 *
 * @param budget parts of one core, 0 to 1.
 */
export function stageOfBurst(burst: Burst, now: Mark, sample: Sample, budget: number): MergeStage {
  const name = burst.passes === 0 ? 'first-pass' : 'merging';
  const leftMillis = millisToPassEnd(burst, now, sample);
  if (leftMillis === undefined) return { name };
  if (name === 'merging') return { name, endInMillis: leftMillis };
  const mergingMillis = (pagesOf(now, sample) * UNSHARED_PAGE_NANOS) / 1e6 / budget;
  const mergesAtOnce = sample.kernel !== undefined && !isAtLeast(sample.kernel, CHECKSUM_FIRST) && now.pagesMerged > 0;
  return {
    name,
    ...(mergesAtOnce ? {} : { firstSavingsInMillis: leftMillis }),
    endInMillis: leftMillis + mergingMillis,
  };
}

/**
 * When ksmd will have gone through all memory, at the pace of this pass, milliseconds from now; undefined where unknown, as
 * when it takes longer than that.
 */
export function millisToPassEnd(burst: Burst, now: Mark, sample: Sample): number | undefined {
  const sincePass = progressBetween(burst.pass, now);
  const visited = sincePass?.visitedPages;
  if (visited === undefined || visited === 0 || sincePass === undefined) return undefined;
  if (sincePass.elapsedMillis < LEAST_MEASURED_MILLIS) return undefined;
  const left = pagesOf(now, sample) - visited;
  return left > 0 ? (left * sincePass.elapsedMillis) / visited : undefined;
}

/** In a first pass ksmd does not know them all yet. */
function pagesOf(now: Mark, { guests, pageSizeBytes }: Sample): number {
  return Math.max(now.pagesSeen, Math.trunc(residentBytesOf(guests) / pageSizeBytes));
}
