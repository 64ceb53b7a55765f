import { errnoOf } from '../errors.js';
import { readInTime } from './inTime.js';
import type { KsmStatReader } from './ksmStatReader.js';
import { MalformedError, type Root, isAbsence } from './sysfs.js';

/** What KSM made of one process, as far as this kernel reports it. */
export interface KsmStat {
  /** Pages that ksmd keeps records of, each with 64 bytes. */
  readonly rmapItems: number | undefined;
  /** Pages that are merged, without those merged into the zero page. */
  readonly mergingPages: number | undefined;
  /** Pages merged into the kernel's zero page (use_zero_pages). */
  readonly zeroPages: number | undefined;
  /** What merging spares less what it costs in memory, in bytes; can be negative. */
  readonly profitBytes: number | undefined;
  /** Whether some memory of the process is offered for merging. */
  readonly mergeable: boolean | undefined;
  /** Whether the process is offered as a whole (PR_SET_MEMORY_MERGE, systemd's MemoryKSM=). */
  readonly mergeAny: boolean | undefined;
}

/**
 * `denied`: only the owner and root may read it. `absent`: this kernel does not report it, or the process has ended. `odd`: it is
 * not as it should be.
 */
export type KsmStatReply =
  | { readonly kind: 'known'; readonly stat: KsmStat }
  | { readonly kind: 'denied' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'odd'; readonly why: string };

/** The process's pages that are merged, those into the zero page among them; undefined where it is unknown. */
export function mergedPagesOf(reply: KsmStatReply): number | undefined {
  if (reply.kind !== 'known') return undefined;
  const { mergingPages, zeroPages = 0 } = reply.stat;
  // Kernels 6.6 to 6.9 miscount zero pages below 0.
  return mergingPages === undefined ? undefined : mergingPages + Math.max(zeroPages, 0);
}

/** What is merged of the process, in bytes; undefined where it is unknown. */
export function mergedBytesOf(reply: KsmStatReply, pageBytes: number): number | undefined {
  const pages = mergedPagesOf(reply);
  return pages === undefined ? undefined : pages * pageBytes;
}

/**
 * /proc/PID/ksm_stat, and where that is missing or tells less /proc/PID/ksm_merging_pages (5.19).
 *
 * @param reader where this process may not read other users' files itself.
 * @throws Overdue
 */
export async function readKsmStat(root: Root, pid: number, reader?: KsmStatReader): Promise<KsmStatReply> {
  const directory = `${root}/proc/${pid}`;
  const read = async (file: 'ksm_stat' | 'ksm_merging_pages') =>
    reader === undefined ? readIfThere(`${directory}/${file}`) : (await reader.read(pid, file)) || undefined;
  try {
    const text = await read('ksm_stat');
    const stat = parseKsmStat(text ?? '', `${directory}/ksm_stat`);
    if (stat.mergingPages !== undefined) return { kind: 'known', stat };
    const pages = await read('ksm_merging_pages');
    // Without an address space, as a process has none that is ending, the kernel prints nothing (fs/proc/base.c).
    if (pages === undefined || pages === '') return { kind: 'absent' };
    const mergingPages = parseCount(pages.trim(), `${directory}/ksm_merging_pages`);
    return { kind: 'known', stat: { ...stat, mergingPages } };
  } catch (error) {
    if (['EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) return { kind: 'denied' };
    if (error instanceof MalformedError) return { kind: 'odd', why: error.message };
    throw error;
  }
}

/**
 * The lines grew over the kernels (Documentation/filesystems/proc.rst): first ksm_rmap_items, then ksm_merging_pages and
 * ksm_process_profit, then ksm_zero_pages, then `ksm_merge_any: yes` and `ksm_mergeable: yes` with a colon.
 *
 * @throws MalformedError
 */
export function parseKsmStat(text: string, path: string): KsmStat {
  const values = new Map(
    Array.from(text.matchAll(/^(\w+):?[ \t]+(.*)$/gm), ([, name, value]) => [name, value?.trim()]),
  );
  const count = (name: string) => {
    const value = values.get(name);
    return value === undefined ? undefined : parseCount(value, `${path}: ${name}`);
  };
  const answer = (name: string) => {
    const value = values.get(name);
    if (value === undefined) return undefined;
    if (value !== 'yes' && value !== 'no') throw new MalformedError(`${path}: ${name}`, 'yes or no', value);
    return value === 'yes';
  };
  return {
    rmapItems: count('ksm_rmap_items'),
    mergingPages: count('ksm_merging_pages'),
    zeroPages: count('ksm_zero_pages'),
    profitBytes: count('ksm_process_profit'),
    mergeable: answer('ksm_mergeable'),
    mergeAny: answer('ksm_merge_any'),
  };
}

/** The kernel prints counters that can fall below zero as unsigned 64-bit numbers. */
function parseCount(text: string, path: string): number {
  if (!/^-?\d{1,20}$/.test(text)) throw new MalformedError(path, 'a whole number', text);
  return Number(BigInt.asIntN(64, BigInt(text)));
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return (await readInTime(path)).toString('latin1');
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}
