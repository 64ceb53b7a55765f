import { bookkeepingBytes, pagesSeen, profitBytes } from '../ksm.js';
import type { Sample } from '../sample.js';

/** ksmd's counters at one moment. */
export interface Mark {
  readonly monotonicMillis: number;
  readonly fullScans: number;
  readonly profitBytes: number;
  readonly bookkeepingBytes: number;
  /** Pages that were not as ksmd had seen them before, or that it sees for the first time. */
  readonly pagesVolatile: number;
  readonly pagesSeen: number;
  readonly pagesUnmerged: number;
  /** Scanned, or skipped by smart_scan. */
  readonly pagesVisited: number | undefined;
  readonly cpuNanos: number | undefined;
}

export function markOf({ ksm, pageSizeBytes, monotonicMillis, ksmdCpuNanos }: Sample): Mark {
  return {
    monotonicMillis,
    fullScans: ksm.fullScans ?? 0,
    profitBytes: profitBytes(ksm, pageSizeBytes),
    bookkeepingBytes: bookkeepingBytes(ksm),
    pagesVolatile: ksm.pagesVolatile ?? 0,
    pagesSeen: pagesSeen(ksm),
    pagesUnmerged: (ksm.pagesUnshared ?? 0) + (ksm.pagesVolatile ?? 0),
    pagesVisited: ksm.pagesScanned === undefined ? undefined : ksm.pagesScanned + (ksm.pagesSkipped ?? 0),
    cpuNanos: ksmdCpuNanos,
  };
}

/** What ksmd did and brought between two marks. */
export interface Progress {
  readonly elapsedMillis: number;
  /** Ends of passes over all memory. */
  readonly passes: number;
  readonly cpuNanos: number;
  readonly gainedBytes: number;
  readonly volatilePages: number;
  /** Scanned, or skipped by smart_scan; undefined before Linux 6.7. */
  readonly visitedPages: number | undefined;
}

/** ksmd's time for a page where its CPU time cannot be seen, nanoseconds: that of a merge, the dearest thing it does. */
export const DEAREST_PAGE_NANOS = 7000;

/**
 * From one mark to a later one; undefined when a counter that only grows went backwards (the counters began anew), so that
 * nothing can be said of the time between.
 */
export function progressBetween(from: Mark, to: Mark): Progress | undefined {
  const elapsedMillis = to.monotonicMillis - from.monotonicMillis;
  const passes = to.fullScans - from.fullScans;
  const visitedPages = difference(from.pagesVisited, to.pagesVisited);
  const seenNanos = difference(from.cpuNanos, to.cpuNanos);
  if (elapsedMillis < 0 || passes < 0 || (visitedPages ?? 0) < 0 || (seenNanos ?? 0) < 0) return undefined;
  return {
    elapsedMillis,
    passes,
    visitedPages,
    cpuNanos: seenNanos ?? (visitedPages ?? 0) * DEAREST_PAGE_NANOS,
    gainedBytes: to.profitBytes - from.profitBytes,
    volatilePages: to.pagesVolatile - from.pagesVolatile,
  };
}

function difference(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : to - from;
}

/**
 * The least gain that is worth ksmd's time, bytes of profit for a CPU second. Merging alike pages brings some 450 MiB a CPU
 * second where it was measured (guests of 1 GiB in common, mm/ksm.c of Linux 6.18); what brings less than a hundredth of
 * that is not worth going on for.
 */
const WORTH_BYTES_PER_CPU_SECOND = 4 * 1024 ** 2;
/** Whatever it cost, less than this is not worth looking again, bytes. */
const WORTH_BYTES = 1024 ** 2;

export function isWorthIt({ gainedBytes, cpuNanos }: Pick<Progress, 'gainedBytes' | 'cpuNanos'>): boolean {
  return gainedBytes >= worthOf(cpuNanos);
}

/** What `cpuNanos` of ksmd's time must bring, bytes. */
export function worthOf(cpuNanos: number): number {
  return Math.max(WORTH_BYTES, (WORTH_BYTES_PER_CPU_SECOND * cpuNanos) / 1e9);
}
