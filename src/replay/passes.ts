import type { HistorySample } from '../core/history/record.js';
import { PAGE_BYTES } from '../simulation/host.js';
import type { Segment } from './segments.js';

/** ksmd notes a page in one pass and merges it in the next. */
const PASSES_TO_MERGE = 2;

/** How far ksmd had come by a sample. */
export interface PassedSample {
  readonly sample: HistorySample;
  /** Passes over all guests' memory since guests came or went; undefined where the kernel does not count pages, or without guests. */
  readonly passes: number | undefined;
  /** The time since the sample before, where two passes were over by then; otherwise 0. */
  readonly settledMillis: number;
}

export function passesOf({ samples, guestEvents }: Segment): readonly PassedSample[] {
  const moves = guestEvents.filter(({ change }) => change !== 'resized').map(({ atMillis }) => atMillis);
  let [before] = samples;
  let scannedThen = before.pagesScanned;
  let moved = 0;
  return samples.map((sample) => {
    // A guest that replaces another leaves their number as it was.
    const movedBefore = moved;
    while ((moves[moved] ?? Infinity) <= sample.atMillis) moved += 1;
    if (moved > movedBefore || sample.guestCount !== before.guestCount) scannedThen = sample.pagesScanned;
    const passes = passesSince(scannedThen, sample);
    const settledMillis = (passes ?? 0) >= PASSES_TO_MERGE ? sample.atMillis - before.atMillis : 0;
    before = sample;
    return { sample, passes, settledMillis };
  });
}

function passesSince(scannedThen: number | undefined, { pagesScanned, committedBytes }: HistorySample) {
  if (scannedThen === undefined || pagesScanned === undefined || committedBytes === 0) return undefined;
  return ((pagesScanned - scannedThen) * PAGE_BYTES) / committedBytes;
}

/**
 * Why a record does not show how much of the guests' memory is alike, in a sentence; undefined where it does. Without the
 * kernel's count of scanned pages, what was saved is all that tells of it.
 */
export function likenessUnknown(segments: readonly Segment[]): string | undefined {
  const passed = segments.flatMap(passesOf);
  const counted = passed.map(({ passes }) => passes).filter((passes) => passes !== undefined);
  if (counted.length > 0) {
    const most = counted.reduce((a, b) => Math.max(a, b));
    if (most >= PASSES_TO_MERGE) return undefined;
    const made = most < 0.05 ? 'made none' : `got no further than ${(Math.floor(most * 10) / 10).toFixed(1)}`;
    return `a page needs ${PASSES_TO_MERGE} passes of ksmd, and between one start or stop of a guest and the next ksmd ${made}`;
  }
  const nothing = passed.every(({ sample }) => sample.committedBytes > 0 && sample.savedBytes === 0);
  return nothing ? 'the kernel did not report the pages that ksmd scanned, and nothing was saved' : undefined;
}
