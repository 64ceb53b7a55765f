import { unmergeObstacle } from '../core/hold.js';
import type { Problem } from '../core/sample.js';
import { type Watched, savingsOf } from '../core/savings.js';
import { messageOf } from '../errors.js';
import type { KsmDirectory } from '../host/ksm.js';
import { readMemoryFigures } from '../host/meminfo.js';
import type { Root } from '../host/sysfs.js';

/** The files that say what would come back. */
const SAVED: readonly string[] = ['pages_sharing', 'ksm_zero_pages'];

export interface UnmergeCheckOptions {
  readonly root: Root;
  readonly ksm: KsmDirectory;
  readonly pageSizeBytes: number;
  /** What KSM's counters do not report. */
  readonly watched: Watched;
}

/**
 * Why everything may not be unmerged now, with the figures; undefined when it fits into memory. What is not known is taken
 * not to fit. Never throws.
 */
export function unmergeCheck({ root, ksm, pageSizeBytes, watched }: UnmergeCheckOptions): string | undefined {
  try {
    const problems: Problem[] = [];
    const state = ksm.read(problems);
    const unread = problems.find(({ subject }) => SAVED.includes(subject));
    if (unread !== undefined) return unknown(unread.sentence);
    // Linux 6.6 to 6.9 lose count, and then nobody knows how many zero pages would become pages again.
    if (state.useZeroPages === 1 && (state.ksmZeroPages ?? 0) < 0) {
      return unknown(`ksm_zero_pages is ${state.ksmZeroPages}, which this kernel miscounts`);
    }
    return unmergeObstacle(savingsOf(state, pageSizeBytes, watched), readMemoryFigures(root));
  } catch (error) {
    return unknown(messageOf(error));
  }
}

function unknown(why: string): string {
  return `how much memory unmerging needs is not known (${why})`;
}
