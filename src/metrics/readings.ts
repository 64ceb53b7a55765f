import type { Ksmd } from '../host/ksmd.js';
import { type NumaNode, readNumaNodes } from '../host/numa.js';
import type { Root } from '../host/sysfs.js';
import { readVmStat } from '../host/vmstat.js';

/** What a scrape reads of the kernel: four files, and one for each NUMA node. What cannot be read is left out. */
export interface Readings {
  readonly ksmdCpuNanos: number | undefined;
  readonly ksmdWaitNanos: number | undefined;
  /** Pages since boot. */
  readonly copiedOnWrite: number | undefined;
  readonly copiedOnSwapIn: number | undefined;
  /** The nodes with memory, where there are several. */
  readonly nodes: readonly NumaNode[];
}

export function takeReadings(root: Root, ksmd: Ksmd): Readings {
  const times = orNone(() => ksmd.times());
  const vmStat = orNone(() => readVmStat(root));
  const nodes = orNone(() => readNumaNodes(root)) ?? [];
  return {
    ksmdCpuNanos: times?.cpuNanos,
    ksmdWaitNanos: times?.waitNanos,
    copiedOnWrite: vmStat?.copiedOnWrite,
    copiedOnSwapIn: vmStat?.copiedOnSwapIn,
    nodes: nodes.length > 1 ? nodes : [],
  };
}

/** A file that says nonsense is a problem of the retunes, which read the same ones and warn. */
function orNone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
