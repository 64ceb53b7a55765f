/** What matters to KSM of the kernel's transparent huge pages. */
export interface HugePages {
  /** Whether guests' memory may be in them: they are not switched off, or some are still there. */
  readonly mayHoldGuests: boolean;
  /**
   * Whether the kernel, when it splits a huge page, maps each part that holds only zeros to its zero page and frees it
   * (Linux 6.12, commit b1f202060afe). No counter of KSM shows that memory.
   */
  readonly splitFreesZeros: boolean;
}
