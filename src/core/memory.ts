import { formatBytes } from './format.js';
import { type Guest, residentBytesOf } from './guest.js';

/** What the kernel says of the host's memory, in bytes; the names are /proc/meminfo's. */
export interface MemoryFigures {
  readonly memTotalBytes: number;
  readonly memFreeBytes: number;
  /** Absent before Linux 3.14. */
  readonly memAvailableBytes?: number;
  readonly buffersBytes: number;
  readonly cachedBytes: number;
  readonly shmemBytes: number;
  readonly swapTotalBytes: number;
  readonly swapFreeBytes: number;
  /** Memory in hugepage pools of every size, used or not. */
  readonly hugetlbBytes: number;
  /** ZFS's ARC above its configured minimum: what it gives back under pressure. 0 without ZFS. */
  readonly reclaimableArcBytes: number;
}

/** The three figures that a policy weighs, in bytes. */
export interface HostMemory {
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly committedBytes: number;
}

/**
 * What the host could hand out without swapping: MemAvailable (before Linux 3.14, MemFree), and ZFS's reclaimable ARC, which
 * MemAvailable does not include.
 */
export function availableBytesOf({ memAvailableBytes, memFreeBytes, reclaimableArcBytes }: MemoryFigures): number {
  return (memAvailableBytes ?? memFreeBytes) + reclaimableArcBytes;
}

/** availableBytesOf() in words, with its part in the ARC. */
export function describeAvailable(memory: MemoryFigures): string {
  const { reclaimableArcBytes } = memory;
  const arc = reclaimableArcBytes > 0 ? ` (${formatBytes(reclaimableArcBytes)} of it in ZFS's cache)` : '';
  return `${formatBytes(availableBytesOf(memory))}${arc}`;
}

export type MemoryAccounting = 'corrected' | 'legacy';

/** A policy divides by the total. */
const LEAST_TOTAL_BYTES = 1024;

/**
 * The host's memory as a policy sees it.
 *
 * `legacy` is ksmtuned's own reckoning: total is MemTotal, free is MemFree + Buffers + Cached.
 * `corrected` repairs three things that made ksmtuned decide wrongly: hugepage pools are not memory that KSM could save, so
 * they are not part of the total; ZFS's reclaimable ARC is as free as the page cache is; shared memory (Shmem, counted in
 * Cached) is somebody's memory, often a guest's, and can be freed only into swap.
 */
export function hostMemory(figures: MemoryFigures, guests: readonly Guest[], accounting: MemoryAccounting): HostMemory {
  const committedBytes = residentBytesOf(guests);
  const pageCacheBytes = figures.buffersBytes + figures.cachedBytes;
  if (accounting === 'legacy') {
    return { totalBytes: figures.memTotalBytes, freeBytes: figures.memFreeBytes + pageCacheBytes, committedBytes };
  }
  return {
    totalBytes: Math.max(figures.memTotalBytes - figures.hugetlbBytes, LEAST_TOTAL_BYTES),
    freeBytes: figures.memFreeBytes + Math.max(pageCacheBytes - figures.shmemBytes, 0) + figures.reclaimableArcBytes,
    committedBytes,
  };
}
