import type { AdaptiveMemory } from './adaptive/policy.js';
import type { AdvisorMemory } from './advisor/policy.js';
import type { EstimateMemory } from './estimate.js';
import type { KsmdSchedMemory } from './shared/ksmdSched.js';
import type { ZeroPagesMemory } from './shared/zeroPages.js';

/** What the policy ksmtuned remembers. */
export interface KsmtunedMemory {
  readonly policy: 'ksmtuned';
  /** The script's own page count, which survives a stop. */
  readonly npages: number;
}

/** What policies remember from one decision to the next; each knows its own by its name. */
export type PolicyMemory =
  KsmtunedMemory | AdaptiveMemory | AdvisorMemory | ZeroPagesMemory | KsmdSchedMemory | EstimateMemory;
