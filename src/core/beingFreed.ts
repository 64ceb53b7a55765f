/**
 * Merged pages of guests that have gone. The kernel counts them until ksmd comes to what is left of the guest's process
 * (__ksm_exit() of mm/ksm.c puts it where ksmd goes on): for as long as ksmd rests, which may be minutes.
 */
export interface BeingFreed {
  /** What KSM's counters still have of them, in bytes. */
  readonly bytes: number;
  /** When the last of them went, by full_scans. */
  readonly sinceFullScans: number;
  readonly counted: CountedPages;
}

/** One sample of what is merged. */
export interface CountedPages {
  /**
   * Merged memory by guest's identity, in bytes (ksm_merging_pages), of those of which it is known. It may be older than the
   * rest, and so have guests in it that have gone.
   */
  readonly mergedBytes: ReadonlyMap<string, number>;
  /** All guests that run, by identity. */
  readonly running: ReadonlySet<string>;
  /** pages_sharing, in bytes. */
  readonly sharingBytes: number;
  readonly fullScans: number;
}

/** ksmd has been everywhere by then, also where it had been just before the guest went. */
const ENDS_OF_PASSES = 2;

export function nextBeingFreed(before: BeingFreed | undefined, counted: CountedPages): BeingFreed {
  const { sharingBytes, fullScans } = counted;
  if (before === undefined) return { bytes: 0, sinceFullScans: fullScans, counted };
  let endedBytes = 0;
  for (const [id, bytes] of before.counted.mergedBytes) {
    if (before.counted.running.has(id) && !counted.running.has(id)) endedBytes += bytes;
  }
  const sinceFullScans = endedBytes > 0 ? fullScans : before.sinceFullScans;
  const struckBytes = Math.max(before.counted.sharingBytes - sharingBytes, 0);
  const left = Math.min(Math.max(before.bytes + endedBytes - struckBytes, 0), sharingBytes);
  // full_scans goes back to 0 when all is unmerged.
  const isOver = fullScans < sinceFullScans || fullScans >= sinceFullScans + ENDS_OF_PASSES;
  return { bytes: isOver ? 0 : left, sinceFullScans, counted };
}
