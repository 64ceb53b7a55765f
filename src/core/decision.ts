import type { KsmSettings } from './ksm.js';

/** Why a decision is what it is; the closed list that the log, the bus and the tests speak of. */
export type Reason =
  /** Memory is enough: merging stops. */
  | 'enough-memory'
  /** Less is free than the reserve: merging, and faster than before. */
  | 'free-below-reserve'
  /** Guests and the reserve fit, but no more than the reserve is free: merging, and slower than before. */
  | 'free-at-reserve'
  /** Guests and the reserve do not fit, but the reserve is still free: merging, and slower than before. */
  | 'committed-above-total'
  /** Memory is enough, and KSM_WHEN=always has it merge all the same. */
  | 'always'
  /** An administrator's hold: merging rests. */
  | 'paused'
  | 'stopped'
  | 'unmerged';

/** What a policy decided. */
export interface Decision {
  readonly reason: Reason;
  /** One sentence for a person, with the numbers that led here. */
  readonly sentence: string;
  /** What ksmd is to be set to; what is absent is left alone. */
  readonly settings: KsmSettings;
  /** When the policy wants to look again, in milliseconds; absent: after the configured interval. */
  readonly nextInMillis?: number;
}
