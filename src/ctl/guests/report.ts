import { Bus, isNoSuchService } from '../../dbus/bus.js';
import { type BusAddress } from '../../dbus/address.js';
import { withDaemon } from '../../api/withDaemon.js';
import { configuredGuestUsers } from '../../config/guestUsers.js';
import { DEFAULT_CONFIG_FILE } from '../../config/load.js';
import { type GuestMemory, byMergedPages, judgeMergeability } from '../../core/mergeability.js';
import { type Entry, takeInventory } from '../../core/inventory.js';
import { onlyCosting } from '../../core/onlyCosting.js';
import { describeOnlyCosting } from './onlyCosting.js';
import type { Problem } from '../../core/sample.js';
import { withLiveOffers } from '../../host/guestOffers.js';
import { type GuestProcess, listGuestProcesses } from '../../host/guestProcess.js';
import { libvirtIsHere } from '../../host/libvirtHere.js';
import { type OtherMergers, readOtherMergers } from '../../host/otherMergers.js';
import { KsmDirectory } from '../../host/ksm.js';
import { type KsmStatReply, mergedPagesOf } from '../../host/ksmStat.js';
import { type Root, pageSizeBytes } from '../../host/sysfs.js';
import { Libvirt } from '../../libvirt/libvirt.js';
import { forbidsMerging } from '../../libvirt/domainXml.js';
import { Definitions, libvirtReason } from '../../libvirt/definitions.js';
import type { ReportedGuest } from '../../libvirt/domain.js';
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
 * Every running guest; what `samepagectl guests --json` prints, with names and units as here. An unknown value is
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
  /** Processes that use KSM and run no guest; undefined where it is unknown. */
  readonly otherMergers: OtherMergers | undefined;
  /** What is not known, why, and what to do. */
  readonly notes: readonly string[];
}

interface LibvirtReport {
  readonly guests: readonly ReportedGuest[];
  /** Definitions of those whose process is not seen, by UUID. */
  readonly definitions: ReadonlyMap<string, string>;
  /** Whether merging is allowed from the next start on. */
  readonly allowedNext: ReadonlyMap<string, boolean | undefined>;
}

/** Asks the kernel, and libvirt where it can be reached. */
export async function reportGuests({ root, bus, libvirt }: Sources): Promise<GuestsReport> {
  const problems: Problem[] = [];
  const { configFile, freed } = await daemonView(bus);
  const processes = await listGuestProcesses(root, configuredGuestUsers(root, configFile), problems);
  const ksm = new KsmDirectory(root);
  const notes = replyNotes(new Set(processes.map(({ ksmStat }) => ksmStat.kind)), ksm.exists());
  const reported = await askLibvirt(bus, libvirt, processes).catch((error: unknown) => {
    if (!isNoSuchService(error) || libvirtIsHere(root)) {
      notes.unshift(`guests are read from /proc only: ${libvirtReason(error)}`);
    }
    return undefined;
  });

  const pageBytes = pageSizeBytes(root);
  const entries = takeInventory(reported?.guests ?? [], processes);
  if (entries.some(({ process }) => process === undefined)) {
    notes.push('a guest without figures has no QEMU process that can be seen from here');
  }
  notes.push(...oddNotes(entries), ...strangerNotes(entries, configFile), ...problems.map(({ sentence }) => sentence));
  const guests = entries.map((entry) => withFreed(memoryOf(entry, pageBytes, reported?.definitions), freed));
  const costing = onlyCosting(guests, ksm.exists() ? ksm.read().fullScans : undefined);
  if (costing.length > 0) notes.push(describeOnlyCosting(costing));
  return {
    source: reported === undefined ? 'proc' : 'libvirt',
    guests: (await withLiveOffers(root, guests))
      .map((guest) => ({ ...guest, allowedNext: reported?.allowedNext.get(guest.name) }))
      .toSorted(byMergedPages),
    hostSavedBytes: ksm.exists() ? ksm.read().pagesSharing * pageBytes : undefined,
    // Where only root may know, the note on the guests says so.
    otherMergers: await readOtherMergers(root, new Set(processes.map(({ pid }) => pid))).catch(() => undefined),
    notes,
  };
}

/** Whose file of the kernel is not as it should be. */
function oddNotes(entries: readonly Entry<ReportedGuest, GuestProcess>[]): readonly string[] {
  return entries.flatMap(({ name, process }) =>
    process?.ksmStat.kind === 'odd' ? [`what is merged of ${name} is not known (${process.ksmStat.why})`] : [],
  );
}

/** Who does not count, why, and the key that changes it. */
function strangerNotes(
  entries: readonly Entry<ReportedGuest, GuestProcess>[],
  configFile = DEFAULT_CONFIG_FILE,
): readonly string[] {
  return entries.flatMap(({ name, stranger }) =>
    stranger === undefined
      ? []
      : [
          `${name} does not count for decisions: it runs as ${stranger}, who is not in KSM_GUEST_USERS ` +
            `(add ${stranger} to that key in ${configFile} to make it count)`,
        ],
  );
}

/** What the running samepaged alone knows; nothing where it does not run or is of another version. */
interface DaemonView {
  readonly configFile: string | undefined;
  /** What splits of huge pages freed, by identity. */
  readonly freed: ReadonlyMap<string, number>;
}

async function daemonView(address: BusAddress | undefined): Promise<DaemonView> {
  const nothing: DaemonView = { configFile: undefined, freed: new Map() };
  if (address === undefined) return nothing;
  try {
    return await withDaemon(address, async (daemon) => {
      const [{ configFile }, guests] = [await daemon.properties(), await daemon.guests()];
      return { configFile, freed: new Map(guests.map(({ id, name, freedBytes }) => [id ?? name, freedBytes])) };
    });
  } catch {
    return nothing;
  }
}

function withFreed(guest: GuestMemory, freed: ReadonlyMap<string, number>): GuestMemory {
  const freedBytes = freed.get(guest.id);
  const { profitBytes } = guest;
  return {
    ...guest,
    freedBytes,
    profitBytes: profitBytes === undefined ? undefined : profitBytes + (freedBytes ?? 0),
  };
}

function replyNotes(kinds: ReadonlySet<KsmStatReply['kind']>, hasKsm: boolean): string[] {
  const absent = hasKsm
    ? 'this kernel does not show what is merged of a process; Linux 5.19 and newer do'
    : 'this kernel has no KSM';
  return [
    ...(kinds.has('denied') ? ['only root can read what is merged of a guest: sudo samepagectl guests'] : []),
    // Where it shows another's, the process was ending.
    ...(kinds.has('absent') && !kinds.has('known') ? [absent] : []),
  ];
}

/** The running guests, with the definitions of those whose process is not seen. Undefined when libvirt is not to be asked. */
async function askLibvirt(
  address: BusAddress | undefined,
  object: string,
  processes: readonly GuestProcess[],
): Promise<LibvirtReport | undefined> {
  if (object === 'none' || address === undefined) return undefined;
  using bus = await Bus.connect(address);
  const guests = await new Libvirt(bus, object).listGuests();
  const definitions = new Definitions(bus, object);
  const unseen = takeInventory(guests, processes).filter(({ process }) => process === undefined);
  const read = unseen.map(async ({ id, name }): Promise<[string, string] | undefined> => {
    try {
      return [id, await definitions.liveXml(await definitions.lookup(name))];
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

function memoryOf(
  { id, name, plainName, reported, process, stranger }: Entry<ReportedGuest, GuestProcess>,
  pageBytes: number,
  definitions: ReadonlyMap<string, string> | undefined,
): GuestMemory {
  const stat = process?.ksmStat.kind === 'known' ? process.ksmStat.stat : undefined;
  const mergedPages = process && mergedPagesOf(process.ksmStat);
  const xml = definitions?.get(id);
  return {
    id,
    name,
    ...(plainName === undefined ? {} : { plainName }),
    pid: process?.pid,
    manager: reported === undefined ? (process?.manager ?? 'other') : 'libvirt',
    vmId: process?.vmId,
    cgroup: process?.cgroup,
    stranger,
    configuredBytes: known(reported?.configuredBytes ?? 0) ?? known(process?.configuredBytes ?? 0),
    residentBytes: reported?.residentBytes ?? process?.residentBytes,
    mergeability:
      process?.mergeability ?? (xml === undefined ? undefined : judgeMergeability(traitsOfDefinition(xml), undefined)),
    mergedPages,
    mergedBytes: mergedPages === undefined ? undefined : mergedPages * pageBytes,
    freedBytes: undefined,
    profitBytes: stat?.profitBytes,
  };
}

/** 0 stands for memory that is not reported. */
function known(bytes: number): number | undefined {
  return bytes === 0 ? undefined : bytes;
}
