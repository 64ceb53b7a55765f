import type { Sample } from '../../sample.js';
import type { Burst } from '../shared/burst.js';
import type { ScanCause } from '../shared/cause.js';
import type { Need } from '../shared/need.js';
import type { KsmdCounters } from '../shared/progress.js';
import type { Probe, Probing } from './probe.js';

// The words of this folder:
//   burst    ksmd scans all memory within the budget, until another pass is not worth its CPU time.
//   settle   memory is not scanned before its guest has stopped growing; "ripe" is what has settled.
//   watch    ksmd rests and probes follow one another; "rest" is the phase in which no merging is needed.
//   probe    ksmd scans a little memory and counts changed pages; "thorough": without smart_scan, so that it sees them all.
//   lap      the probes from one end of memory to the other.
//   hint     as many changed pages as start a burst; one that gained nothing makes the next need more.
//   vain     what gained nothing: a pass, a hint, a burst.
//   debt     CPU time of a burst that a hint started for nothing, paid back out of the probes' share of a core.
//   course   the policy's state from one retune to the next.

/** What a burst waits for before it begins. */
export interface Settle {
  readonly name: 'settle';
  /** Memory that could be gone through now, and until when at most it waits; undefined when there is none. */
  readonly ripe: { readonly bytes: number; readonly untilMillis: number } | undefined;
  /** What goes on meanwhile. */
  readonly before: Watch | undefined;
}

/** ksmd rests until it looks again. */
export interface Watch {
  readonly name: 'watch';
  readonly probeAtMillis: number;
}

export type Phase = { readonly name: 'rest' } | Settle | Burst | Watch | Probe;

/** Where the policy is, and what it knows from before. */
export interface Course {
  readonly phase: Phase;
  /** What memory is to be gone through for. */
  readonly due: ScanCause | undefined;
  readonly dueSinceMillis: number;
  /** Since when there is something due that could be gone through; undefined when there is nothing. */
  readonly ripeSinceMillis: number | undefined;
  /** How often the worth of a burst guests that came must promise: doubled by each for guests, until one was worth it. */
  readonly requiredGainFactor: number;
  readonly probing: Probing;
  /** The last burst that came to its end. */
  readonly last: Burst | undefined;
  /** For so long after it pressure is no reason for another, milliseconds; doubled by each that brought nothing. */
  readonly pressureWaitMillis: number;
}

/** What is now, and everything else that the next phase depends on. */
export interface Situation {
  readonly sample: Sample;
  readonly need: Pick<Need, 'needed' | 'urgent'>;
  readonly counters: KsmdCounters;
  readonly departed: boolean;
  /** Guests that are still filling their memory, by identity. */
  readonly growing: readonly string[];
  /** What ksmd may use, parts of a core. */
  readonly budget: number;
  readonly probeMaxMillis: number;
}

export function isScanning({ name }: Phase): boolean {
  return name === 'burst' || name === 'probe';
}
