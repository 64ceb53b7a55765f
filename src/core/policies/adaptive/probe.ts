import {
  DEAREST_PAGE_NANOS,
  type KsmdCounters,
  type Progress,
  isWorthIt,
  progressBetween,
} from '../shared/progress.js';

/** A probe: ksmd goes on a little from where it stopped, to see whether anything has changed. */
export interface Probe {
  readonly name: 'probe';
  readonly begin: KsmdCounters;
}

/** What probes may cost, and what they found. */
export interface Probing {
  /** The time from the beginning of one lap over all memory to the next, milliseconds; doubled by each without gain. */
  readonly gapMillis: number;
  /** Where the lap under way began; a lap is done by as many probes as it takes. */
  readonly lap: KsmdCounters | undefined;
  /** CPU time that probes may use; it grows while ksmd rests. Below 0 after a burst that a probe caused without gain. */
  readonly creditNanos: number;
  /** The part of the pages that must have changed for a hint; it grows by hints without gain. */
  readonly hintShare: number;
  /**
   * Whether pages_volatile tells the pages that changed, and no others: after a lap over every page. smart_scan counts the
   * pages that it skips there too. After a burst with it the first lap therefore only learns: it would take what guests rewrite
   * all the time for changes.
   */
  readonly exact: boolean;
}

/** What nobody asked for costs at most this part of a core on average. */
const SHARE_OF_CORE = 0.008;
const FIRST_GAP_MILLIS = 60_000;
/** The time between the probes of one lap. */
const SLICE_MILLIS = 30_000;
const HINT_SHARE = 0.01;
/** A hint is at least this much memory, bytes. */
const HINT_BYTES = 8 * 1024 ** 2;
/** A burst without gain over a large host must not blind it for the day: in times of KSM_PROBE_MAX, an hour by default ... */
const LONGEST_DEBT = 6;
/** ... and at most so long. */
const LONGEST_DEBT_MILLIS = 6 * 3_600_000;
/** Begun in the middle, a lap is over when the second pass ends. */
const PASSES_OF_A_LAP = 2;

export function firstProbing(probeMaxMillis: number, exact: boolean): Probing {
  return {
    gapMillis: Math.min(FIRST_GAP_MILLIS, probeMaxMillis),
    lap: undefined,
    creditNanos: 0,
    hintShare: HINT_SHARE,
    exact,
  };
}

/** ksmd rested for a while, but for what it still had to do when it was stopped. */
export function earn(
  probing: Probing,
  { elapsedMillis, cpuNanos }: Pick<Progress, 'elapsedMillis' | 'cpuNanos'>,
  probeMaxMillis: number,
): Probing {
  const earned = probing.creditNanos + SHARE_OF_CORE * elapsedMillis * 1e6 - cpuNanos;
  return { ...probing, creditNanos: Math.min(earned, SHARE_OF_CORE * probeMaxMillis * 1e6) };
}

/** When the next probe is due if there is credit for it by then; milliseconds of the monotonic clock. */
export function nextProbeAt({ gapMillis, lap }: Probing, now: KsmdCounters, probeMaxMillis: number): number {
  return now.monotonicMillis + Math.min(lap === undefined ? gapMillis : SLICE_MILLIS, probeMaxMillis);
}

/** When there will be credit for a probe worth starting ksmd for: what a slice earns, milliseconds from now. */
export function creditInMillis({ creditNanos }: Probing, probeMaxMillis: number): number {
  const wantedNanos = SHARE_OF_CORE * Math.min(SLICE_MILLIS, probeMaxMillis) * 1e6 * 0.9;
  return Math.max((wantedNanos - creditNanos) / SHARE_OF_CORE / 1e6, 0);
}

/** The lap is begun, or gone on with. */
export function beginProbe(probing: Probing, now: KsmdCounters): Probing {
  return probing.lap === undefined ? { ...probing, lap: now } : probing;
}

export type ProbeResult =
  | { readonly found: 'more' }
  | { readonly found: 'gain' }
  | { readonly found: 'nothing'; readonly probing: Probing }
  | { readonly found: 'change'; readonly changedPages: number; readonly share: number };

export interface ProbeSettings {
  readonly pageSizeBytes: number;
  /** Whether ksmd looks at every page: smart_scan is off. */
  readonly everyPage: boolean;
  readonly probeMaxMillis: number;
}

/**
 * What a probe has found so far. A page that changed since ksmd saw it last is counted as volatile by its first scan, long
 * before it can merge in its second: a cheaper hint than passes that merge. Pages that change all the time are counted so
 * already, and are no hint.
 */
export function probeResult(
  { begin }: Probe,
  now: KsmdCounters,
  probing: Probing,
  { pageSizeBytes, everyPage, probeMaxMillis }: ProbeSettings,
): ProbeResult {
  const probe = progressBetween(begin, now);
  const lap = probing.lap && progressBetween(probing.lap, now);
  if (probe === undefined || lap === undefined) return { found: 'nothing', probing: { ...probing, lap: undefined } };
  if (isWorthIt(probe)) return { found: 'gain' };

  const lapIsOver = lap.passes >= PASSES_OF_A_LAP || (lap.visitedPages ?? 0) >= now.pagesSeen;
  const changedPages = probing.exact && everyPage ? probe.volatilePages : 0;
  const share = changedPages / Math.max(probe.visitedPages ?? probe.cpuNanos / DEAREST_PAGE_NANOS, 1);
  if (changedPages * pageSizeBytes >= HINT_BYTES && share >= probing.hintShare) {
    return { found: 'change', changedPages, share };
  }
  const creditNanos = probing.creditNanos - probe.cpuNanos;
  if (lapIsOver) {
    const gapMillis = Math.min(probing.gapMillis * 2, probeMaxMillis);
    return { found: 'nothing', probing: { ...probing, creditNanos, lap: undefined, gapMillis, exact: everyPage } };
  }
  return creditNanos <= 0 ? { found: 'nothing', probing: { ...probing, creditNanos } } : { found: 'more' };
}

/** After a burst that was worth it, or that somebody asked for. */
export function afterBurst({ creditNanos, hintShare }: Probing, exact: boolean, probeMaxMillis: number): Probing {
  return {
    ...firstProbing(probeMaxMillis, exact),
    creditNanos: Math.min(creditNanos, 0),
    hintShare: Math.max(hintShare / 2, HINT_SHARE),
  };
}

/** The longest time for which something without gain puts off the next attempt. */
export function longestDebtMillis(probeMaxMillis: number): number {
  return Math.min(LONGEST_DEBT * probeMaxMillis, LONGEST_DEBT_MILLIS);
}

/** After a hint that led to nothing: it is paid for as far as it can be, and the next must be twice as strong. */
export function afterVainHint(probing: Probing, spentNanos: number, share: number, probeMaxMillis: number): Probing {
  return {
    gapMillis: Math.min(probing.gapMillis * 2, probeMaxMillis),
    lap: undefined,
    creditNanos: Math.max(probing.creditNanos - spentNanos, -SHARE_OF_CORE * longestDebtMillis(probeMaxMillis) * 1e6),
    hintShare: Math.max(probing.hintShare, 2 * share),
    exact: true,
  };
}
