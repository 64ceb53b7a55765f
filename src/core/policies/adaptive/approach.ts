import { residentBytesOf } from '../../guest.js';
import type { Sample } from '../../sample.js';
import { MERGED_PAGE_NANOS, type Mark, progressBetween } from '../shared/progress.js';

/**
 * While guests fill their memory, ksmd goes on over the memory that it knows, up to where theirs begins: a guest that comes
 * is the last of ksmd's lap, so that this lap is done when the guest has settled.
 */
export interface Approach {
  readonly begin: Mark;
  /** `slow`: theirs may be the next, so that ksmd must not be fast; `there`: ksmd waits before it; `busy`: for the CPUs. */
  readonly at: 'known' | 'slow' | 'there' | 'busy';
}

/** From this part of the lap on ksmd goes slowly: the lap began at an unknown place, and pages come and go. */
const SLOW_FROM_SHARE = 0.9;
/** Where this part of the known pages has been visited, a lap is over. */
const LAP_SHARE = 1.05;
/** More pages that were not known, than other guests bring meanwhile, are those of the guests that came. */
const FRESH_PAGES = 1024;
const LEAST_LOOK_MILLIS = 100;
const LONGEST_LOOK_MILLIS = 250;

/** Guests that come and go all the time are not gone to for more than this part of a core. */
const SHARE_OF_CORE = 0.05;

interface Surroundings {
  readonly sample: Sample;
  readonly mark: Mark;
  /** Guests that are filling their memory. */
  readonly growing: readonly string[];
  readonly budget: number;
  readonly isBusy: boolean;
  /** When ksmd last set out. */
  readonly lastMillis: number | undefined;
  /** What guests must bring for a burst. */
  readonly worthBytes: number;
}

/** It pays where a lap over known memory comes first and where what comes can be large enough for a burst. */
export function approachFor(before: Approach | undefined, surroundings: Surroundings): Approach | undefined {
  const { sample, mark, growing, budget, isBusy, lastMillis = Number.NEGATIVE_INFINITY, worthBytes } = surroundings;
  if (before !== undefined) return nextApproach(before, mark, isBusy);
  const lap = lapMillis(mark, sample, budget);
  if (lap === undefined || mark.pagesMerged === 0 || mark.pagesVisited === undefined || isBusy) return undefined;
  if (mark.monotonicMillis - lastMillis < (lap * budget) / SHARE_OF_CORE) return undefined;
  const coming = sample.guests.filter(({ name }) => growing.includes(name));
  const promisedBytes = coming.reduce((sum, { configuredBytes }) => sum + configuredBytes, 0);
  return promisedBytes >= worthBytes ? nextApproach(undefined, mark, false) : undefined;
}

/**
 * How long a lap takes over what ksmd knows, at what a page costs that is merged or that smart_scan skips; undefined where
 * most of the guests' memory is not known yet.
 */
export function lapMillis({ pagesSeen, pageSizeBytes }: Mark, { guests }: Sample, budget: number): number | undefined {
  const unknownPages = residentBytesOf(guests) / pageSizeBytes - pagesSeen;
  return pagesSeen > unknownPages ? (pagesSeen * MERGED_PAGE_NANOS) / 1e6 / budget : undefined;
}

export function nextApproach(before: Approach | undefined, now: Mark, isBusy: boolean): Approach {
  const begin = before?.begin ?? now;
  const { visitedPages: visited = 0 } = progressBetween(begin, now) ?? {};
  const isThere =
    before?.at === 'there' || now.pagesSeen - begin.pagesSeen >= FRESH_PAGES || visited >= LAP_SHARE * begin.pagesSeen;
  if (isThere || isBusy) return { begin, at: isThere ? 'there' : 'busy' };
  return { begin, at: visited >= SLOW_FROM_SHARE * begin.pagesSeen ? 'slow' : 'known' };
}

/** Whether ksmd runs for it. */
export function isOnTheWay(approach: Approach | undefined): approach is Approach {
  return approach?.at === 'known' || approach?.at === 'slow';
}

/** The next look is where ksmd must become slow, or soon where guests may have settled. */
export function lookAtApproach({ begin, at }: Approach, now: Mark): number {
  const progress = progressBetween(begin, now);
  if (at !== 'known' || progress?.visitedPages === undefined || progress.visitedPages === 0) return LEAST_LOOK_MILLIS;
  const left = SLOW_FROM_SHARE * begin.pagesSeen - progress.visitedPages;
  const leftMillis = (left * progress.elapsedMillis) / progress.visitedPages;
  return Math.round(Math.min(Math.max(leftMillis, LEAST_LOOK_MILLIS), LONGEST_LOOK_MILLIS));
}
