import type { GuestManager, NamedGuest } from './guest.js';

/**
 * What keeps KSM from merging a guest's memory, with what it means, for a reader. Sources: the kernel's
 * Documentation/admin-guide/mm/ksm.rst ("KSM only merges anonymous (private) pages"), mm/ksm.c (a page that a device holds
 * is left alone), QEMU's hw/core/machine.c (mem-merge is off for confidential guests).
 */
export const OBSTACLES = {
  nosharepages: 'merging is forbidden',
  shared: 'KSM merges private memory only; this is shared (virtiofs, memfd)',
  hugepages: 'KSM merges pages of the base size only; this is in hugetlbfs',
  pinned: 'a passed-through PCI device holds every page where it is',
  encrypted: 'its memory is encrypted with its own key, so no page equals another',
  'not offered': 'the hypervisor has not offered the memory to KSM',
  'taken back': 'QEMU has withdrawn its memory from KSM',
} as const;
export type Obstacle = keyof typeof OBSTACLES;

/** What a definition or a command line says of a guest's memory; the first obstacle is the one to name. */
export interface MemoryTraits {
  readonly obstacles: readonly Obstacle[];
  /** Kept out of swap. KSM merges such memory as any other; what it has merged is copied when it is written to. */
  readonly locked: boolean;
}

export interface Mergeability extends MemoryTraits {
  readonly mergeable: boolean;
}

/** These hold whatever QEMU has offered: beside its memory, a guest has firmware and video memory that KSM may take. */
const STRONGER_THAN_AN_OFFER: ReadonlySet<Obstacle> = new Set(['shared', 'hugepages', 'pinned', 'encrypted']);

/**
 * Whether KSM can merge the guest's memory.
 *
 * @param offered whether the kernel says that some memory of the process is offered (ksm_mergeable); undefined on a kernel
 *   that does not say. A process can be offered as a whole without QEMU's doing (PR_SET_MEMORY_MERGE, systemd's MemoryKSM=).
 */
export function judgeMergeability({ obstacles, locked }: MemoryTraits, offered: boolean | undefined): Mergeability {
  const standing = offered === true ? lastingObstacles({ obstacles }) : obstacles;
  if (offered === false && standing.length === 0) return { mergeable: false, obstacles: ['not offered'], locked };
  return { mergeable: standing.length === 0, obstacles: standing, locked };
}

/** What keeps KSM from the guest's memory whatever QEMU offers; undefined mergeability: not known. */
export function lastingObstacles(traits: Pick<MemoryTraits, 'obstacles'> | undefined): readonly Obstacle[] {
  return traits?.obstacles.filter((name) => STRONGER_THAN_AN_OFFER.has(name)) ?? [];
}

/**
 * A running guest's memory and what KSM made of it. Undefined is what is unknown: the kernel is too old, root is needed,
 * or there is no process to be seen.
 */
export interface GuestMemory extends NamedGuest {
  readonly id: string;
  readonly pid: number | undefined;
  /** Who starts it. */
  readonly manager: GuestManager;
  /** Its number with Proxmox VE. */
  readonly vmId: string | undefined;
  readonly cgroup: string | undefined;
  /** Whose it is, where it counts for no decision because that is nobody in KSM_GUEST_USERS. */
  readonly stranger: string | undefined;
  readonly configuredBytes: number | undefined;
  /** Merged pages are in it, each as if it were the guest's own. */
  readonly residentBytes: number | undefined;
  readonly mergeability: Mergeability | undefined;
  /** Whether KSM may merge its memory from its next start on; undefined where it has no definition that lasts. */
  readonly allowedNext?: boolean | undefined;
  /** The guest's pages that are merged, those into the kernel's zero page (use_zero_pages) among them. */
  readonly mergedPages: number | undefined;
  /**
   * What the merged pages amount to. Not what this guest alone frees: of the pages that are equal to one another one
   * copy stays, and each guest that has the page counts it (Documentation/admin-guide/mm/ksm.rst, ksm_merging_pages).
   */
  readonly mergedBytes: number | undefined;
  /** What splits of huge pages gave back of it; the running samepaged alone knows it. */
  readonly freedBytes: number | undefined;
  /**
   * mergedBytes less what the kernel keeps in memory for it (ksm_process_profit), and freedBytes; below 0 where KSM costs
   * more.
   */
  readonly profitBytes: number | undefined;
}

/** What only the guest's process shows. */
export type GuestDetails = Pick<GuestMemory, 'manager' | 'vmId' | 'mergeability' | 'mergedBytes' | 'profitBytes'>;

/** Most merged pages first, then by name. */
export function byMergedPages(a: GuestMemory, b: GuestMemory): number {
  return (b.mergedPages ?? -1) - (a.mergedPages ?? -1) || a.name.localeCompare(b.name);
}
