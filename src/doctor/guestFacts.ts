import { readdirSync } from 'node:fs';
import { configuredGuestUsers } from '../config/guestUsers.js';
import type { Guest } from '../core/guest.js';
import type { Mergeability } from '../core/mergeability.js';
import { withLiveOffers } from '../host/guestOffers.js';
import { listGuestProcesses } from '../host/guestProcess.js';
import type { Root } from '../host/sysfs.js';

export interface ExaminedGuest extends Guest {
  readonly mergeability: Mergeability;
}

/** A guest that counts for no decision (KSM_GUEST_USERS), and whose it is. */
export interface StrangersGuest {
  readonly name: string;
  readonly user: string;
}

/** The running guests, from /proc alone so that a copy of it will do, by name; apart from them those of strangers. */
export async function examineGuests(root: Root): Promise<{
  readonly guests: readonly ExaminedGuest[];
  readonly strangers: readonly StrangersGuest[];
}> {
  const processes = await listGuestProcesses(root, configuredGuestUsers(root));
  const all = (await withLiveOffers(root, processes)).toSorted((a, b) => a.name.localeCompare(b.name));
  return {
    guests: all.filter(({ stranger }) => stranger === undefined),
    strangers: all.flatMap(({ name, stranger }) => (stranger === undefined ? [] : [{ name, user: stranger }])),
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
