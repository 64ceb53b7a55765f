import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import type { PageKind } from '../report.js';

export interface Area {
  readonly kind: PageKind;
  readonly start: number;
  readonly bytes: number;
}

/** Of /proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst). */
const PRESENT = 1n << 63n;
const FRAME = (1n << 55n) - 1n;
const ENTRY_BYTES = 8;

/** The size of a page, AT_PAGESZ (6) of the auxiliary vector. */
export function pageBytes(): number {
  const vector = readFileSync('/proc/self/auxv');
  for (let at = 0; at < vector.length; at += 2 * ENTRY_BYTES) {
    if (vector.readBigUInt64LE(at) === 6n) return Number(vector.readBigUInt64LE(at + ENTRY_BYTES));
  }
  throw new Error('/proc/self/auxv has no AT_PAGESZ');
}

/**
 * The page frames behind an area; none for a page that the kernel has freed. Needs root. The flags in /proc/kpageflags are of
 * no use: Linux 6.12 says of every anonymous page that it is merged.
 */
export function framesOf(pid: number, { start, bytes }: Area): readonly bigint[] {
  const page = pageBytes();
  const entries = new BigUint64Array(bytes / page);
  const file = openSync(`/proc/${pid}/pagemap`, 'r');
  try {
    readSync(file, new Uint8Array(entries.buffer), 0, entries.byteLength, (start / page) * ENTRY_BYTES);
  } finally {
    closeSync(file);
  }
  return [...entries].filter((entry) => (entry & PRESENT) !== 0n).map((entry) => entry & FRAME);
}

/** What of a process's memory is in huge pages. */
export function hugeBytes(pid: number): number {
  const kib = /^AnonHugePages:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}
