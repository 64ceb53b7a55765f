import { readMemoryFigures } from '../../../src/host/meminfo.js';
import { listProcesses, memoryStatus } from '../../../src/host/processes.js';
import { readTextIfThere } from '../../../src/host/sysfs.js';
import { readTransparentHugepages } from '../../../src/host/transparentHugepages.js';

/** What the kernel says of memory beside KSM's counters, which do not show what splits of huge pages freed. In bytes. */
export interface HostMemory {
  /** MemAvailable */
  readonly availableBytes: number;
  /** RssAnon of all guests: pages that are merged are in it, those mapped to the zero page and those that are gone are not. */
  readonly guestsAnonBytes: number;
  /** Pss_Anon of all guests: a merged page counts once, in parts. What else goes on on the machine does not show in it. */
  readonly guestsOwnBytes: number;
  /** AnonHugePages */
  readonly hugeBytes: number;
}

export function readHostMemory(): HostMemory {
  return {
    availableBytes: readAvailableBytes(),
    guestsAnonBytes: readGuestsAnonBytes(),
    guestsOwnBytes: sum(guestPids().map(proportionalBytes)),
    hugeBytes: readTransparentHugepages('')?.usedBytes ?? 0,
  };
}

/** RssAnon of all guests. */
export function readGuestsAnonBytes(): number {
  return sum(guestPids().map((pid) => memoryStatus('', pid)?.('RssAnon') ?? 0));
}

function guestPids(): number[] {
  return listProcesses('').flatMap(({ pid, comm }) => (/^(qemu|kvm)/.test(comm) ? [pid] : []));
}

/** @throws Error before Linux 3.14. */
export function readAvailableBytes(): number {
  const { memAvailableBytes } = readMemoryFigures('');
  if (memAvailableBytes === undefined) throw new Error('this kernel does not tell MemAvailable');
  return memAvailableBytes;
}

/** 0 for a process that has ended. */
function proportionalBytes(pid: number): number {
  const text = readTextIfThere(`/proc/${pid}/smaps_rollup`) ?? '';
  return Number(/^Pss_Anon:\s*(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
