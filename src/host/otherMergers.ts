import { clean } from '../text/clean.js';
import { Overdue } from './inTime.js';
import { mergedPagesOf, readKsmStat } from './ksmStat.js';
import { listProcesses } from './processes.js';
import { type Root, pageSizeBytes } from './sysfs.js';

/** Processes that use KSM and run no guest: by systemd's MemoryKSM=, prctl(PR_SET_MEMORY_MERGE), or madvise(). */
export interface OtherMergers {
  readonly count: number;
  /** What is merged of them, in bytes. */
  readonly mergedBytes: number;
  /** Those of which most is merged, a few. */
  readonly largest: readonly OtherMerger[];
}

interface OtherMerger {
  readonly pid: number;
  readonly comm: string;
  readonly mergedBytes: number;
}

const LARGEST_SHOWN = 3;

/**
 * Undefined where the kernel does not report it. A process that ends meanwhile, or whose file cannot be read in time or understood,
 * is left out.
 *
 * @param guests the pids of guests.
 * @throws Error where only root may read it.
 */
export async function readOtherMergers(root: Root, guests: ReadonlySet<number>): Promise<OtherMergers | undefined> {
  const pageBytes = pageSizeBytes(root);
  const mergers: OtherMerger[] = [];
  let [readable, denied] = [0, 0];
  for (const { pid, comm } of listProcesses(root)) {
    if (guests.has(pid)) continue;
    const reply = await readKsmStat(root, pid).catch(unlessOverdue);
    if (reply?.kind === 'denied') denied += 1;
    if (reply?.kind !== 'known') continue;
    readable += 1;
    const { mergeAny, rmapItems = 0 } = reply.stat;
    const mergedPages = mergedPagesOf(reply) ?? 0;
    if (mergeAny !== true && rmapItems === 0 && mergedPages === 0) continue;
    mergers.push({ pid, comm: clean(comm), mergedBytes: mergedPages * pageBytes });
  }
  if (denied > 0) throw new Error('only root can read which processes use KSM');
  if (readable === 0) return undefined;
  return {
    count: mergers.length,
    mergedBytes: mergers.reduce((sum, { mergedBytes }) => sum + mergedBytes, 0),
    largest: mergers.toSorted((a, b) => b.mergedBytes - a.mergedBytes || a.pid - b.pid).slice(0, LARGEST_SHOWN),
  };
}

function unlessOverdue(error: unknown): undefined {
  if (!(error instanceof Overdue)) throw error;
  return undefined;
}
