import {
  type ChangedInPass,
  DEAREST_PAGE_NANOS,
  type KsmdCounters,
  type Progress,
  changedPages,
  isWorthIt,
  mostOfNextPass,
  nextPassNanos,
  passNanosOf,
  progressBetween,
  worthOf,
} from './progress.js';

/** A burst: ksmd goes through all memory at the budget until passes bring nothing more. */
export interface Burst {
  readonly name: 'burst';
  readonly why: string;
  /**
   * Of a burst that nobody asked for: the part of the scanned pages that had changed, which was the probe's hint; 0 when
   * the probe merged pages.
   */
  readonly hintShare: number | undefined;
  /**
   * Memory that came and that no pass over every page has gone through twice yet, bytes: it may be the same as pages that
   * smart_scan skips.
   */
  readonly hopedBytes: number;
  /** Whether it scans every page, without smart_scan. */
  readonly thorough: boolean;
  readonly begin: KsmdCounters;
  /** When guests joined it last; its beginning where none did. */
  readonly joined: KsmdCounters;
  /** Where the pass under way began, as far as it was seen; `whole` when it was its beginning. */
  readonly pass: KsmdCounters;
  readonly whole: boolean;
  /** Whether guests have gone in it. */
  readonly disturbed: boolean;
  readonly passes: number;
  /** Whole passes on end that were not worth their CPU time; one in which guests went counts for half. */
  readonly quietPasses: number;
  /**
   * The fewest pages that smart_scan passed over in one of the quiet passes on end: 0 when one of them saw every page. The
   * end of a pass is seen late, so a single pass may be counted with pages of the next.
   */
  readonly skippedPages: number;
  /** The most of them. */
  readonly mostSkippedPages: number;
  /** Of the last whole pass; undefined before there was one. */
  readonly changed: ChangedInPass | undefined;
  /** Whether the last whole pass has shown that another cannot be worth its CPU time. */
  readonly exhausted: boolean;
}

/**
 * A page merges in the second scan that finds it unchanged, so a pass that brings nothing may still prepare the next: two
 * on end mean that there is nothing. After a hint the page was already seen once.
 */
const QUIET_PASSES = 2;
const QUIET_PASSES_AFTER_HINT = 1;
/** What guests that go had saved goes with them, and hides what the pass brought. */
const DISTURBED_PASS = 0.5;
const BLIND_MILLIS = 10_000;
const NOT_QUIET = {
  quietPasses: 0,
  skippedPages: Number.POSITIVE_INFINITY,
  mostSkippedPages: 0,
  exhausted: false,
} as const;
/** A pass that skipped no more than this part of the pages saw every page. */
const FEW_SKIPPED_SHARE = 0.02;
/** Memory that came was there before the pass, where no more than this part of it was seen for the first time in it. */
const FEW_FRESH_SHARE = 0.1;
/** A pass that visited less than this part of the pages was none: full_scans races when there is next to nothing to scan. */
const LEAST_VISITED_SHARE = 0.001;

export function beginBurst(
  now: KsmdCounters,
  parts: Pick<Burst, 'why' | 'hintShare' | 'hopedBytes' | 'thorough'>,
): Burst {
  const fresh = { pass: now, whole: false, disturbed: false, passes: 0, changed: undefined, ...NOT_QUIET };
  return { name: 'burst', ...parts, begin: now, joined: now, ...fresh };
}

/** More guests started: the burst goes on until passes bring nothing more of them either. */
export function extendBurst(burst: Burst, now: KsmdCounters, hopedBytes: number): Burst {
  return { ...burst, hintShare: undefined, joined: now, hopedBytes: burst.hopedBytes + hopedBytes, ...NOT_QUIET };
}

/**
 * Judges the passes that ended since the last retune.
 *
 * @param departed whether guests have gone since then.
 */
export function judgeBurst(burst: Burst, now: KsmdCounters, departed: boolean): Burst {
  const sincePass = progressBetween(burst.pass, now);
  if (sincePass === undefined) return { ...burst, pass: now, whole: false };
  const disturbed = burst.disturbed || departed;
  if (sincePass.passes === 0) return { ...burst, disturbed };
  if (isEmpty(sincePass, now)) return { ...burst, disturbed, pass: now, whole: true };
  const wholePasses = sincePass.passes - (burst.whole ? 0 : 1);
  const isQuiet = !isWorthIt(sincePass);
  const judged = {
    ...burst,
    pass: now,
    whole: true,
    disturbed: false,
    passes: burst.passes + sincePass.passes,
    quietPasses: isQuiet ? burst.quietPasses + wholePasses * (disturbed ? DISTURBED_PASS : 1) : 0,
    ...afterWholePass(burst, sincePass, now, disturbed),
    skippedPages: isQuiet ? Math.min(burst.skippedPages, sincePass.skippedPages) : Number.POSITIVE_INFINITY,
    mostSkippedPages: isQuiet ? Math.max(burst.mostSkippedPages, sincePass.skippedPages) : 0,
  };
  return isOver(judged) && deservesEveryPage(judged) ? { ...judged, thorough: true, ...NOT_QUIET } : judged;
}

/** What the end of a pass says of another; nothing when it was not seen from its beginning. */
function afterWholePass(
  burst: Burst,
  pass: Progress,
  now: KsmdCounters,
  disturbed: boolean,
): Pick<Burst, 'hopedBytes' | 'changed' | 'exhausted'> {
  const { hopedBytes } = burst;
  if (!burst.whole) return { hopedBytes, changed: undefined, exhausted: false };
  const changed = { pages: changedPages(pass, now), elapsedMillis: pass.elapsedMillis / pass.passes };
  const freshBytes = (now.pagesSeen - burst.pass.pagesSeen) * now.pageSizeBytes;
  const sawAll = pass.skippedPages <= FEW_SKIPPED_SHARE * now.pagesSeen;
  const haveMet = sawAll && freshBytes <= FEW_FRESH_SHARE * hopedBytes;
  // What guests that went had saved hides what the pass brought.
  const mostBytes = mostOfNextPass(pass, now, disturbed ? undefined : burst.changed);
  const isKnown = mostBytes !== undefined && (sawAll || hopedBytes === 0);
  return {
    hopedBytes: haveMet ? 0 : hopedBytes,
    changed,
    exhausted: isKnown && mostBytes < worthOf(nextPassNanos(pass, now)),
  };
}

/**
 * smart_scan passes over pages that did not merge for long, up to eight passes of nine, which makes passes cheap. But a page
 * that came may be the same as one of those: where most of what came did not merge, and the rest could be worth it, two
 * passes over every page follow. A pass that happened to skip none has brought the two together only if what came was there
 * before it (`hopedBytes`): a page that is seen for the first time is compared with no other.
 */
function deservesEveryPage({ thorough, mostSkippedPages, hopedBytes, begin, pass }: Burst): boolean {
  if (thorough || mostSkippedPages === 0) return false;
  const gainedBytes = progressBetween(begin, pass)?.gainedBytes ?? 0;
  const leftBytes = hopedBytes - gainedBytes;
  return leftBytes > hopedBytes / 2 && leftBytes >= worthOf(QUIET_PASSES * mostSkippedPages * DEAREST_PAGE_NANOS);
}

/** In how many passes memory that came has merged, where it equals shared pages; see mergesAtFirstScan(). */
export function passesToMerge({ mergesAtFirstScan }: Pick<KsmdCounters, 'mergesAtFirstScan'>): number {
  return mergesAtFirstScan ? 1 : 2;
}

/** What going through memory for guests costs, nanoseconds of CPU time. */
export function mergingNanosOf(now: KsmdCounters): number {
  return passesToMerge(now) * passNanosOf(now);
}

export function isOver({ quietPasses, hintShare, exhausted }: Burst): boolean {
  return exhausted || quietPasses >= (hintShare === undefined ? QUIET_PASSES : QUIET_PASSES_AFTER_HINT);
}

/**
 * Whether what looks like passes visited hardly a page each. Where the kernel does not count visits, ksmd's CPU time tells: so
 * few pages cannot take more than they do at the dearest, and a pass over all takes 40 times as long at the cheapest.
 */
function isEmpty({ passes, visitedPages, cpuNanos }: Progress, now: KsmdCounters): boolean {
  const leastPages = LEAST_VISITED_SHARE * now.pagesSeen * passes;
  if (visitedPages !== undefined) return visitedPages <= leastPages;
  return now.cpuNanos !== undefined && cpuNanos <= leastPages * DEAREST_PAGE_NANOS;
}

/** Whether ksmd, which runs, has not seen a page yet. No memory is offered to it then, and no pass ever ends. */
export function isBlind({ begin }: Burst, now: KsmdCounters): boolean {
  return now.pagesSeen === 0 && now.monotonicMillis - begin.monotonicMillis >= BLIND_MILLIS;
}
