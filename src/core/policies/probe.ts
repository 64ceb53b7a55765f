import { type Mark, isWorthIt, progressBetween } from './progress.js';

/** A probe: ksmd goes on a little from where it stopped, to see whether anything has changed. */
export interface Probe {
  readonly name: 'probe';
  readonly begin: Mark;
}

/** What probes may cost and what they found. */
export interface Probing {
  /** The time from one probe to the next, milliseconds; doubled by each that finds nothing. */
  readonly gapMillis: number;
  /** CPU time that probes may use; it grows while ksmd rests. Below 0 after a burst that a probe caused in vain. */
  readonly creditNanos: number;
  /** The part of the scanned pages that must have changed for a hint; it grows by hints in vain. */
  readonly hintShare: number;
}

/** What nobody asked for costs at most this part of a core on average. */
const SHARE_OF_CORE = 0.008;
const FIRST_GAP_MILLIS = 60_000;
/** With less, starting and stopping ksmd would be most of it. */
const LEAST_CREDIT_NANOS = 50e6;
const HINT_SHARE = 0.01;
/** A hint is at least this much memory, bytes. */
const HINT_BYTES = 8 * 1024 ** 2;
/** Going on from the middle, all memory has been seen when the second pass ends. */
const PASSES_FOR_ALL = 2;

export function firstProbing(probeMaxMillis: number): Probing {
  return { gapMillis: Math.min(FIRST_GAP_MILLIS, probeMaxMillis), creditNanos: 0, hintShare: HINT_SHARE };
}

/** ksmd rested for a while. */
export function earn(probing: Probing, elapsedMillis: number, probeMaxMillis: number): Probing {
  const earned = probing.creditNanos + SHARE_OF_CORE * elapsedMillis * 1e6;
  return { ...probing, creditNanos: Math.min(earned, SHARE_OF_CORE * probeMaxMillis * 1e6) };
}

export function mayProbe({ creditNanos }: Probing): boolean {
  return creditNanos >= LEAST_CREDIT_NANOS;
}

export type ProbeResult = 'more' | 'nothing' | { readonly changedPages: number; readonly share: number } | 'gain';

/**
 * What a probe has found so far. Pages that changed since ksmd saw them last are counted as volatile in their first scan,
 * long before they can merge in their second: a cheaper hint than a whole pass. Pages that change all the time are counted
 * so already, and are no hint.
 */
export function probeResult(
  { begin }: Probe,
  now: Mark,
  { creditNanos, hintShare }: Probing,
  pageSizeBytes: number,
): ProbeResult {
  const progress = progressBetween(begin, now);
  if (progress === undefined) return 'nothing';
  if (isWorthIt(progress)) return 'gain';
  const { volatilePages, scannedPages = now.pagesSeen, passes } = progress;
  const share = volatilePages / Math.max(scannedPages, 1);
  if (volatilePages * pageSizeBytes >= HINT_BYTES && share >= hintShare) return { changedPages: volatilePages, share };
  const sawAll = passes >= PASSES_FOR_ALL || (progress.scannedPages ?? 0) >= now.pagesSeen;
  return sawAll || progress.cpuNanos >= creditNanos ? 'nothing' : 'more';
}

/** After a probe that found nothing: the next is further away. */
export function afterNothing(probing: Probing, spentNanos: number, probeMaxMillis: number): Probing {
  return {
    ...probing,
    gapMillis: Math.min(probing.gapMillis * 2, probeMaxMillis),
    creditNanos: probing.creditNanos - spentNanos,
  };
}

/** After a burst that was worth it, or that somebody asked for. */
export function afterBurst(probing: Probing, probeMaxMillis: number): Probing {
  return { ...firstProbing(probeMaxMillis), creditNanos: Math.min(probing.creditNanos, 0) };
}

/** After a hint that led to nothing: it is paid for, and the next must be twice as strong. */
export function afterVainHint(probing: Probing, spentNanos: number, share: number, probeMaxMillis: number): Probing {
  const { gapMillis, creditNanos } = afterNothing(probing, spentNanos, probeMaxMillis);
  return { gapMillis, creditNanos, hintShare: Math.max(probing.hintShare, 2 * share) };
}
