import { MalformedError, type Root, parseWhole, readText, readTextIfThere } from './sysfs.js';

export interface TransparentHugepages {
  readonly mode: 'always' | 'madvise' | 'never';
  /** The size of one, in bytes; undefined before Linux 4.15, where only PMD-sized ones exist. */
  readonly sizeBytes: number | undefined;
  /** Anonymous memory that is in them now, in bytes (AnonHugePages of /proc/meminfo). */
  readonly usedBytes: number;
}

/** Undefined on a kernel without transparent hugepages. */
export function readTransparentHugepages(root: Root): TransparentHugepages | undefined {
  const directory = `${root}/sys/kernel/mm/transparent_hugepage`;
  const path = `${directory}/enabled`;
  const text = readTextIfThere(path);
  if (text === undefined) return undefined;
  const mode = /\[(\w+)\]/.exec(text)?.[1];
  if (mode !== 'always' && mode !== 'madvise' && mode !== 'never') {
    throw new MalformedError(path, 'always, madvise or never in brackets', text);
  }
  const size = readTextIfThere(`${directory}/hpage_pmd_size`);
  const used = /^AnonHugePages:\s*(\d+) kB$/m.exec(readText(`${root}/proc/meminfo`))?.[1] ?? '0';
  return {
    mode,
    sizeBytes: size === undefined ? undefined : parseWhole(size, `${directory}/hpage_pmd_size`),
    usedBytes: parseWhole(used, `${root}/proc/meminfo`) * 1024,
  };
}
