import { readFile } from 'node:fs/promises';
import { errnoOf } from '../errors.js';
import { type Root, isAbsence } from './sysfs.js';

/** What a process has offered to KSM. */
export interface OfferedMemory {
  /** The size of mappings with the flag `mg`, in bytes. */
  readonly offeredBytes: number;
  /**
   * Merged memory, in bytes (Linux 6.8; without merged zero pages). True at once, where ksm_stat falls only when ksmd next
   * comes by.
   */
  readonly mergedBytes: number | undefined;
}

/**
 * Read from /proc/PID/smaps. Undefined where only its owner and root may read it, or the process has ended. A large process
 * takes the kernel seconds.
 */
export async function readOffered(root: Root, pid: number): Promise<OfferedMemory | undefined> {
  try {
    return parseOffered(await readFile(`${root}/proc/${pid}/smaps`, 'latin1'));
  } catch (error) {
    if (isAbsence(error) || ['EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

/**
 * Each mapping has lines "Size:   65536 kB", "KSM:   4 kB" and "VmFlags: rd wr mr mw me ac mg ", in this order.
 * https://docs.kernel.org/filesystems/proc.html
 */
export function parseOffered(smaps: string): OfferedMemory {
  let [offered, size] = [0, 0];
  let merged: number | undefined;
  for (const [, name, text = ''] of smaps.matchAll(/^(Size|KSM|VmFlags): +(.*)$/gm)) {
    if (name === 'Size') size = bytesOf(text);
    else if (name === 'KSM') merged = (merged ?? 0) + bytesOf(text);
    else if (text.split(' ').includes('mg')) offered += size;
  }
  return { offeredBytes: offered, mergedBytes: merged };
}

/** The "kB" are units of 1024 bytes. */
function bytesOf(text: string): number {
  return Number.parseInt(text, 10) * 1024;
}
