import { mergesAtFirstScan } from '../../kernelVersion.js';
import { pagesSeen } from '../../ksm.js';
import { type Sample, savingsOfSample } from '../../sample.js';

/** ksmd's counters at one moment. */
export interface KsmdCounters {
  readonly monotonicMillis: number;
  readonly fullScans: number;
  readonly profitBytes: number;
  readonly savedBytes: number;
  readonly bookkeepingBytes: number;
  /** What the kernel still counts of guests that have gone, which is an estimate and in none of these. */
  readonly beingFreedBytes: number;
  /** Pages that were not as ksmd had seen them before, or that it sees for the first time. */
  readonly pagesVolatile: number;
  readonly pagesSeen: number;
  /** Of them, those that are merged, and those that are in the unstable tree. */
  readonly pagesMerged: number;
  readonly pagesUnshared: number;
  /** Whether a page that ksmd does not know can merge in its first scan: pages are shared, and the kernel is older than 6.11. */
  readonly mergesAtFirstScan: boolean;
  /** Pages that KSM mapped to the zero page (ksm_zero_pages). */
  readonly zeroPages: number;
  readonly pageSizeBytes: number;
  /** Scanned (pages_scanned, Linux 6.6), or skipped by smart_scan (pages_skipped, 6.7); undefined before Linux 6.6. */
  readonly pagesVisited: number | undefined;
  readonly pagesSkipped: number;
  readonly cpuNanos: number | undefined;
  readonly waitNanos: number;
}

export function ksmdCountersOf(sample: Sample): KsmdCounters {
  const { ksm, monotonicMillis, ksmdCpuNanos, ksmdWaitNanos = 0 } = sample;
  const { profitBytes, savedBytes, bookkeepingBytes, beingFreedBytes } = savingsOfSample(sample);
  return {
    monotonicMillis,
    fullScans: ksm.fullScans ?? 0,
    profitBytes,
    savedBytes,
    bookkeepingBytes,
    beingFreedBytes,
    pagesVolatile: ksm.pagesVolatile ?? 0,
    pagesSeen: pagesSeen(ksm),
    pagesMerged: ksm.pagesShared + ksm.pagesSharing,
    pagesUnshared: ksm.pagesUnshared ?? 0,
    mergesAtFirstScan: ksm.pagesShared > 0 && mergesAtFirstScan(sample.kernel),
    zeroPages: ksm.ksmZeroPages ?? 0,
    pageSizeBytes: sample.pageSizeBytes,
    pagesVisited: ksm.pagesScanned === undefined ? undefined : ksm.pagesScanned + (ksm.pagesSkipped ?? 0),
    pagesSkipped: ksm.pagesSkipped ?? 0,
    cpuNanos: ksmdCpuNanos,
    waitNanos: ksmdWaitNanos,
  };
}

/** What ksmd did and brought between two marks. */
export interface Progress {
  readonly elapsedMillis: number;
  /** Ends of passes over all memory. */
  readonly passes: number;
  readonly cpuNanos: number;
  /** Time that ksmd waited for a CPU which others had. */
  readonly waitNanos: number;
  /** More profit, as far as it comes of more merged pages and not of bookkeeping for memory that has gone. */
  readonly gainedBytes: number;
  readonly volatilePages: number;
  /** Pages that KSM mapped to the zero page. */
  readonly zeroedPages: number;
  /** Scanned, or skipped by smart_scan; undefined before Linux 6.6. */
  readonly visitedPages: number | undefined;
  readonly skippedPages: number;
}

/**
 * The most of ksmd's time that a page is taken to need before it is measured, nanoseconds: 7 µs for a merge and 5 to 8 µs for
 * a page that stays in the unstable tree, the more the larger the tree (Linux 6.18, guests of 1 to 4 GiB).
 */
export const DEAREST_PAGE_NANOS = 10_000;

/** From earlier counters to later ones; undefined when a counter that only grows went backwards, as after a boot. */
export function progressBetween(from: KsmdCounters, to: KsmdCounters): Progress | undefined {
  const elapsedMillis = to.monotonicMillis - from.monotonicMillis;
  const passes = to.fullScans - from.fullScans;
  const visitedPages = difference(from.pagesVisited, to.pagesVisited);
  const seenNanos = difference(from.cpuNanos, to.cpuNanos);
  if (elapsedMillis < 0 || passes < 0 || (visitedPages ?? 0) < 0 || (seenNanos ?? 0) < 0) return undefined;
  return {
    elapsedMillis,
    passes,
    visitedPages,
    skippedPages: to.pagesSkipped - from.pagesSkipped,
    cpuNanos: seenNanos ?? (visitedPages ?? 0) * DEAREST_PAGE_NANOS,
    waitNanos: Math.max(to.waitNanos - from.waitNanos, 0),
    // By what the kernel counts: an estimate that comes and goes is no gain.
    gainedBytes:
      Math.min(to.profitBytes - from.profitBytes, to.savedBytes - from.savedBytes) +
      (to.beingFreedBytes - from.beingFreedBytes),
    volatilePages: to.pagesVolatile - from.pagesVolatile,
    zeroedPages: Math.max(to.zeroPages - from.zeroPages, 0),
  };
}

/** What a pass over all pages costs, nanoseconds of CPU time, by what a page has cost since boot. */
export function passNanosOf({ cpuNanos, pagesVisited = 0, pagesSkipped, pagesSeen }: KsmdCounters): number {
  const scannedPages = pagesVisited - pagesSkipped;
  if (cpuNanos === undefined || scannedPages <= 0) return pagesSeen * DEAREST_PAGE_NANOS;
  return pagesSeen * Math.min(cpuNanos / scannedPages, DEAREST_PAGE_NANOS);
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

/** ksmd's time for a page that is merged already, and for one that stays in the unstable tree, nanoseconds (as DEAREST_PAGE_NANOS). */
const MERGED_PAGE_NANOS = 400;
export const UNSHARED_PAGE_NANOS = 6000;

/**
 * The pages that another pass could merge at most, after a whole one that ended at `now`.
 *
 * A pass puts each page that it visits and that did not change into a tree, so that two equal ones have met. The next can
 * merge only what is not in a tree: `pages_volatile`, which are the pages that had changed, or were seen for the first time
 * (cmp_and_merge_page() of mm/ksm.c). Pages that smart_scan skipped are counted there too, as they leave the tree; and so
 * are pages that have just been mapped to the zero page, whose records go in the next pass. What stays volatile for other
 * reasons, as locked pages do, makes the number larger than it need be.
 */
export function changedPages({ skippedPages, zeroedPages }: Progress, now: KsmdCounters): number {
  return Math.max(now.pagesVolatile - skippedPages - zeroedPages, 0);
}

/** The unstable tree takes in at least this part of what is not shared, unless zero pages block it. */
const LEAST_UNSHARED_SHARE = 0.01;

/** The pages that had changed by the end of a pass, and how long it took: what changes all the time is more in a longer one. */
export interface ChangedInPass {
  readonly pages: number;
  readonly elapsedMillis: number;
}

/**
 * Of what changes all the time, this much more in one pass than in the last is nothing new. A simulated host of 0.5 TiB, where a
 * quarter of the guests rewrites its memory, has 15 % more in the third pass than in the second.
 */
const CHURN_TOLERANCE = 0.25;

/**
 * What another pass is expected to merge at most, bytes; undefined where the pass visited no page.
 *
 * Of the pages that had changed by the end of the pass before, this pass has shown what they bring, so that memory which
 * guests rewrite all the time is not waited for; of those that came to them nothing is known. A pass in which next to no
 * page entered the unstable tree shows nothing (see zeroPages.ts).
 *
 * @param before the pass before; undefined where that is not known.
 */
export function mostOfNextPass(
  pass: Progress,
  now: KsmdCounters,
  before: ChangedInPass | undefined,
): number | undefined {
  if (pass.visitedPages === 0) return undefined;
  const changed = changedPages(pass, now);
  const isBlocked = now.pagesUnshared < LEAST_UNSHARED_SHARE * (now.pagesUnshared + changed);
  if (before === undefined || before.pages === 0 || isBlocked) return changed * now.pageSizeBytes;
  const mergedShare = Math.min(Math.max(pass.gainedBytes / now.pageSizeBytes / before.pages, 0), 1);
  const longer = Math.max(pass.elapsedMillis / Math.max(before.elapsedMillis, 1), 1);
  const fresh = Math.max(changed - before.pages * longer * (1 + CHURN_TOLERANCE), 0);
  return (fresh + (changed - fresh) * mergedShare) * now.pageSizeBytes;
}

/** What the next pass costs, as far as this one and the pages that ksmd knows now tell, nanoseconds of CPU time. */
export function nextPassNanos(pass: Progress, { pagesMerged, pagesSeen }: KsmdCounters): number {
  const scannedNanos = pagesMerged * MERGED_PAGE_NANOS + (pagesSeen - pagesMerged) * UNSHARED_PAGE_NANOS;
  return Math.min(pass.cpuNanos / Math.max(pass.passes, 1), scannedNanos);
}
