import type { NamePatterns } from '../core/forbiddenGuests.js';
import type { NamedGuest } from '../core/guest.js';
import type { Mergeability } from '../core/mergeability.js';
import type { AgentState } from '../core/state.js';
import type { Readings } from './readings.js';
import type { Tally } from './tally.js';

/** What the configuration says that the metrics show or compare with. */
export interface Limits {
  /** The reserve that should stay free: KSM_THRES_COEF and KSM_THRES_CONST. */
  readonly thresholdPercent: number;
  readonly thresholdBytes: number;
  /** Parts of one core that ksmd may take; undefined for a policy without a budget. */
  readonly ksmdBudgetRatio: number | undefined;
  readonly forbidden: NamePatterns;
  /** Whether each guest has series of its own (KSM_METRICS_GUESTS). */
  readonly withGuests: boolean;
}

/** Everything that a page is made of. */
export interface Facts {
  readonly state: AgentState;
  readonly tally: Tally;
  readonly limits: Limits;
  readonly readings: Readings;
  /** Whether the configuration could be taken when it was read last; otherwise the one before it is in force. */
  readonly isConfigurationValid: boolean;
  /** Whether KSM can merge each running guest; undefined while nobody has looked. */
  readonly mergeability: readonly (NamedGuest & { readonly mergeability: Mergeability })[] | undefined;
}
