import { availableBytesOf } from '../../core/memory.js';
import { savingsOf, type Savings } from '../../core/savings.js';
import { listGuestProcesses } from '../../host/guestProcess.js';
import { KsmDirectory } from '../../host/ksm.js';
import { Ksmd } from '../../host/ksmd.js';
import { readMemoryFigures } from '../../host/meminfo.js';
import { type Root, pageSizeBytes } from '../../host/sysfs.js';
import { mergedBytesOf } from '../../host/ksmStat.js';
import type { BurstState } from './burst.js';

/** What merging came to at one moment, by the kernel's counters. All sizes in bytes. */
export interface Figures {
  readonly savings: Savings;
  readonly availableBytes: number;
  /** CPU time of ksmd since boot, in nanoseconds; undefined where it cannot be seen. */
  readonly ksmdCpuNanos: number | undefined;
  readonly guests: readonly GuestFigures[];
}

interface GuestFigures {
  readonly pid: number;
  readonly name: string;
  readonly residentBytes: number;
  /** Undefined where only root may read it, or this kernel does not report it. */
  readonly mergedBytes: number | undefined;
  readonly freedBytes: number;
}

/** @param watched what nobody but the tuner sees. */
export async function readFigures(root: Root, watched?: BurstState): Promise<Figures> {
  const pageBytes = pageSizeBytes(root);
  const processes = await listGuestProcesses(root);
  return {
    savings: savingsOf(new KsmDirectory(root).read(), pageBytes, { freedBytes: watched?.freedBytes ?? 0 }),
    availableBytes: availableBytesOf(readMemoryFigures(root)),
    ksmdCpuNanos: new Ksmd(root).times()?.cpuNanos,
    guests: processes.map(({ pid, name, residentBytes, ksmStat }) => ({
      ...{ pid, name, residentBytes, freedBytes: watched?.freedByGuest.get(name) ?? 0 },
      mergedBytes: mergedBytesOf(ksmStat, pageBytes),
    })),
  };
}
