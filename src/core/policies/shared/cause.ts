import { plural } from '../../format.js';
import { type Guest, guestId, namesOf } from '../../guest.js';
import type { Trigger } from '../../trigger.js';
import type { KsmdCounters } from './progress.js';
import type { Need } from './need.js';

/** So many guests are named; the others are counted. */
const NAMED_GUESTS = 3;

/** Why memory should be looked through. */
export interface ScanCause {
  /** Guests that started, by identity; it is about them alone unless there is something else. */
  readonly guests: readonly string[];
  readonly other: string | undefined;
  /** Whether every page is to be looked at, and not only what ksmd does not know yet. */
  readonly everything: boolean;
}

/**
 * What is due now: what was and what has come. Guests that have gone are no reason any more.
 *
 * @param came guests that bring memory that nobody has looked at.
 * @param other a reason that no trigger announces, as memory that has become short.
 */
export function nextScanCause(
  before: ScanCause | undefined,
  triggers: readonly Trigger[],
  came: readonly string[],
  guests: readonly Guest[],
  other: string | undefined,
): ScanCause | undefined {
  const running = new Set(guests.map(guestId));
  const named = [...(before?.guests ?? []), ...came].filter((id) => running.has(id));
  const started = triggers.some(({ kind }) => kind === 'start') ? 'samepaged has just started' : undefined;
  const asked = triggers.map(askedFor).find(isGiven) ?? other;
  const due = {
    guests: [...new Set(named)],
    other: asked ?? started ?? before?.other,
    everything: before?.everything === true || asked !== undefined,
  };
  return due.guests.length > 0 || due.other !== undefined ? due : undefined;
}

/** What can be gone through now, and what is left for later: the guests that are still filling their memory. */
export function ripeAndLater(
  due: ScanCause | undefined,
  growing: readonly string[],
): { readonly ripe: ScanCause | undefined; readonly later: ScanCause | undefined } {
  if (due === undefined) return { ripe: undefined, later: undefined };
  const later = due.guests.filter((id) => growing.includes(id));
  const ripe = due.guests.filter((id) => !growing.includes(id));
  return {
    ripe: ripe.length > 0 || due.other !== undefined ? { ...due, guests: ripe } : undefined,
    later: later.length > 0 ? { guests: later, other: undefined, everything: false } : undefined,
  };
}

/**
 * Guests that bring memory that nobody has looked at, by identity. A resized guest brings none before it uses it, balloons move all the
 * time, and pages that are used for the first time are a hint to the next probe.
 */
export function arrivals(triggers: readonly Trigger[]): readonly string[] {
  return triggers.flatMap((trigger) =>
    trigger.kind === 'guest' && trigger.event.change === 'started' ? [guestId(trigger.event)] : [],
  );
}

/** Whether a guest has gone, and its pages with it. */
export function hasDeparture(triggers: readonly Trigger[]): boolean {
  return triggers.some(
    (trigger) => trigger.kind === 'guest' && (trigger.event.change === 'stopped' || trigger.event.change === 'crashed'),
  );
}

/** @param running the guests that run. */
export function describeScanCause({ guests, other }: ScanCause, running: readonly Guest[]): string {
  if (other !== undefined) return other;
  const [first = '', ...more] = namesOf(guests, running);
  return more.length === 0 ? `guest ${first} started` : `guest ${first} and ${plural(more.length, 'other')} started`;
}

/** "a, b, c and 2 more are": the first names, and how many others there are. */
export function listed(names: readonly string[], one: string, many: string): string {
  const shown = names.slice(0, NAMED_GUESTS).join(', ');
  const more = names.length - NAMED_GUESTS;
  return `${shown}${more > 0 ? ` and ${more} more` : ''} ${names.length === 1 ? one : many}`;
}

function askedFor(trigger: Trigger): string | undefined {
  return trigger.kind === 'manual' ? `asked for by ${trigger.by}` : undefined;
}

function isGiven(text: string | undefined): text is string {
  return text !== undefined;
}

/** Memory that a burst has just gone through is not gone through again because pressure comes and goes. */
export const PRESSURE_WAIT_MILLIS = 60000;

/** What a policy remembers of its last look. */
interface CauseInputs {
  readonly need: Pick<Need, 'needed' | 'urgent'>;
  readonly counters: Pick<KsmdCounters, 'fullScans'>;
}

/**
 * Why memory should be looked through now, where no trigger announces it.
 *
 * @param isGoneThrough whether that is being done or was done so lately that pressure is no reason to do it once more.
 */
export function newOccasion(
  policy: string,
  before: CauseInputs | undefined,
  { need, counters }: CauseInputs & { readonly need: Pick<Need, 'urgency'> },
  triggers: readonly Trigger[],
  isGoneThrough: boolean,
): string | undefined {
  if (before?.need.urgent !== true && !isGoneThrough && need.urgency !== undefined) return need.urgency;
  if (before === undefined) {
    return triggers.some(({ kind }) => kind === 'start') ? undefined : `the policy ${policy} has just begun`;
  }
  if (!before.need.needed) return 'memory has become short';
  // Unmerging sets full_scans to 0 (unmerge_and_remove_all_rmap_items() of mm/ksm.c).
  return counters.fullScans < before.counters.fullScans ? 'what was merged has been unmerged' : undefined;
}
