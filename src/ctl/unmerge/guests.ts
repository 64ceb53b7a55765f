import { formatBytes, plural } from '../../core/format.js';
import { shellWord } from '../../text/shellWord.js';
import { messageOf } from '../../errors.js';
import { type GuestProcess, listGuestProcesses } from '../../host/guestProcess.js';
import { mergedBytesOf } from '../../host/ksmStat.js';
import { readOffered } from '../../host/offeredMemory.js';
import { pageSizeBytes } from '../../host/sysfs.js';
import { Interrupt } from '../interrupt.js';
import { type LibvirtSide, TAINT, busOf, libvirtSide, monitorOf, withMonitor } from '../guests/liveGuest.js';
import { changeOffer, offerObstacle } from '../guests/liveOffer.js';
import type { VerbInput } from '../verb.js';

/** A guest that was to be unmerged alone; what `samepagectl unmerge --gradually --json` prints of it. */
export interface Step {
  readonly guest: string;
  /** What was merged of it. Undefined where it stays merged, or it is unknown. */
  readonly unmergedBytes?: number | undefined;
  /** Why it was left to the end. */
  readonly problem?: string;
}

/** What an unmerging guest by guest works with. */
export interface OneByOne {
  readonly side: LibvirtSide;
  readonly interrupt: Interrupt;
  /** What became of each guest is added. */
  readonly steps: Step[];
  /** Guests whose offer is to be put back are added before it is taken back. */
  readonly withdrawn: Withdrawn[];
}

/**
 * Does `work`, which has guests unmerged one after the other, and puts their offers back at its end, whatever ends it.
 *
 * @returns what `work` gave, and what became of each guest.
 */
export async function oneByOne<T>(
  input: VerbInput,
  work: (means: OneByOne) => Promise<T>,
): Promise<{ readonly result: T; readonly steps: readonly Step[] }> {
  using bus = await busOf(input);
  const side = await libvirtSide(bus, input);
  using interrupt = new Interrupt();
  const steps: Step[] = [];
  const withdrawn: Withdrawn[] = [];
  let result: T;
  try {
    result = await work({ side, interrupt, steps, withdrawn });
  } finally {
    for (const { process } of withdrawn) steps.push(...(await putBack(process, side)));
    input.progress('');
  }
  return { result, steps };
}

/** A guest whose offer is to be put back, and the most of it that can still be merged. */
export interface Withdrawn {
  readonly process: GuestProcess;
  readonly leftBytes: number;
}

/**
 * Has QEMU take back the offer of one guest after the other, the smallest first, each if it fits into memory. ksmd must rest.
 *
 * @param chosen the guests to unmerge.
 * @returns why it did not go on.
 */
export async function unmergeGuests(
  { force, notice, progress }: VerbInput,
  { side, interrupt, steps, withdrawn }: OneByOne,
  chosen: (guest: GuestProcess) => boolean = () => true,
): Promise<string | undefined> {
  const guests = (await listGuestProcesses('')).filter((guest) => (mergedOf(guest) ?? 1) > 0 && chosen(guest));
  guests.sort((a, b) => (mergedOf(a) ?? 0) - (mergedOf(b) ?? 0));
  let warned = false;
  for (const [index, guest] of guests.entries()) {
    const left = plural(guests.length - index, 'guest');
    if (interrupt.came) return `interrupted, ${left} not unmerged`;
    const obstacle = force ? undefined : offerObstacle('', guest);
    if (obstacle !== undefined) return `${left} not unmerged: ${obstacle}; --force does it anyway`;
    const offered = await readOffered('', guest.pid);
    if (offered === undefined || offered.offeredBytes < guest.configuredBytes / 2) {
      const why = offered === undefined ? 'only root may read what it offers' : 'its memory is not offered to KSM';
      steps.push({ guest: guest.name, problem: `not unmerged alone: ${why}` });
      continue;
    }
    try {
      const change = await withMonitor(guest, side, async (monitor) => {
        if (monitor.taints && !warned) notice(TAINT);
        warned ||= monitor.taints;
        // All of it, until it is read what came of it.
        withdrawn.push({ process: guest, leftBytes: mostMerged(guest) });
        const place = `${index + 1} of ${guests.length}`;
        return changeOffer('', guest, monitor, false, (text) => {
          progress(text === '' ? '' : `${place}, ${text}`);
        });
      });
      withdrawn[withdrawn.length - 1] = { process: guest, leftBytes: change.offeredBytes ?? mostMerged(guest) };
      steps.push({ guest: guest.name, unmergedBytes: change.mergedBytesBefore });
    } catch (error) {
      steps.push({ guest: guest.name, problem: messageOf(error) });
    }
  }
  return interrupt.came ? 'interrupted, what is left is not unmerged' : undefined;
}

/** @returns a step with the problem where the offer could not be put back. A guest that has ended needs none. */
async function putBack(process: GuestProcess, side: LibvirtSide): Promise<readonly Step[]> {
  if ((await readOffered('', process.pid)) === undefined) return [];
  try {
    using monitor = await monitorOf(process, side);
    await changeOffer('', process, monitor, true, () => undefined);
    return [];
  } catch (error) {
    const advice = `samepagectl guests allow --now -- ${shellWord(process.name)}`;
    return [{ guest: process.name, problem: `its memory is not offered again (${messageOf(error)}): ${advice}` }];
  }
}

export function stepText({ guest, unmergedBytes, problem }: Step): string {
  if (problem !== undefined) return problem.startsWith('guest ') ? problem : `guest ${guest}: ${problem}`;
  return `guest ${guest}: ${unmergedBytes === undefined ? 'unmerged' : `${formatBytes(unmergedBytes)} unmerged`}`;
}

export function mostMerged(guest: GuestProcess): number {
  return mergedOf(guest) ?? guest.residentBytes;
}

/** Undefined where only root may read it, or this kernel does not report it. */
export function mergedOf({ ksmStat }: GuestProcess): number | undefined {
  return mergedBytesOf(ksmStat, pageSizeBytes(''));
}
