import type { FreedBySplits } from './freedBySplits.js';
import { type Guest, type NamedGuest, guestId } from './guest.js';
import type { HugePages } from './hugePages.js';
import type { KernelVersion } from './kernelVersion.js';
import type { KsmState } from './ksm.js';
import { type Savings, savingsOf } from './savings.js';
import type { HostMemory } from './memory.js';

/** Everything a policy may know about the host at one moment. */
export interface Sample {
  /** Wall-clock time the sample was taken, milliseconds since 1970. */
  readonly takenAtMillis: number;
  /** The same moment on a clock that nobody sets (CLOCK_MONOTONIC), milliseconds: only differences mean something. */
  readonly monotonicMillis: number;
  readonly memory: HostMemory;
  /** What the host could hand out without swapping (MemAvailable); absent where it is unknown. */
  readonly availableBytes?: number;
  readonly guests: readonly Guest[];
  readonly ksm: KsmState;
  /** CPU time that ksmd has used since boot, in nanoseconds; absent where /proc does not show it. */
  readonly ksmdCpuNanos?: number;
  /** Time that ksmd was ready to run but waited for a CPU, since boot, in nanoseconds; absent as its CPU time is. */
  readonly ksmdWaitNanos?: number;
  /**
   * Part of the last 10 s in which some task waited for memory, percent (/proc/pressure/memory, "some avg10"); absent where
   * the kernel does not report it.
   */
  readonly memoryPressurePercent?: number;
  /** What splitting huge pages gave back; absent where nobody watched. */
  readonly freedBySplits?: FreedBySplits;
  /** What the kernel still counts as shared of guests that have gone, in bytes; absent where nobody watched. */
  readonly beingFreedBytes?: number;
  /** Absent on a kernel without transparent huge pages. */
  readonly hugePages?: HugePages;
  /** The kernel's release; absent where it is not understood. */
  readonly kernel?: KernelVersion;
  /** Size of a page in bytes: the unit of everything that KSM counts. */
  readonly pageSizeBytes: number;
  /** What could not be had as it should. */
  readonly problems: readonly Problem[];
}

/** What splits of huge pages gave back of one guest, in bytes; 0 where nobody watched. */
export function freedBytesOf({ freedBySplits }: Pick<Sample, 'freedBySplits'>, guest: NamedGuest): number {
  return freedBySplits?.byGuest.get(guestId(guest)) ?? 0;
}

export function savingsOfSample({ ksm, pageSizeBytes, freedBySplits, beingFreedBytes = 0 }: Sample): Savings {
  return savingsOf(ksm, pageSizeBytes, { freedBytes: freedBySplits?.bytes ?? 0, beingFreedBytes });
}

/** Something that did not go as it should. A problem that stays is the same `subject` again, and is logged once. */
export interface Problem {
  readonly subject: string;
  readonly sentence: string;
}
