import { type KsmState, pagesSeen } from './ksm.js';

/** What merging gives back and what it takes, in bytes. */
export interface Savings {
  /** One page for each further user of a shared page (pages_sharing), without those of guests that have gone. */
  readonly sharedBytes: number;
  /** Pages of guests that have gone, which the kernel still counts as shared (beingFreed.ts); in no other figure. */
  readonly beingFreedBytes: number;
  /** Pages that KSM mapped to the kernel's zero page (ksm_zero_pages, Linux 6.6, use_zero_pages=1). */
  readonly zeroBytes: number;
  /** What splitting huge pages gave back, which no counter of KSM shows (freedBySplits.ts). */
  readonly freedBytes: number;
  /** The three together. */
  readonly savedBytes: number;
  /** Memory that KSM's own records take. */
  readonly bookkeepingBytes: number;
  /**
   * What is saved less what the records take: below 0 where merging costs more memory than it saves. As the kernel reckons
   * it (general_profit, Linux 6.4) where it does, with freedBytes.
   */
  readonly profitBytes: number;
}

/** Size of the kernel's struct ksm_rmap_item on 64-bit machines, in bytes; it keeps one for each page it has seen. */
const RMAP_ITEM_BYTES = 64;
/**
 * A record's size as general_profit gives it is believed within these bounds, in bytes: the counters are not read at one
 * moment, and of few pages the difference says nothing.
 */
const LEAST_ITEM_BYTES = 32;
const MOST_ITEM_BYTES = 256;

/** What KSM's counters do not report; 0 where nobody watched. */
export type Watched = Partial<Pick<Savings, 'freedBytes' | 'beingFreedBytes'>>;

export function savingsOf(
  ksm: KsmState,
  pageSizeBytes: number,
  { freedBytes = 0, beingFreedBytes = 0 }: Watched = {},
): Savings {
  const sharedBytes = Math.max(ksm.pagesSharing * pageSizeBytes - beingFreedBytes, 0);
  // Linux 6.6 to 6.9 count below 0: a page that was mapped to the zero page before it was counted is taken off all the same.
  const zeroBytes = Math.max(ksm.ksmZeroPages ?? 0, 0) * pageSizeBytes;
  const savedBytes = sharedBytes + zeroBytes + freedBytes;
  const bookkeepingBytes = recordBytes(ksm, pageSizeBytes);
  const countedProfit =
    ksm.generalProfit === undefined ? sharedBytes + zeroBytes - bookkeepingBytes : ksm.generalProfit - beingFreedBytes;
  const profitBytes = countedProfit + freedBytes;
  return { sharedBytes, beingFreedBytes, zeroBytes, freedBytes, savedBytes, bookkeepingBytes, profitBytes };
}

/**
 * What the records take: what general_profit (Linux 6.4) is less than the pages saved, or their number times the usual size.
 * general_profit_show() of mm/ksm.c: (pages_sharing + ksm_zero_pages) * page size - records * their size.
 */
function recordBytes(ksm: KsmState, pageSizeBytes: number): number {
  const { generalProfit, pagesSharing, ksmZeroPages = 0 } = ksm;
  const records = pagesSeen(ksm);
  if (generalProfit === undefined) return records * RMAP_ITEM_BYTES;
  const bytes = (pagesSharing + ksmZeroPages) * pageSizeBytes - generalProfit;
  const isLikely = bytes >= records * LEAST_ITEM_BYTES && bytes <= records * MOST_ITEM_BYTES;
  return isLikely ? bytes : records * RMAP_ITEM_BYTES;
}
