import { errnoOf } from '../errors.js';
import { readInTime } from './inTime.js';
import { MalformedError, type Root, isAbsence } from './sysfs.js';

/** `denied`: reading it takes the right to trace the process (ptrace(2), PTRACE_MODE_READ). */
export type ProportionalMemory = number | 'denied' | undefined;

/**
 * The proportional set size of a process in bytes, from /proc/PID/smaps_rollup (Linux 4.14): a page that n processes map
 * counts as 1/n. Undefined when it has ended. A large process takes the kernel up to seconds, in which its mmap lock is held.
 *
 * @throws MalformedError, Overdue
 */
export async function readProportionalMemory(root: Root, pid: number): Promise<ProportionalMemory> {
  const path = `${root}/proc/${pid}/smaps_rollup`;
  try {
    const text = (await readInTime(path)).toString('latin1');
    const kb = /^Pss: +(\d{1,15}) kB$/m.exec(text)?.[1];
    if (kb === undefined) throw new MalformedError(path, 'a line "Pss: NUMBER kB"', text);
    return Number(kb) * 1024;
  } catch (error) {
    if (isAbsence(error)) return undefined;
    if (['EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) return 'denied';
    throw error;
  }
}
