import { type Root, parseWhole, readTextIfThere } from './sysfs.js';

/** Counters of /proc/vmstat since boot; undefined for one that this kernel does not have. */
export interface VmStat {
  /** Huge pages of the largest kind (PMD) that were split, by whomever. */
  readonly splitHugePages: number | undefined;
  /** Of them, those that the kernel split to reclaim memory that was not used (Linux 6.12). */
  readonly splitUnderusedHugePages: number | undefined;
  /** Pages that were copied because somebody wrote to a merged page (Linux 5.19). */
  readonly copiedOnWrite: number | undefined;
  /** Merged pages that were copied when they came back from swap (Linux 5.19). */
  readonly copiedOnSwapIn: number | undefined;
}

/**
 * Everything is undefined where there is no such file, as in a copy of another host's.
 *
 * @throws MalformedError
 */
export function readVmStat(root: Root): VmStat {
  const path = `${root}/proc/vmstat`;
  const text = readTextIfThere(path) ?? '';
  const counter = (name: string) => {
    const found = new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1];
    return found === undefined ? undefined : parseWhole(found, `${path}: ${name}`);
  };
  return {
    splitHugePages: counter('thp_split_page'),
    splitUnderusedHugePages: counter('thp_underused_split_page'),
    copiedOnWrite: counter('cow_ksm'),
    copiedOnSwapIn: counter('ksm_swpin_copy'),
  };
}
