import type { AnonymousMemory } from './freedBySplits.js';

/** Which guest is meant, and what people call it. */
export interface NamedGuest {
  /**
   * What tells it from every other: libvirt's UUID, or pid and start time of its process. Absent where the name is the
   * identity, as in a simulation and in a history.
   */
  readonly id?: string;
  /** Unique among the guests that run, for people: `windows`, `windows (pid 3002)`. */
  readonly name: string;
  /** The name that it was given, without what makes it unique; absent where that is the same. */
  readonly plainName?: string;
}

/**
 * Who starts a guest, and so whose words a remedy is in: the host's libvirt, a user's own libvirt (qemu:///session), Proxmox
 * VE, KubeVirt, another hypervisor's command line, QEMU's.
 */
export type GuestManager = 'libvirt' | 'session' | 'proxmox' | 'kubevirt' | 'cloud-hypervisor' | 'qemu' | 'other';

/** A running guest. */
export interface Guest extends NamedGuest {
  /** Memory of the guest's process that is in RAM, in bytes; 0 where it is unknown (libvirt's test driver). */
  readonly residentBytes: number;
  /** Memory the guest was promised (its maximum), in bytes; 0 where the hypervisor does not report it. */
  readonly configuredBytes: number;
  /** What merging saves of its memory less what it costs, in bytes (ksm_process_profit); absent where it is unknown. */
  readonly ksmProfitBytes?: number;
  /** Memory that it has from hugepage pools, which is neither in `residentBytes` nor ksmd's to merge, in bytes. */
  readonly hugetlbBytes?: number;
  /** What its balloon leaves it, in bytes; absent where nobody says. */
  readonly balloonBytes?: number;
}

/** What only the kernel reports of a guest. */
export type KernelGuest = Pick<Guest, 'ksmProfitBytes' | 'hugetlbBytes'> & {
  /** Its merged pages, in bytes (ksm_merging_pages); absent where it is unknown. */
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

export interface GuestEvent extends NamedGuest {
  readonly change: GuestChange;
}

/** The memory of all guests that is in RAM, in bytes: what ksmtuned calls committed. */
export function residentBytesOf(guests: readonly Guest[]): number {
  return guests.reduce((sum, guest) => sum + guest.residentBytes, 0);
}

/** By which a guest is remembered from one retune to the next. */
export function guestId({ id, name }: NamedGuest): string {
  return id ?? name;
}

/** What people call the guests with these identities. */
export function namesOf(ids: readonly string[], guests: readonly NamedGuest[]): readonly string[] {
  const names = new Map(guests.map((guest) => [guestId(guest), guest.name]));
  return ids.map((id) => names.get(id) ?? id);
}
