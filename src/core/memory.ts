import { formatBytes } from './format.js';
import { type Guest, guestId, residentBytesOf } from './guest.js';
import type { KsmState } from './ksm.js';

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

export type MemoryAccounting = 'corrected' | 'legacy' | 'pss';

/** A policy divides by the total. */
const LEAST_TOTAL_BYTES = 1024;

/**
 * The host's memory as a policy sees it.
 *
 * `legacy` is ksmtuned's own reckoning: total is MemTotal, free is MemFree + Buffers + Cached.
 * `corrected` repairs three things that made ksmtuned decide wrongly: hugepage pools are not memory that KSM could save, so
 * they are not part of the total; ZFS's reclaimable ARC is as free as the page cache is; shared memory (Shmem, counted in
 * Cached) is somebody's memory, often a guest's, and can be freed only into swap.
 * `pss` is as `corrected`, with the guests' proportional memory: what they share counts once.
 *
 * @param proportional the guests' PSS, by identity, for `pss`; of a guest that is not in it the resident memory counts.
 */
export function hostMemory(
  figures: MemoryFigures,
  guests: readonly Guest[],
  accounting: MemoryAccounting,
  proportional: ReadonlyMap<string, number> = new Map(),
): HostMemory {
  const committedBytes =
    accounting === 'pss'
      ? guests.reduce((sum, guest) => sum + (proportional.get(guestId(guest)) ?? guest.residentBytes), 0)
      : residentBytesOf(guests);
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

/**
 * A guest's PSS, from what everybody may read: of its merged pages only the part that KSM's pages are of all pages merged into
 * them. Over all guests this is exact, where nobody else merges.
 */
export function estimatedProportionalBytes(
  residentBytes: number,
  mergedBytes: number,
  { pagesShared, pagesSharing }: Pick<KsmState, 'pagesShared' | 'pagesSharing'>,
): number {
  const merged = pagesShared + pagesSharing;
  return merged === 0 ? residentBytes : Math.max(residentBytes - Math.trunc((mergedBytes * pagesSharing) / merged), 0);
}
