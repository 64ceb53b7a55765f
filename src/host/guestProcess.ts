import { type MemoryTraits, type Mergeability, judgeMergeability } from '../core/guestMemory.js';
import { readKsmStat } from './ksmStat.js';
import { commandLine, listProcesses } from './processes.js';
import { QEMU_COMM, guestOf } from './qemu.js';
import { traitsOfCommandLine } from './qemuMemory.js';
import { type Root, readTextIfThere } from './sysfs.js';

/** A guest as its QEMU process shows it. */
export interface GuestProcess {
  readonly pid: number;
  readonly name: string;
  readonly configuredBytes: number;
  readonly residentBytes: number;
  readonly traits: MemoryTraits;
}

/** The running guests. One that ends while it is looked at is left out. */
export async function listGuestProcesses(root: Root): Promise<readonly GuestProcess[]> {
  const found = await Promise.all(candidates(root).map((pid) => readGuest(root, pid)));
  return found.filter((guest) => guest !== undefined);
}

/**
 * Whether KSM can merge a running guest's memory, from /proc alone; undefined when no such guest is seen. What the kernel
 * says counts where it may be read, otherwise the command line alone. Looks at the newest processes first, so it is quick
 * for a guest that has just started.
 */
export async function mergeability(root: Root, name: string): Promise<Mergeability | undefined> {
  for (const pid of candidates(root).toSorted((a, b) => b - a)) {
    const guest = await readGuest(root, pid);
    if (guest?.name !== name) continue;
    const reply = await readKsmStat(root, pid);
    return judgeMergeability(guest.traits, reply.kind === 'told' ? reply.stat.mergeable : undefined);
  }
  return undefined;
}

function candidates(root: Root): readonly number[] {
  return listProcesses(root)
    .filter(({ comm }) => QEMU_COMM.test(comm))
    .map(({ pid }) => pid);
}

async function readGuest(root: Root, pid: number): Promise<GuestProcess | undefined> {
  const argv = await commandLine(root, pid);
  const guest = argv === undefined ? undefined : guestOf(argv, pid);
  const status = readTextIfThere(`${root}/proc/${pid}/status`);
  if (argv === undefined || guest === undefined || status === undefined) return undefined;
  const residentBytes = statusBytes(status, 'VmRSS');
  return {
    ...guest,
    pid,
    residentBytes,
    traits: withKernelView(traitsOfCommandLine(argv), status, guest.configuredBytes),
  };
}

/**
 * Memory can be shared or huge without the command line's saying so (-readconfig, a hugetlbfs in an unusual place); then
 * most of what the guest was promised is in there.
 */
function withKernelView({ obstacles, locked }: MemoryTraits, status: string, configuredBytes: number): MemoryTraits {
  const most = (field: string) => configuredBytes > 0 && statusBytes(status, field) * 2 > configuredBytes;
  const seen = [
    ...(most('RssShmem') ? (['shared'] as const) : []),
    ...(most('HugetlbPages') ? (['hugepages'] as const) : []),
  ];
  return { obstacles: [...new Set([...obstacles, ...seen])], locked };
}

/** The "kB" of /proc/PID/status are units of 1024 bytes. */
function statusBytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024;
}
