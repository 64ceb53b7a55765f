import { existsSync } from 'node:fs';
import { type MemoryTraits, type Mergeability, judgeMergeability } from '../core/mergeability.js';
import { qmpSocketOf } from './qemuOptions.js';
import { clean } from '../text/clean.js';
import { Overdue } from './inTime.js';
import type { GuestUsers } from './guestUsers.js';
import { type KsmStatReply, readKsmStat } from './ksmStat.js';
import { commandLine, memoryStatus } from './processes.js';
import { guestOf, listCandidates } from './qemu.js';
import { traitsOfCommandLine } from './qemuMemory.js';
import type { Root } from './sysfs.js';

/** A guest as its QEMU process shows it. */
export interface GuestProcess {
  readonly pid: number;
  readonly name: string;
  readonly configuredBytes: number;
  readonly residentBytes: number;
  readonly ksmStat: KsmStatReply;
  /** What the kernel says counts where it may be read, otherwise the command line alone. */
  readonly mergeability: Mergeability;
  /** Where QEMU listens for a program that is to speak to its monitor. */
  readonly qmpSocket: string | undefined;
  /** Whose it is, where that is nobody whose guests count (KSM_GUEST_USERS). */
  readonly stranger: string | undefined;
}

/**
 * The running guests, those of strangers last. One that ends while it is looked at is left out, and so is one that does not
 * answer in time.
 */
export async function listGuestProcesses(root: Root, users?: GuestUsers): Promise<readonly GuestProcess[]> {
  const candidates = listCandidates(root).map(({ pid }) => ({ pid, stranger: users?.stranger(pid) }));
  const sorted = [
    ...candidates.filter(({ stranger }) => stranger === undefined),
    ...candidates.filter(({ stranger }) => stranger !== undefined),
  ];
  const found = await Promise.all(
    sorted.map(({ pid, stranger }) => readGuest(root, pid, stranger).catch(unlessOverdue)),
  );
  return found.filter((guest) => guest !== undefined);
}

/**
 * Whether KSM can merge a running guest's memory, from /proc alone; undefined when no such guest is seen. Looks at the
 * newest processes first, so it is quick for a guest that has just started. A stranger's guest of that name is another.
 */
export async function mergeability(root: Root, name: string, users?: GuestUsers): Promise<Mergeability | undefined> {
  const cleaned = clean(name);
  for (const { pid } of listCandidates(root).toSorted((a, b) => b.pid - a.pid)) {
    if (users?.stranger(pid) !== undefined) continue;
    const guest = await readGuest(root, pid, undefined);
    if (guest?.name === cleaned) return guest.mergeability;
  }
  return undefined;
}

function unlessOverdue(error: unknown): undefined {
  if (!(error instanceof Overdue)) throw error;
  return undefined;
}

async function readGuest(root: Root, pid: number, stranger: string | undefined): Promise<GuestProcess | undefined> {
  const argv = await commandLine(root, pid);
  const guest = argv === undefined ? undefined : guestOf(argv, pid);
  const memory = memoryStatus(root, pid);
  if (argv === undefined || guest === undefined || memory === undefined) return undefined;
  const ksmStat = await readKsmStat(root, pid);
  if (ksmStat.kind === 'absent' && !existsSync(`${root}/proc/${pid}`)) return undefined;
  const traits = withKernelView(traitsOfCommandLine(argv), memory, guest.configuredBytes);
  const offered = ksmStat.kind === 'told' ? ksmStat.stat.mergeable : undefined;
  return {
    ...guest,
    pid,
    residentBytes: memory('VmRSS'),
    ksmStat,
    mergeability: judgeMergeability(traits, offered),
    qmpSocket: qmpSocketOf(argv),
    stranger,
  };
}

/**
 * Memory can be shared or huge without the command line's saying so (-readconfig, a hugetlbfs in an unusual place); then
 * most of what the guest was promised is in there.
 */
function withKernelView(
  { obstacles, locked }: MemoryTraits,
  memory: (field: string) => number,
  configuredBytes: number,
): MemoryTraits {
  const most = (field: string) => configuredBytes > 0 && memory(field) * 2 > configuredBytes;
  const seen = [
    ...(most('RssShmem') ? (['shared'] as const) : []),
    ...(most('HugetlbPages') ? (['hugepages'] as const) : []),
  ];
  return { obstacles: [...new Set([...obstacles, ...seen])], locked };
}
