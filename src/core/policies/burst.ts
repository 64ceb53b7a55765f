import { DEAREST_PAGE_NANOS, type Mark, isWorthIt, progressBetween, worthOf } from './progress.js';

/** A burst: ksmd goes through all memory at the budget until passes bring nothing more. */
export interface Burst {
  readonly name: 'burst';
  readonly why: string;
  /**
   * Of a burst that nobody asked for: the part of the scanned pages that had changed, which was the probe's hint; 0 when
   * the probe merged pages.
   */
  readonly hintShare: number | undefined;
  /** Whether guests still coming up do not stop it: they have been waited for long enough. */
  readonly forced: boolean;
  /** What it can bring at most beyond what smart_scan lets it see, bytes. */
  readonly hopedBytes: number;
  /** Whether it looks at every page, without smart_scan. */
  readonly thorough: boolean;
  readonly begin: Mark;
  /** Where the pass under way began, as far as it was seen; `whole` when it was its beginning. */
  readonly pass: Mark;
  readonly whole: boolean;
  readonly passes: number;
  /** Whole passes on end that were not worth their CPU time. */
  readonly quietPasses: number;
  /**
   * The fewest pages that smart_scan passed over in one of the quiet passes on end: 0 when one of them saw every page. The
   * end of a pass is seen late, so a single pass may be counted with pages of the next.
   */
  readonly skippedPages: number;
}

/**
 * A page merges in the second scan that finds it unchanged, so a pass that brings nothing may still prepare the next: two
 * on end mean that there is nothing. After a hint the page was already seen once.
 */
const QUIET_PASSES = 2;
const QUIET_PASSES_AFTER_HINT = 1;
const BLIND_MILLIS = 10_000;

export function beginBurst(
  now: Mark,
  parts: Pick<Burst, 'why' | 'hintShare' | 'forced' | 'hopedBytes' | 'thorough'>,
): Burst {
  const fresh = { pass: now, whole: false, passes: 0, quietPasses: 0, skippedPages: Number.POSITIVE_INFINITY };
  return { name: 'burst', ...parts, begin: now, ...fresh };
}

/**
 * Judges the passes that ended since the last look.
 *
 * @param disturbed whether guests went: what their pages saved went with them, which says nothing of the pass.
 */
export function judgeBurst(burst: Burst, now: Mark, disturbed: boolean): Burst {
  const sincePass = progressBetween(burst.pass, now);
  if (sincePass === undefined || disturbed) return { ...burst, pass: now, whole: false };
  if (sincePass.passes === 0) return burst;
  const wholePasses = sincePass.passes - (burst.whole ? 0 : 1);
  const isQuiet = !isWorthIt(sincePass);
  const judged = {
    ...burst,
    pass: now,
    whole: true,
    passes: burst.passes + sincePass.passes,
    quietPasses: isQuiet ? burst.quietPasses + wholePasses : 0,
    skippedPages: isQuiet ? Math.min(burst.skippedPages, sincePass.skippedPages) : Number.POSITIVE_INFINITY,
  };
  return isOver(judged) && deservesEveryPage(judged)
    ? { ...judged, thorough: true, quietPasses: 0, skippedPages: Number.POSITIVE_INFINITY }
    : judged;
}

/**
 * smart_scan passes over pages that did not merge for long, up to eight passes of nine, which makes passes cheap. But a page
 * that came may be the same as one of those: where most of what came did not merge, and the rest could be worth it, two
 * passes over every page follow.
 */
function deservesEveryPage({ thorough, skippedPages, hopedBytes, begin, pass }: Burst): boolean {
  if (thorough || skippedPages === 0) return false;
  const gainedBytes = progressBetween(begin, pass)?.gainedBytes ?? 0;
  const leftBytes = hopedBytes - gainedBytes;
  return leftBytes > hopedBytes / 2 && leftBytes >= worthOf(QUIET_PASSES * skippedPages * DEAREST_PAGE_NANOS);
}

export function isOver({ quietPasses, hintShare }: Burst): boolean {
  return quietPasses >= (hintShare === undefined ? QUIET_PASSES : QUIET_PASSES_AFTER_HINT);
}

/** Whether ksmd, which runs, has not seen a page yet. No memory is offered to it then, and no pass ever ends. */
export function isBlind({ begin }: Burst, now: Mark): boolean {
  return now.pagesSeen === 0 && now.monotonicMillis - begin.monotonicMillis >= BLIND_MILLIS;
}
