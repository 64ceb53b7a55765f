import { existsSync } from 'node:fs';
import type { HugePages } from '../core/hugePages.js';
import { MalformedError, type Root, parseWhole, readText, readTextIfThere } from './sysfs.js';

export interface TransparentHugepages {
  readonly mode: 'always' | 'madvise' | 'never';
  /** The size of one, in bytes; undefined before Linux 4.15, where only PMD-sized ones exist. */
  readonly sizeBytes: number | undefined;
  /** Anonymous memory that is in them now, in bytes (AnonHugePages of /proc/meminfo). */
  readonly usedBytes: number;
  /** Whether a split frees the parts that hold only zeros; see core/hugePages.ts. */
  readonly splitFreesZeros: boolean;
}

/** Undefined on a kernel without transparent hugepages. */
export function readTransparentHugepages(root: Root): TransparentHugepages | undefined {
  const directory = `${root}/sys/kernel/mm/transparent_hugepage`;
  const path = `${directory}/enabled`;
  const text = readTextIfThere(path);
  if (text === undefined) return undefined;
  const size = readTextIfThere(`${directory}/hpage_pmd_size`);
  const sizeBytes = size === undefined ? undefined : parseWhole(size, `${directory}/hpage_pmd_size`);
  // Linux 6.8 has a switch for each size, which follows the common one unless it is set ("inherit").
  const own = readTextIfThere(`${directory}/hugepages-${(sizeBytes ?? 0) / 1024}kB/enabled`);
  const given = own === undefined ? undefined : chosen(own);
  const mode = given === undefined || given === 'inherit' ? chosen(text) : given;
  if (mode !== 'always' && mode !== 'madvise' && mode !== 'never') {
    throw new MalformedError(path, 'always, madvise or never in brackets', text);
  }
  const used = /^AnonHugePages:\s*(\d+) kB$/m.exec(readText(`${root}/proc/meminfo`))?.[1] ?? '0';
  return {
    mode,
    sizeBytes,
    usedBytes: parseWhole(used, `${root}/proc/meminfo`) * 1024,
    // The switch of the kernel's own splitting, which came with it in the same series (Linux 6.12).
    splitFreesZeros: existsSync(`${directory}/shrink_underused`),
  };
}

/** The word in brackets. */
function chosen(text: string): string | undefined {
  return /\[(\w+)\]/.exec(text)?.[1];
}

/** The same as KSM's policies need it; undefined on a kernel without transparent hugepages. */
export function hugePagesOf(found: TransparentHugepages | undefined): HugePages | undefined {
  if (found === undefined) return undefined;
  const { mode, usedBytes, splitFreesZeros } = found;
  return { mayHoldGuests: mode !== 'never' || usedBytes > 0, splitFreesZeros };
}
