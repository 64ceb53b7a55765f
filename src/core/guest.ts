import type { AnonymousMemory } from './freedBySplits.js';

/** A running guest. Its name is its identity: libvirt keeps names unique on a host, and QEMU is given the same one. */
export interface Guest {
  readonly name: string;
  /** Memory of the guest's process that is in RAM, in bytes; 0 where nobody tells (libvirt's test driver). */
  readonly residentBytes: number;
  /** Memory the guest was promised (its maximum), in bytes; 0 where the hypervisor does not tell. */
  readonly configuredBytes: number;
  /** What merging saves of its memory less what it costs, in bytes (ksm_process_profit); absent where nobody tells. */
  readonly ksmProfitBytes?: number;
  /** Memory that it has from hugepage pools, which is neither in `residentBytes` nor ksmd's to merge, in bytes. */
  readonly hugetlbBytes?: number;
  /** What its balloon leaves it, in bytes; absent where nobody says. */
  readonly balloonBytes?: number;
}

/** What the kernel alone tells of a guest. */
export type KernelGuest = Pick<Guest, 'ksmProfitBytes' | 'hugetlbBytes'> & {
  /** Its merged pages, in bytes (ksm_merging_pages); absent where nobody tells. */
  readonly mergedBytes?: number;
  /** Its private memory, as its process shows it. */
  readonly anonymous: Omit<AnonymousMemory, 'balloonBytes'>;
};

/** `resized`: its memory changed, by its balloon or a memory device. */
const GUEST_CHANGES = ['started', 'stopped', 'crashed', 'resized'] as const;
export type GuestChange = (typeof GUEST_CHANGES)[number];

export function isGuestChange(value: unknown): value is GuestChange {
  return GUEST_CHANGES.some((change) => change === value);
}

export interface GuestEvent {
  readonly change: GuestChange;
  readonly name: string;
}

/** What a guest source reports: one change, or the full list of running guests, which repairs whatever was missed. */
export type GuestReport =
  ({ readonly kind: 'event' } & GuestEvent) | { readonly kind: 'list'; readonly names: readonly string[] };

/** Names of the running guests; undefined until the first list. */
export type Inventory = ReadonlySet<string> | undefined;

/**
 * Takes a report into the inventory. Idempotent: a report that says nothing new gives no event, in whatever order events
 * and lists arrive. The first list is where we begin, not a change; events before it are passed on as they are.
 */
export function takeReport(inventory: Inventory, report: GuestReport): readonly [Inventory, readonly GuestEvent[]] {
  if (report.kind === 'list') {
    const listed = new Set(report.names);
    if (inventory === undefined) return [listed, []];
    const stopped = [...inventory].filter((name) => !listed.has(name));
    const started = [...listed].filter((name) => !inventory.has(name));
    return [
      listed,
      [
        ...stopped.map((name): GuestEvent => ({ change: 'stopped', name })),
        ...started.map((name): GuestEvent => ({ change: 'started', name })),
      ],
    ];
  }
  const { change, name } = report;
  if (inventory === undefined) return [undefined, [{ change, name }]];
  const known = inventory.has(name);
  if (change === 'resized') return [inventory, known ? [{ change, name }] : []];
  if (known === (change === 'started')) return [inventory, []];
  const next = new Set(inventory);
  if (change === 'started') next.add(name);
  else next.delete(name);
  return [next, [{ change, name }]];
}

/** The memory of all guests that is in RAM, in bytes: what ksmtuned calls committed. */
export function residentBytesOf(guests: readonly Guest[]): number {
  return guests.reduce((sum, guest) => sum + guest.residentBytes, 0);
}
