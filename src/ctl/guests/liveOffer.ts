import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration } from '../../core/duration.js';
import { formatBytes } from '../../core/format.js';
import { guestObstacle } from '../../core/hold.js';
import { savingsOf } from '../../core/savings.js';
import type { GuestProcess } from '../../host/guestProcess.js';
import { KsmDirectory } from '../../host/ksm.js';
import { mergedBytesOf, readKsmStat } from '../../host/ksmStat.js';
import { readMemoryFigures } from '../../host/meminfo.js';
import { type OfferedMemory, readOffered } from '../../host/offeredMemory.js';
import { type Root, pageSizeBytes } from '../../host/sysfs.js';
import { offerMemory } from '../../qemu/memoryOffer.js';
import type { QemuMonitor } from '../../qemu/monitor.js';

/** A running guest whose offer changed. Undefined is what only root may read, or this kernel does not report. */
export interface OfferChange {
  readonly guest: string;
  /** Whether its memory is offered to KSM now. */
  readonly offered: boolean;
  /** Its memory. */
  readonly memoryBytes: number;
  /** Its merged memory before (ksm_stat) and after (smaps, Linux 6.8). */
  readonly mergedBytesBefore: number | undefined;
  readonly mergedBytes: number | undefined;
  /** What of the process is offered after it; firmware and video memory are whatever QEMU is told. */
  readonly offeredBytes: number | undefined;
  /** How long QEMU took. */
  readonly millis: number;
}

/** How often the progress of unmerging is shown, in milliseconds. */
const PROGRESS_MILLIS = 200;

/** Changes a running guest's offer, and reads back from the kernel what came of it. @throws Error where nothing did. */
export async function changeOffer(
  root: Root,
  { pid, name }: Pick<GuestProcess, 'pid' | 'name'>,
  monitor: QemuMonitor,
  offered: boolean,
  progress: (text: string) => void,
): Promise<OfferChange> {
  const mergedBytesBefore = await mergedBytes(root, pid);
  const began = performance.now();
  const watched = new AbortController();
  const isOffered = (bytes: number) => readOffered(root, pid).then((memory) => memory && covers(memory, bytes));
  const [memoryBytes] = await Promise.all([
    offerMemory(monitor, offered, isOffered).finally(() => {
      watched.abort();
    }),
    offered ? undefined : showProgress(name, progress, watched.signal),
  ]);
  const millis = Math.round(performance.now() - began);
  const after = await readOffered(root, pid);
  if (after !== undefined && covers(after, memoryBytes) !== offered) throw new Error(unchanged(offered));
  const { offeredBytes, mergedBytes: left } = after ?? {};
  return { guest: name, offered, memoryBytes, mergedBytesBefore, mergedBytes: left, offeredBytes, millis };
}

/** The change in a sentence without its subject. */
export function offerText({
  offered,
  memoryBytes,
  mergedBytesBefore,
  mergedBytes: left = 0,
  millis,
}: OfferChange): string {
  if (offered) return `its ${formatBytes(memoryBytes)} are offered to KSM`;
  if (mergedBytesBefore === undefined) return 'QEMU withdrew its memory from KSM';
  const rest = left === 0 ? '' : `; ${formatBytes(left)} of firmware and video memory stay merged`;
  return `${formatBytes(Math.max(mergedBytesBefore - left, 0))} unmerged in ${(millis / 1000).toFixed(1)} s${rest}`;
}

/** Why unmerging a guest could take the host out of memory, with the figures; undefined when it fits. */
export function offerObstacle(root: Root, guest: GuestProcess): string | undefined {
  return guestObstacle(guest.name, mostTaken(root, guest), readMemoryFigures(root));
}

/**
 * What unmerging the guest can take at most: its merged pages, and no more than what merging saves in all. What splits of huge pages
 * freed is not among it: unmerging brings none of it back, and the guest may write there before as after.
 */
function mostTaken(root: Root, { ksmStat, residentBytes }: GuestProcess): number {
  const pageBytes = pageSizeBytes(root);
  const { savedBytes } = savingsOf(new KsmDirectory(root).read(), pageBytes);
  return Math.min(mergedBytesOf(ksmStat, pageBytes) ?? residentBytes, savedBytes);
}

async function mergedBytes(root: Root, pid: number): Promise<number | undefined> {
  return mergedBytesOf(await readKsmStat(root, pid), pageSizeBytes(root));
}

/** Beside its memory a guest offers firmware and video memory, which no backend has: some 20 MiB. */
function covers({ offeredBytes }: OfferedMemory, memoryBytes: number): boolean {
  return offeredBytes >= memoryBytes / 2;
}

function unchanged(offered: boolean): string {
  const state = offered
    ? 'its memory is not marked as mergeable in the kernel'
    : 'its memory is still marked as mergeable in the kernel';
  return `QEMU took the command, but nothing happened: ${state} (some QEMU 9.1 ignore it)`;
}

/** No counter shows how far the kernel is before ksmd next comes by. */
async function showProgress(name: string, progress: (text: string) => void, until: AbortSignal): Promise<void> {
  const began = performance.now();
  for (;;) {
    await sleep(PROGRESS_MILLIS);
    if (until.aborted) break;
    progress(`unmerging guest ${name}: ${formatDuration(performance.now() - began)}`);
  }
  progress('');
}
