import type { Pages } from './pages.js';
import type { Run } from './ranges.js';

/** A guest's pages by what became of them. */
export interface PageCounts {
  /** In memory: merged ones are, those mapped to the zero page are not. */
  readonly present: number;
  readonly zero: number;
  /** In the stable tree, or mapped to the zero page where that is counted. */
  readonly merged: number;
  /** ksmd has a record for each. */
  readonly known: number;
}

export function countsOf(runs: readonly Run<Pages>[]): PageCounts {
  let [present, zero, stable, known] = [0, 0, 0, 0];
  for (const { from, to, value } of runs) {
    const pages = to - from;
    if (value.tree === 'zero') zero += pages;
    else if (value.tree !== 'freed') present += pages;
    if (value.tree === 'stable') stable += pages;
    if (value.known) known += pages;
  }
  return { present, zero, merged: stable + zero, known };
}
