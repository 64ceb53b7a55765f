import { Bus, type BusAddress } from '../../dbus/bus.js';
import { Daemon } from '../../api/client.js';
import { configuredGuestUsers } from '../../config/guestUsers.js';
import { type GuestMemory, byMergedPages, judgeMergeability } from '../../core/mergeability.js';
import { withLiveOffers } from '../../host/guestOffers.js';
import { type GuestProcess, listGuestProcesses } from '../../host/guestProcess.js';
import { KsmDirectory } from '../../host/ksm.js';
import type { KsmStatReply } from '../../host/ksmStat.js';
import { type Root, pageSizeBytes } from '../../host/sysfs.js';
import { Libvirt } from '../../libvirt/libvirt.js';
import { forbidsMerging } from '../../libvirt/domainXml.js';
import { Definitions, libvirtReason } from '../../libvirt/definitions.js';
import type { ToldGuest } from '../../libvirt/domain.js';
import { traitsOfDefinition } from '../../libvirt/memoryBacking.js';

/** Where guests are looked for. */
export interface Sources {
  readonly root: Root;
  /** Undefined: libvirt is not asked. */
  readonly bus: BusAddress | undefined;
  /** libvirt-dbus's object, or `none`. */
  readonly libvirt: string;
}

/**
 * Every running guest; what `samepagectl guests --json` prints, with names and units as here. A value that nobody tells is
 * left out.
 */
export interface GuestsReport {
  /** `proc`: libvirt was not asked or did not answer. */
  readonly source: 'libvirt' | 'proc';
  readonly guests: readonly GuestMemory[];
  /**
   * What merging saves on this host, in bytes: pages_sharing. The guests' mergedBytes add up to more, since each counts
   * the copy that stays. Undefined without KSM.
   */
  readonly hostSavedBytes: number | undefined;
  /** What could not be told, why, and what to do. */
  readonly notes: readonly string[];
}

interface Told {
  readonly guests: readonly ToldGuest[];
  readonly definitions: ReadonlyMap<string, string>;
  /** Whether merging is allowed from the next start on. */
  readonly allowedNext: ReadonlyMap<string, boolean | undefined>;
}

/** Asks the kernel, and libvirt where it can be reached. */
export async function reportGuests({ root, bus, libvirt }: Sources): Promise<GuestsReport> {
  const processes = await listGuestProcesses(root, configuredGuestUsers(root));
  const ksm = new KsmDirectory(root);
  const notes = replyNotes(new Set(processes.map(({ ksmStat }) => ksmStat.kind)), ksm.exists());
  // Of the same name, the guest that counts is the one that libvirt means.
  const byName = new Map(processes.toReversed().map((process) => [process.name, process]));
  const told = await askLibvirt(bus, libvirt, byName).catch((error: unknown) => {
    notes.unshift(`guests are taken from /proc alone: ${libvirtReason(error)}`);
    return undefined;
  });

  const pageBytes = pageSizeBytes(root);
  const fromLibvirt = (told?.guests ?? []).map((guest) => {
    const process = byName.get(guest.name);
    if (process !== undefined) return fromProcess(process, pageBytes, guest);
    return fromDefinition(guest, told?.definitions.get(guest.name));
  });
  if (fromLibvirt.some(({ pid }) => pid === undefined)) {
    notes.push('a guest without figures has no QEMU process that can be seen from here');
  }
  const freed = await freedByGuest(bus);
  const taken = new Set(fromLibvirt.map(({ pid }) => pid));
  const rest = processes.filter(({ pid }) => !taken.has(pid));
  const others = rest.map((process) => fromProcess(process, pageBytes));
  for (const { name, stranger } of rest) {
    if (stranger === undefined) continue;
    notes.push(`${name} does not count for decisions: it runs as ${stranger}, who is not in KSM_GUEST_USERS`);
  }
  return {
    source: told === undefined ? 'proc' : 'libvirt',
    guests: (await withLiveOffers(root, [...fromLibvirt, ...others]))
      .map((guest) => ({ ...withFreed(guest, freed), allowedNext: told?.allowedNext.get(guest.name) }))
      .toSorted(byMergedPages),
    hostSavedBytes: ksm.exists() ? ksm.read().pagesSharing * pageBytes : undefined,
    notes,
  };
}

/** What the running samepaged knows to have been freed; nothing where it does not run or is of another version. */
async function freedByGuest(address: BusAddress | undefined): Promise<ReadonlyMap<string, number>> {
  if (address === undefined) return new Map();
  try {
    const guests = await Daemon.with(address, (daemon) => daemon.guests());
    return new Map(guests.map(({ name, freedBytes }) => [name, freedBytes]));
  } catch {
    return new Map();
  }
}

function withFreed(guest: GuestMemory, freed: ReadonlyMap<string, number>): GuestMemory {
  const freedBytes = freed.get(guest.name);
  const { profitBytes } = guest;
  return {
    ...guest,
    freedBytes,
    profitBytes: profitBytes === undefined ? undefined : profitBytes + (freedBytes ?? 0),
  };
}

function replyNotes(kinds: ReadonlySet<KsmStatReply['kind']>, hasKsm: boolean): string[] {
  const untold = hasKsm
    ? 'this kernel does not tell what is merged of a process; Linux 5.19 and newer do'
    : 'this kernel has no KSM';
  return [
    ...(kinds.has('denied') ? ['what is merged of a guest only root may read: sudo samepagectl guests'] : []),
    ...(kinds.has('absent') ? [untold] : []),
  ];
}

/** The running guests, with the definitions of those whose process is not seen. Nothing when libvirt is not to be asked. */
async function askLibvirt(
  address: BusAddress | undefined,
  object: string,
  seen: ReadonlyMap<string, unknown>,
): Promise<Told | undefined> {
  if (object === 'none' || address === undefined) return undefined;
  using bus = await Bus.connect(address);
  const guests = await new Libvirt(bus, object).listGuests();
  const definitions = new Definitions(bus, object);
  const unseen = guests.filter(({ name }) => !seen.has(name));
  const read = unseen.map(async ({ name }): Promise<[string, string] | undefined> => {
    try {
      return [name, await definitions.liveXml(await definitions.lookup(name))];
    } catch {
      // It ended meanwhile, or libvirt keeps its definition from us: then its memory is not judged.
      return undefined;
    }
  });
  const next = guests.map(async ({ name }) => [name, await allowedNext(definitions, name)] as const);
  return {
    guests,
    definitions: new Map((await Promise.all(read)).filter((entry) => entry !== undefined)),
    allowedNext: new Map(await Promise.all(next)),
  };
}

async function allowedNext(definitions: Definitions, name: string): Promise<boolean | undefined> {
  try {
    const path = await definitions.lookup(name);
    return (await definitions.isPersistent(path)) ? !forbidsMerging(await definitions.nextXml(path)) : undefined;
  } catch {
    // It ended meanwhile, or libvirt keeps its definition from us.
    return undefined;
  }
}

function fromProcess(process: GuestProcess, pageBytes: number, told?: ToldGuest): GuestMemory {
  const { pid, name, residentBytes, mergeability, ksmStat } = process;
  const stat = ksmStat.kind === 'told' ? ksmStat.stat : undefined;
  const { mergingPages, zeroPages = 0 } = stat ?? {};
  const mergedPages = mergingPages === undefined ? undefined : mergingPages + zeroPages;
  return {
    name,
    pid,
    configuredBytes: known(told?.configuredBytes ?? 0) ?? known(process.configuredBytes),
    residentBytes: told?.residentBytes ?? residentBytes,
    mergeability,
    mergedPages,
    mergedBytes: mergedPages === undefined ? undefined : mergedPages * pageBytes,
    freedBytes: undefined,
    profitBytes: stat?.profitBytes,
  };
}

function fromDefinition({ name, configuredBytes, residentBytes }: ToldGuest, xml: string | undefined): GuestMemory {
  return {
    name,
    pid: undefined,
    configuredBytes: known(configuredBytes),
    residentBytes,
    mergeability: xml === undefined ? undefined : judgeMergeability(traitsOfDefinition(xml), undefined),
    mergedPages: undefined,
    mergedBytes: undefined,
    freedBytes: undefined,
    profitBytes: undefined,
  };
}

/** 0 is what is said of memory that is not told. */
function known(bytes: number): number | undefined {
  return bytes === 0 ? undefined : bytes;
}
