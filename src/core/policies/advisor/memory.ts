import type { Burst } from '../shared/burst.js';
import type { KsmdCounters } from '../shared/progress.js';
import type { Need, NeedOptions } from '../shared/need.js';
import type { ScanCause } from '../shared/cause.js';
import type { Settling } from '../shared/settling.js';

export interface AdvisorOptions extends NeedOptions {
  /** KSM_CPU_MAX: advisor_max_cpu, percent of one core from 1 to 100. */
  readonly cpuMaxPercent: number;
}

/** The last burst has brought what there was: passes take longer and longer. */
export interface Calm {
  readonly name: 'calm';
  /** When that burst ended, milliseconds of the monotonic clock. */
  readonly sinceMillis: number;
  /** Where the pass under way began. */
  readonly pass: KsmdCounters;
}

/** What the policy advisor remembers. */
export interface AdvisorMemory {
  readonly policy: 'advisor';
  readonly need: Pick<Need, 'needed' | 'urgent'>;
  readonly due: ScanCause | undefined;
  readonly settling: Settling;
  /** The last look. */
  readonly counters: KsmdCounters;
  /** `rest` until the first burst, and while merging is not needed. */
  readonly phase: { readonly name: 'rest' } | Burst | Calm;
  /** The advisor's target for a pass, in seconds. */
  readonly targetSeconds: number;
  /** For so long after a burst pressure is no reason for another, milliseconds; doubled by each that brought nothing. */
  readonly pressureWaitMillis: number;
  /** When the advisor was last switched off to start again, milliseconds of the monotonic clock. */
  readonly restartedAtMillis: number;
  /** The dearest page so far, nanoseconds of ksmd's CPU time. */
  readonly pageNanos: number;
}
