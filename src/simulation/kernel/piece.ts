/** Alike pages that ksmd comes to next: what becomes of them is the same whether it does all at once or some at a time. */
export interface Piece {
  readonly pages: number;
  /** CPU time of one, in nanoseconds. */
  readonly costNanos: number;
  /** Whether a page of it counts towards pages_to_scan. */
  readonly counted: boolean;
  /** Does it to the first `pages` of them. */
  readonly scan: (pages: number) => void;
}
