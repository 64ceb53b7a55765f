import type { Mergeability } from '../core/mergeability.js';
import { Overdue, inTime } from './inTime.js';
import { readOffered } from './offeredMemory.js';
import type { Root } from './sysfs.js';

/** A guest as its process or libvirt shows it. */
interface Seen {
  readonly pid?: number | undefined;
  readonly configuredBytes?: number | undefined;
  readonly mergeability?: Mergeability | undefined;
}

/** All guests' smaps are read within this time; the kernel takes some 25 ms for a gigabyte. */
const PATIENCE_MILLIS = 2000;

/**
 * The guests, with what QEMU has done since it started: an offer that was taken back while the guest ran, or made although it
 * started without one. No command line says that, and ksm_stat only that some memory is offered, as firmware always is. Where
 * smaps may not be read, or in the time that there is, a guest stays as it was.
 */
export async function withLiveOffers<Guest extends Seen>(
  root: Root,
  guests: readonly Guest[],
): Promise<readonly Guest[]> {
  const endMillis = performance.now() + PATIENCE_MILLIS;
  const known = new Map<Guest, Mergeability>();
  // The small ones first, so that time is enough for most.
  for (const guest of guests.toSorted((a, b) => (a.configuredBytes ?? 0) - (b.configuredBytes ?? 0))) {
    const mergeability = await liveMergeability(root, guest, endMillis - performance.now());
    if (mergeability !== undefined) known.set(guest, mergeability);
  }
  return guests.map((guest) => {
    const mergeability = known.get(guest);
    return mergeability === undefined ? guest : { ...guest, mergeability };
  });
}

async function liveMergeability(
  root: Root,
  { pid, configuredBytes, mergeability }: Seen,
  leftMillis: number,
): Promise<Mergeability | undefined> {
  if (pid === undefined || configuredBytes === undefined || mergeability === undefined || leftMillis <= 0) return;
  const { mergeable, obstacles, locked } = mergeability;
  const isForbidden = obstacles.length === 1 && obstacles[0] === 'nosharepages';
  if (!mergeable && !isForbidden) return;
  const memory = await offeredInTime(root, pid, leftMillis);
  if (memory === undefined || memory.offeredBytes >= configuredBytes / 2 === mergeable) return;
  return { mergeable: !mergeable, obstacles: mergeable ? ['taken back'] : [], locked };
}

async function offeredInTime(root: Root, pid: number, millis: number) {
  try {
    return await inTime(`/proc/${pid}/smaps`, millis, () => readOffered(root, pid));
  } catch (error) {
    if (error instanceof Overdue) return undefined;
    throw error;
  }
}
