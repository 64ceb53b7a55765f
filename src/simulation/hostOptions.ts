import type { KernelVersion } from '../core/kernelVersion.js';
import type { SystemMiB } from './kernel/areas.js';
import { type KsmdCosts, MEASURED_COSTS } from './kernel/costs.js';

export interface HostOptions {
  readonly memoryMiB: number;
  /** Linux 6.18 by default. */
  readonly kernel?: KernelVersion;
  /** Whether guests' memory is in transparent huge pages, as QEMU asks for it (true). */
  readonly hugePages?: boolean;
  readonly costs?: KsmdCosts;
  /** What the host itself uses (1 GiB). */
  readonly ownMiB?: number;
  /** What each guest's operating system takes beside its content (nothing). */
  readonly systemMiB?: SystemMiB;
  /** What a guest was promised beyond that, which it does not touch (84). */
  readonly promisedMiB?: number;
  /** What a guest's process has in memory beside the guest's, and does not offer to KSM (90). */
  readonly overheadMiB?: number;
  /** What ksmd has used since boot when the simulation begins, in nanoseconds of CPU time (0). */
  readonly ksmdCpuNanos?: number;
  /** How fast a starting guest fills its memory (320). */
  readonly fillMiBPerSecond?: number;
}

/** Measured: the kernel and the one program of the benchmark's guests, of which 13 shared 0.86 GiB. */
export const TEST_GUEST_SYSTEM: SystemMiB = { commonMiB: 73, ownMiB: 19 };

export const DEFAULT_OPTIONS: Required<Omit<HostOptions, 'memoryMiB'>> = {
  kernel: { major: 6, minor: 18 },
  hugePages: true,
  costs: MEASURED_COSTS,
  ownMiB: 1024,
  systemMiB: { commonMiB: 0, ownMiB: 0 },
  promisedMiB: 84,
  overheadMiB: 90,
  ksmdCpuNanos: 0,
  fillMiBPerSecond: 320,
};
