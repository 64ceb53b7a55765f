import type { GuestChange } from '../guest.js';
import type { HistoryDecision, HistoryGuestEvent } from './record.js';

/** Guests that did the same in the same retune, or one decision. */
export type Happening =
  | {
      readonly kind: 'guests';
      readonly atMillis: number;
      readonly change: GuestChange;
      readonly names: readonly string[];
    }
  | HistoryDecision;

const MOST_NAMES = 5;
const MOST_NAMES_SUMMED = 2;

/** In the order of their times; guests' events come before the decision that they led to. */
export function happenings(
  guestEvents: readonly HistoryGuestEvent[],
  decisions: readonly HistoryDecision[],
): readonly Happening[] {
  const groups = new Map<string, { atMillis: number; change: GuestChange; names: string[] }>();
  for (const { atMillis, change, name } of guestEvents) {
    const key = `${atMillis} ${change}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { atMillis, change, names: [name] });
    else group.names.push(name);
  }
  const guests = [...groups.values()].map((group): Happening => ({ kind: 'guests', ...group }));
  return [...guests, ...decisions].toSorted((a, b) => a.atMillis - b.atMillis);
}

/** "guest web03 started", "guests web01 and web02 stopped", "40 guests started: web01, ...", or the decision's sentence. */
export function describeHappening(happening: Happening): string {
  if (happening.kind === 'decision') return happening.sentence;
  const { names, change } = happening;
  if (names.length === 1) return `guest ${names[0] ?? ''} ${change}`;
  // What happened comes before names that a line may have no room for.
  if (names.length > MOST_NAMES)
    return `${names.length} guests ${change}: ${names.slice(0, MOST_NAMES).join(', ')}, ...`;
  return `guests ${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''} ${change}`;
}

/** "guests: 12 started, web03 stopped; 5 decisions, last enough-memory" */
export function summarize(many: readonly Happening[]): string {
  const names = new Map<GuestChange, readonly string[]>();
  for (const happening of many) {
    if (happening.kind !== 'guests') continue;
    names.set(happening.change, [...(names.get(happening.change) ?? []), ...happening.names]);
  }
  const changes = [...names].map(([change, guests]) => {
    return `${guests.length > MOST_NAMES_SUMMED ? guests.length : guests.join(' and ')} ${change}`;
  });
  const one = [...names.values()].flat().length === 1;
  const decisions = many.filter((happening) => happening.kind === 'decision');
  const last = decisions.at(-1);
  const decided = decisions.length === 1 ? last?.sentence : `${decisions.length} decisions, last ${last?.reason ?? ''}`;
  return [
    ...(changes.length === 0 ? [] : [`${one ? 'guest' : 'guests:'} ${changes.join(', ')}`]),
    ...(last === undefined ? [] : [decided]),
  ].join('; ');
}
