import { guestId, residentBytesOf } from '../../guest.js';
import type { Sample } from '../../sample.js';
import { mergingNanosOf, passesToMerge } from '../shared/burst.js';
import type { ScanCause } from '../shared/cause.js';
import { type KsmdCounters, UNSHARED_PAGE_NANOS, worthOf } from '../shared/progress.js';
import { PATIENCE_MILLIS } from '../shared/settling.js';
import type { Course, Settle, Situation } from './phase.js';

// Whether a burst waits: for guests that are coming up, or because too little came.

/** Guests that brought little wait for more until a burst for them takes no more than this part of a core on average. */
const LOOK_SHARE = 0.05;

/**
 * Guests that are coming up are waited for, so that memory is not gone through for each, but for no longer than going
 * through what has settled takes: what that saves comes at most twice as late as it could.
 *
 * @param ripe what could be gone through now.
 */
export function settleFor(
  ripe: ScanCause | undefined,
  course: Course,
  situation: Situation,
): Omit<Settle, 'before'> | undefined {
  const { need, sample, counters, growing, budget } = situation;
  if (need.urgent) return undefined;
  const comingUp = sample.guests.filter((guest) => growing.includes(guestId(guest)));
  if (comingUp.length === 0) return undefined;
  if (ripe === undefined) return { name: 'settle', ripe };
  const settled = sample.guests.filter((guest) => !comingUp.includes(guest));
  const bytes = residentBytesOf(
    ripe.other === undefined ? settled.filter((guest) => ripe.guests.includes(guestId(guest))) : settled,
  );
  // A guest alone has nobody to share with.
  const longestMillis =
    settled.length > 1 ? passesMillis(bytes / sample.pageSizeBytes, counters, budget) : Number.POSITIVE_INFINITY;
  const { ripeSinceMillis = counters.monotonicMillis } = course;
  const untilMillis = ripeSinceMillis + Math.min(longestMillis, PATIENCE_MILLIS);
  return counters.monotonicMillis >= untilMillis ? undefined : { name: 'settle', ripe: { bytes, untilMillis } };
}

/** How long it takes to merge pages that nobody has seen yet. */
function passesMillis(pages: number, counters: KsmdCounters, budget: number): number {
  return (passesToMerge(counters) * pages * UNSHARED_PAGE_NANOS) / 1e6 / budget;
}

/** Whether guests brought too little to go through all memory for: more of them may come, or a probe finds theirs. */
export function isTooLittle(due: ScanCause, course: Course, { need, sample, counters }: Situation): boolean {
  if (due.other !== undefined || need.urgent || mostGainBytes(due, sample) >= requiredGainBytes(course, counters))
    return false;
  return counters.monotonicMillis - course.dueSinceMillis < mergingNanosOf(counters) / 1e6 / LOOK_SHARE;
}

/** What guests must bring for a burst to begin, bytes. */
export function requiredGainBytes(
  { requiredGainFactor: demand }: Pick<Course, 'requiredGainFactor'>,
  counters: KsmdCounters,
): number {
  return demand * worthOf(mergingNanosOf(counters));
}

/** What a burst may bring at most, bytes: the memory that came, or all where nobody knows. */
export function mostGainBytes({ guests, everything }: ScanCause, sample: Sample): number {
  return residentBytesOf(everything ? sample.guests : sample.guests.filter((guest) => guests.includes(guestId(guest))));
}
