/** What a search in a tree costs, in nanoseconds for each level of it. */
export interface SearchCosts {
  /** Of the first levels, to which every search comes: they stay in the CPU's cache. */
  readonly nearNanos: number;
  readonly farNanos: number;
}

/** What ksmd spends, in nanoseconds of CPU time; of a page by what becomes of it. */
export interface KsmdCosts {
  /** Seen for the first time: its checksum is taken and the kernel's record (rmap_item) made. */
  readonly firstNanos: number;
  /** Its checksum is taken again. */
  readonly checksumNanos: number;
  readonly stableSearch: SearchCosts;
  /** Dearer: each node is a guest's page that has to be found by its address. */
  readonly unstableSearch: SearchCosts;
  /** Mapped to a shared page, or made one with its partner, once that is found; with the splitting of huge pages. */
  readonly mergeNanos: number;
  /** A huge page is split, and its empty pages are freed. */
  readonly splitNanos: number;
  /** Mapped to the kernel's zero page. */
  readonly zeroNanos: number;
  /** Already merged: looked at and left. */
  readonly mergedNanos: number;
  /** Left out by smart scan. */
  readonly skipNanos: number;
  /** Of a guest that ended: its record is given back. */
  readonly forgetNanos: number;
  /** Waking up for a batch. */
  readonly batchNanos: number;
  /** All the above is so much dearer when ksmd sleeps between batches: caches grow cold and clocks go down. */
  readonly pacedFactor: number;
  /** Beginning a pass: every CPU gives back the pages it holds in hand (lru_add_drain_all). */
  readonly passNanos: number;
  /** The kernel's timer tick (CONFIG_HZ), in nanoseconds. */
  readonly tickNanos: number;
}

/**
 * Measured on two cores of a virtual machine with Linux 6.18 and QEMU guests, whose memory is in huge pages, mostly pass by
 * pass (test/bench/ksm). In microseconds a page:
 * - 0.43 to 0.53 first seen, 0.5 changed, 0.3 merged before, 0.18 left out, 1.2 mapped to the zero page;
 * - into an unstable tree: 5.0 of 80,000 pages, 5.4 of 280,000 with next to nothing shared, 8.5 of 270,000 with 79,000 shared
 *   pages, 8.2 of 1,060,000 with 16,500;
 * - 5.3 to 5.9 merged with one of 280,000 shared pages, 12 to 14 merged with one that waited;
 * - 45 to 50 a batch;
 * - and for the same work, 90 % of what 13 guests have in common, 27.5 s of CPU time without a sleep and 30.5 s at 70 % of a
 *   CPU: hence pacedFactor.
 * The costs of the searches are those that fit these figures. forgetNanos, passNanos and splitNanos are guesses: the first
 * two do not show in a pass that is long enough to be measured, and a split reads all of its 2 MiB.
 */
export const MEASURED_COSTS: KsmdCosts = {
  firstNanos: 460,
  checksumNanos: 500,
  stableSearch: { nearNanos: 190, farNanos: 300 },
  unstableSearch: { nearNanos: 290, farNanos: 400 },
  mergeNanos: 1600,
  splitNanos: 300_000,
  zeroNanos: 700,
  mergedNanos: 300,
  skipNanos: 180,
  forgetNanos: 100,
  batchNanos: 47_000,
  pacedFactor: 1.15,
  passNanos: 100_000,
  tickNanos: 4_000_000,
};

/** A tree of a quarter of a million nodes has this many levels; its top stays in the cache. */
const NEAR_LEVELS = 18;

/** Going down a balanced tree of `nodes` nodes; the same price within a `sizeStep`. */
export function searchNanos(nodes: number, { nearNanos, farNanos }: SearchCosts): number {
  const levels = Math.log2(1 + sizeStep(nodes).from);
  return Math.min(levels, NEAR_LEVELS) * nearNanos + Math.max(levels - NEAR_LEVELS, 0) * farNanos;
}

/** A smaller tree's search is a small part of a page's price: its steps are this many times as large as it. */
const SMALL_TREE = 4096;
const SMALL_TREE_STEP = 4;

/**
 * The sizes of a tree between which a search has one price; `to` is not included. They lie a quarter of a power of two
 * apart, and those of small trees two powers, so that what ksmd does is worked out in few pieces.
 */
export function sizeStep(nodes: number): { readonly from: number; readonly to: number } {
  if (nodes < SMALL_TREE_STEP) return { from: 0, to: SMALL_TREE_STEP };
  if (nodes < SMALL_TREE) {
    const from = SMALL_TREE_STEP ** Math.floor(Math.log2(nodes) / Math.log2(SMALL_TREE_STEP));
    return { from, to: from * SMALL_TREE_STEP };
  }
  const width = 2 ** (Math.floor(Math.log2(nodes)) - 2);
  const from = Math.floor(nodes / width) * width;
  return { from, to: from + width };
}

/**
 * How long ksmd sleeps after a batch that took `busyNanos`. The kernel counts the time in whole ticks, rounded up, from
 * the tick that has passed, and the timer fires at the tick after that; ksmd therefore wakes on a tick. 0 is no sleep.
 * Measured at 250 ticks a second: 1 to 4 ms are 8, 10 are 16, 20 are 24, 50 are 56.
 */
export function sleepNanos(sleepMillisecs: number, busyNanos: number, tickNanos: number): number {
  if (sleepMillisecs === 0) return 0;
  const ticks = Math.ceil((sleepMillisecs * 1e6) / tickNanos) + 1;
  return ticks * tickNanos - (busyNanos % tickNanos);
}
