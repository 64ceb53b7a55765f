import { existsSync } from 'node:fs';
import { type MemoryTraits, type Mergeability, judgeMergeability } from '../core/mergeability.js';
import type { GuestManager } from '../core/guest.js';
import type { SeenProcess } from '../core/inventory.js';
import type { Problem } from '../core/sample.js';
import { readCgroup } from './cgroup.js';
import { managerOf } from './guestManager.js';
import { type FoundGuest, GuestScan } from './guestScan.js';
import type { GuestUsers } from './guestUsers.js';
import { Overdue } from './inTime.js';
import { type KsmStatReply, readKsmStat } from './ksmStat.js';
import type { KsmStatReader } from './ksmStatReader.js';
import { processStatus } from './processes.js';
import { qmpSocketOf } from './qemuOptions.js';
import type { Root } from './sysfs.js';

/** A process that runs a guest, and its memory at one moment. */
export interface SeenGuest extends SeenProcess {
  readonly found: FoundGuest;
  readonly configuredBytes: number;
  /** A size of /proc/PID/status, in bytes. */
  readonly memory: (field: string) => number;
}

/** A guest as its process shows it. */
export interface GuestProcess extends SeenProcess {
  readonly configuredBytes: number;
  readonly residentBytes: number;
  readonly ksmStat: KsmStatReply;
  /** What the kernel says counts where it may be read, otherwise the command line alone. */
  readonly mergeability: Mergeability;
  /** Where QEMU listens for a program that is to speak to its monitor. */
  readonly qmpSocket: string | undefined;
  /** Its number with the host's manager, as Proxmox gives one. */
  readonly vmId: string | undefined;
  /** Its cgroup's path; undefined where there is none but the root. */
  readonly cgroup: string | undefined;
  readonly manager: GuestManager;
}

/**
 * The guests that were found and still run, with their memory. A process whose parent has the same command line is a part of
 * that guest: crosvm's devices.
 */
export function seeGuests(root: Root, found: readonly FoundGuest[], users?: GuestUsers): readonly SeenGuest[] {
  const strangerOf = users?.strangers() ?? (() => undefined);
  const byPid = new Map(found.map((guest) => [guest.pid, guest]));
  return found.flatMap((guest): SeenGuest[] => {
    const status = processStatus(root, guest.pid);
    if (status === undefined) return [];
    const parent = byPid.get(status.parent ?? 0);
    if (parent?.argv.join('\0') === guest.argv.join('\0')) return [];
    const { pid, startTime, description } = guest;
    const { name, plainName, uuid, configuredBytes } = description;
    const stranger = strangerOf(status.user);
    return [
      {
        ...{ pid, startTime, name, configuredBytes, found: guest, memory: status.memory },
        ...(plainName === undefined ? {} : { plainName }),
        ...(uuid === undefined ? {} : { uuid }),
        ...(stranger === undefined ? {} : { stranger }),
      },
    ];
  });
}

/**
 * The running guests, those of strangers last. One that ends while it is looked at is left out, and so is one that does not
 * answer in time.
 *
 * @param problems of guests of which something could not be read.
 */
export async function listGuestProcesses(
  root: Root,
  users?: GuestUsers,
  problems: Problem[] = [],
): Promise<readonly GuestProcess[]> {
  const seen = seeGuests(root, await new GuestScan(root).now(problems), users);
  const sorted = [
    ...seen.filter(({ stranger }) => stranger === undefined),
    ...seen.filter(({ stranger }) => stranger !== undefined),
  ];
  const guests = await Promise.all(sorted.map((guest) => readGuest(root, guest, undefined).catch(unlessOverdue)));
  return guests.filter((guest) => guest !== undefined);
}

function unlessOverdue(error: unknown): undefined {
  if (!(error instanceof Overdue)) throw error;
  return undefined;
}

/** A guest in every detail; undefined where it has ended. @throws Overdue */
export async function readGuest(
  root: Root,
  { found, memory, ...seen }: SeenGuest,
  reader: KsmStatReader | undefined,
): Promise<GuestProcess | undefined> {
  const { pid, argv, hypervisor, description } = found;
  const ksmStat = await readKsmStat(root, pid, reader);
  if (ksmStat.kind === 'absent' && !existsSync(`${root}/proc/${pid}`)) return undefined;
  const traits = withKernelView(hypervisor.traits(argv), memory, description.configuredBytes);
  const cgroup = readCgroup(root, pid);
  const offered = ksmStat.kind === 'known' ? ksmStat.stat.mergeable : undefined;
  return {
    ...seen,
    residentBytes: memory('VmRSS'),
    ksmStat,
    mergeability: judgeMergeability(traits, offered),
    qmpSocket: qmpSocketOf(argv),
    vmId: description.vmId,
    cgroup,
    manager: managerOf(found, cgroup),
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
