import { formatBytes } from '../../core/format.js';
import type { KsmState } from '../../core/ksm.js';
import { savingsOf } from '../../core/savings.js';
import { merging } from './screen.js';

/** What is known where samepaged does not answer. */
export interface Unanswered {
  readonly why: string;
  /** Of a samepaged that runs all the same. */
  readonly pid: number | undefined;
  readonly ksm: KsmState | { readonly absence: string };
  readonly pageSizeBytes: number;
}

/** Why nobody answers, without a full stop. */
export function reasonOf({ why, pid }: Pick<Unanswered, 'why' | 'pid'>): string {
  return pid === undefined ? why : `samepaged runs (pid ${pid}), but cannot be asked: ${why}`;
}

/** What the kernel says. */
export function unansweredLines({ ksm, pageSizeBytes, ...daemon }: Unanswered): readonly string[] {
  const reason = `${reasonOf(daemon)}.`;
  if ('absence' in ksm) return [reason, `${ksm.absence}.`];
  const { run, pagesToScan, sleepMillisecs, pagesSharing } = ksm;
  const subject = daemon.pid === undefined ? 'The kernel by itself' : 'KSM';
  const values = `run=${run}, pages_to_scan=${pagesToScan}, sleep_millisecs=${sleepMillisecs}, pages_sharing=${pagesSharing}`;
  const saved = formatBytes(savingsOf(ksm, pageSizeBytes).savedBytes);
  return [reason, `${subject} ${merging(ksm)}: ${values}`, `${saved} saved.`];
}
