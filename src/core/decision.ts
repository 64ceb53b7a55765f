import type { KsmSetting, KsmSettings } from './ksm.js';
import type { MergeStage } from './mergeStage.js';
import type { Problem } from './sample.js';

/** Why a decision is what it is: the closed list that the log, the bus and the tests speak of, each in a sentence. */
export const REASONS = {
  'enough-memory': 'there is enough memory: merging stops',
  'free-below-reserve': 'less than the reserve is free: ksmd merges, faster than before',
  'free-at-reserve':
    'guests and the reserve fit, but no more than the reserve is free: ksmd merges, slower than before',
  'committed-above-total':
    'guests and the reserve do not fit, but the reserve is still free: ksmd merges, slower than before',
  always: 'there is enough memory, but with KSM_WHEN=always ksmd merges anyway',
  'guests-settling': 'new guests fill their memory or keep the CPUs busy: merging waits',
  burst: 'there may be something to gain: ksmd scans all memory within its CPU budget',
  probe: 'ksmd scans a little memory to see whether anything has changed',
  'nothing-to-gain': 'merging is wanted, but the last passes gained nothing: ksmd rests',
  'costs-more-than-it-saves': 'merging is wanted, but its bookkeeping takes more memory than it saves: ksmd rests',
  advised: "the kernel's advisor paces ksmd: fast after an event, slower the longer nothing happens",
  paused: 'an administrator paused merging',
  stopped: 'an administrator stopped merging; shared pages stay shared',
  unmerged: 'an administrator unmerged everything',
  estimating: 'an administrator asked for an estimate: one burst, however much memory is free',
} as const;
export type Reason = keyof typeof REASONS;

/** A number that a decision was made from. */
export interface Term {
  readonly name: string;
  readonly value: number;
  readonly unit: 'bytes' | 'percent' | 'pages' | 'milliseconds' | 'count';
  /** Where it came from: a file, a configuration key, what was measured. */
  readonly source: string;
}

/** A decision worked through, for a person who asks. */
export interface Explanation {
  readonly terms: readonly Term[];
  /** The comparisons with their numbers, as "18.5 GiB + 4.8 GiB > 23.5 GiB". */
  readonly comparisons: readonly string[];
  /** What would change the decision. */
  readonly change?: string;
  /** What was decided beside, each in a sentence. */
  readonly notes?: readonly string[];
  /** The keys of the configuration that it depends on. */
  readonly keys: readonly string[];
}

/** What a policy decided. */
export interface Decision {
  readonly reason: Reason;
  /** One sentence for a person, with the numbers that led here. */
  readonly sentence: string;
  /** What ksmd is to be set to; what is absent is left alone. */
  readonly settings: KsmSettings;
  /** Settings that the policy asks for no longer: they go back to what the host had. */
  readonly released?: readonly KsmSetting[];
  /** Memory is nearly out, or tasks wait for it: saving some matters more than who feels ksmd. */
  readonly isUrgent?: boolean;
  /** An administrator wants it whatever the memory: unmerging is not checked. */
  readonly isForced?: boolean;
  /** When the policy wants to look again, in milliseconds; absent: after the configured interval. */
  readonly nextInMillis?: number;
  /** In how long it decides otherwise if nothing on the host changes before, in milliseconds; absent: not known. */
  readonly staysForMillis?: number;
  /** Absent for a policy that does not know. */
  readonly stage?: MergeStage;
  readonly working?: Explanation;
  /** What an administrator should know of it, as a setting that does harm here. */
  readonly problems?: readonly Problem[];
  /** Only follows measurements, as a pace does: not worth a line in the log. */
  readonly routine?: boolean;
}
