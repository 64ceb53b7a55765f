import { readdirSync } from 'node:fs';
import { type Root, isAbsence, parseWhole, readText } from './sysfs.js';

/** A pool of hugetlb pages of one size. Counts are pages; `reserved` are free ones that are promised already. */
export interface HugepagePool {
  readonly pageBytes: number;
  readonly total: number;
  readonly free: number;
  readonly reserved: number;
}

/** The pools of /sys/kernel/mm/hugepages that hold pages, smallest size first; none on a kernel without hugetlb. */
export function readHugepagePools(root: Root): readonly HugepagePool[] {
  const directory = `${root}/sys/kernel/mm/hugepages`;
  return sizesIn(directory)
    .map((kb) => {
      const count = (name: string) => {
        const path = `${directory}/hugepages-${kb}kB/${name}_hugepages`;
        return parseWhole(readText(path), path);
      };
      return { pageBytes: kb * 1024, total: count('nr'), free: count('free'), reserved: count('resv') };
    })
    .filter(({ total }) => total > 0);
}

function sizesIn(directory: string): readonly number[] {
  try {
    const sizes = readdirSync(directory).flatMap((name) => /^hugepages-(\d+)kB$/.exec(name)?.[1] ?? []);
    return sizes.map(Number).sort((a, b) => a - b);
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}
