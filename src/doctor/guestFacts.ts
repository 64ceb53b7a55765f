import { readdirSync } from 'node:fs';
import type { GuestUsers } from '../host/guestUsers.js';
import type { GuestManager, NamedGuest } from '../core/guest.js';
import type { Mergeability } from '../core/mergeability.js';
import { type Entry, type ReportedName, takeInventory } from '../core/inventory.js';
import { withLiveOffers } from '../host/guestOffers.js';
import { type GuestProcess, listGuestProcesses } from '../host/guestProcess.js';
import type { Root } from '../host/sysfs.js';
import type { BusFacts } from './busFacts.js';
import { type Fact, partOf } from './fact.js';

export interface ExaminedGuest extends NamedGuest {
  readonly manager: GuestManager;
  readonly vmId?: string | undefined;
  readonly residentBytes: number;
  readonly configuredBytes: number;
  /** Undefined where its process is not seen. */
  readonly mergeability: Mergeability | undefined;
  /** ksm_process_profit; undefined where the kernel does not report it, or only to root. */
  readonly profitBytes: number | undefined;
}

/** A guest that counts for no decision (KSM_GUEST_USERS), and whose it is. */
export interface StrangersGuest extends ExaminedGuest {
  readonly user: string;
}

export interface GuestFacts {
  readonly guests: Fact<readonly ExaminedGuest[]>;
  /** Guests of users that are not in KSM_GUEST_USERS. */
  readonly strangers: Fact<readonly StrangersGuest[]>;
}

/** The processes that run guests, from /proc alone so that a copy of it will do. */
export async function examineProcesses(root: Root, users: GuestUsers): Promise<readonly GuestProcess[]> {
  return withLiveOffers(root, await listGuestProcesses(root, users));
}

/** The running guests by name, those of strangers apart: the processes, and what libvirt names where it was asked. */
export function guestFacts(processes: Fact<readonly GuestProcess[]>, libvirt: BusFacts['libvirt']): GuestFacts {
  const reported = libvirt.state === 'known' && libvirt.value.kind === 'answers' ? libvirt.value.guests : [];
  const entries = partOf(processes, (seen) =>
    takeInventory(reported, seen).toSorted((a, b) => a.name.localeCompare(b.name)),
  );
  return {
    guests: partOf(entries, (all) => all.filter(({ stranger }) => stranger === undefined).map(examined)),
    strangers: partOf(entries, (all) =>
      all.flatMap((entry) => (entry.stranger === undefined ? [] : [{ ...examined(entry), user: entry.stranger }])),
    ),
  };
}

function examined({ id, name, plainName, reported, process }: Entry<ReportedName, GuestProcess>): ExaminedGuest {
  return {
    ...{ id, name },
    ...(plainName === undefined ? {} : { plainName }),
    manager: reported === undefined ? (process?.manager ?? 'other') : 'libvirt',
    vmId: process?.vmId,
    residentBytes: process?.residentBytes ?? 0,
    configuredBytes: process?.configuredBytes ?? 0,
    mergeability: process?.mergeability,
    profitBytes: process?.ksmStat.kind === 'known' ? process.ksmStat.stat.profitBytes : undefined,
  };
}

/** How far this kernel tells what KSM made of each process. */
export type PerProcessFile = 'ksm_stat' | 'ksm_merging_pages' | 'none';

/** @throws Error where there is no process whose directory could be looked into, as in a copy without guests. */
export function probePerProcessFile(root: Root): Promise<PerProcessFile> {
  const directories = readdirSync(`${root}/proc`).filter((name) => /^(\d+|self)$/.test(name));
  for (const directory of directories) {
    const files = filesOf(`${root}/proc/${directory}`);
    if (files.includes('ksm_stat')) return Promise.resolve('ksm_stat');
    if (files.includes('ksm_merging_pages')) return Promise.resolve('ksm_merging_pages');
    // Every kernel shows a process's stat: the directory is a whole one.
    if (files.includes('stat')) return Promise.resolve('none');
  }
  return Promise.reject(new Error(`${root}/proc has no process to look at`));
}

function filesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
