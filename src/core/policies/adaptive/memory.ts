import type { NeedOptions, Need } from '../shared/need.js';
import type { Pace } from '../shared/pace.js';
import type { KsmdCounters } from '../shared/progress.js';
import type { Settling } from '../shared/settling.js';
import type { Course } from './phase.js';

export interface AdaptiveOptions extends NeedOptions {
  /** KSM_CPU_MAX: what ksmd may use of one core while there is something to gain, percent from 1 to 100. */
  readonly cpuMaxPercent: number;
  /** Whether smart_scan is the policy's to set: KSM_SMART_SCAN says nothing of it. */
  readonly ownsSmartScan: boolean;
  /** KSM_PROBE_MAX: the longest time between two probes, milliseconds. */
  readonly probeMaxMillis: number;
}

export interface AdaptiveMemory extends Course {
  readonly policy: 'adaptive';
  readonly need: Pick<Need, 'needed' | 'urgent'>;
  readonly settling: Settling;
  /** The last look. */
  readonly counters: KsmdCounters;
  readonly pace: Pace;
}
