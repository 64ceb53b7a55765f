import { formatBytes, plural } from '../../core/format.js';
import { isForbidden } from '../../core/forbiddenGuests.js';
import type { Obstacle } from '../../core/mergeability.js';
import { shellWord } from '../../core/shellWord.js';
import { type Check, check, note, ok, problem, valueOf } from '../check.js';
import type { ExaminedGuest, StrangersGuest } from '../guestFacts.js';

const MOST_GUESTS_NAMED = 6;
const MOST_COMMANDS = 3;

/** Where a person can do something about it; what a device or encryption holds belongs to the guest. */
const MENDS: Readonly<Partial<Record<Obstacle, (name: string) => string>>> = {
  nosharepages: (name) => `samepagectl guests allow -- ${shellWord(name)}`,
  'taken back': (name) => `samepagectl guests allow --now -- ${shellWord(name)}   # at once`,
  hugepages: (name) => `virsh edit -- ${shellWord(name)}   # <memoryBacking>: without <hugepages/>`,
  shared: (name) => `virsh edit -- ${shellWord(name)}   # <memoryBacking>: without <access mode='shared'/>`,
};

const mergeable = check({
  id: 'guests-mergeable',
  title: 'Mergeable guests',
  why:
    'KSM merges only private memory in pages of the base size that QEMU offers it. A guest that cannot be merged takes ' +
    'all of its memory for itself; it can be meant so, as KSM is a side channel between guests.',
  needs: ['guests'],
  look: ({ guests }, facts) => {
    const others = strangersText(valueOf(facts.strangers) ?? []);
    if (guests.length === 0) return ok(`no guest runs${others}`);
    const patterns = valueOf(facts.configuration)?.forbiddenGuests ?? [];
    const locked = guests.filter(({ mergeability }) => mergeability.locked).map(({ name }) => name);
    const remark =
      (locked.length === 0 ? '' : `; locked in RAM, which merges but cannot be swapped out: ${listed(locked)}`) +
      others;
    const apart = guests.filter((guest) => !guest.mergeability.mergeable);
    if (apart.length === 0) {
      return ok(`${plural(guests.length, 'guest')}, ${guests.length === 1 ? 'mergeable' : 'all mergeable'}${remark}`);
    }
    const bytes = formatBytes(apart.reduce((sum, { residentBytes }) => sum + residentBytes, 0));
    return note(
      `${apart.length} of ${plural(guests.length, 'guest')} cannot be merged, ${bytes} in memory: ` +
        `${listed(apart.map(nameAndReason))}${remark}`,
      ...commands(apart.filter(({ name }) => !isForbidden(patterns, name))),
    );
  },
});

/** What is shown of guests that count for no decision, with the reason. */
function strangersText(guests: readonly StrangersGuest[]): string {
  if (guests.length === 0) return '';
  const names = listed(guests.map(({ name, user }) => `${name} (${user})`));
  return `; without effect on any decision, as their users are not in KSM_GUEST_USERS: ${names}`;
}

function listed(names: readonly string[]): string {
  const more = names.length - MOST_GUESTS_NAMED;
  return [...names.slice(0, MOST_GUESTS_NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}

function nameAndReason({ name, mergeability }: ExaminedGuest): string {
  return `${name} (${mergeability.obstacles[0] ?? 'unknown'})`;
}

function commands(guests: readonly ExaminedGuest[]): readonly string[] {
  const lines = guests.flatMap(({ name, mergeability: { obstacles } }) =>
    obstacles.slice(0, 1).flatMap((obstacle) => MENDS[obstacle]?.(name) ?? []),
  );
  return lines.length === 0 ? [] : ['# if it was not meant so, for the next start:', ...lines.slice(0, MOST_COMMANDS)];
}

const forbidden = check({
  id: 'forbidden-guests',
  title: 'Forbidden guests',
  why:
    'KSM is a side channel: by how long a write takes, a guest can find out whether another has the same page. ' +
    'KSM_FORBID_GUESTS names the guests that must not be merged for it.',
  needs: ['guests', 'configuration'],
  look: ({ guests, configuration: { forbiddenGuests } }) => {
    if (forbiddenGuests.length === 0) return ok('none (KSM_FORBID_GUESTS is empty)');
    const meant = guests.filter(({ name }) => isForbidden(forbiddenGuests, name));
    const names = meant.filter(({ mergeability }) => mergeability.mergeable).map(({ name }) => name);
    if (names.length === 0) return ok(`${plural(meant.length, 'running guest')}, none of them mergeable`);
    return problem(
      `${names.length} of ${plural(meant.length, 'running guest')} can be merged: ${listed(names)}`,
      '# for the next start; shut it down and start it again:',
      ...names.slice(0, MOST_COMMANDS).map((name) => `samepagectl guests forbid -- ${shellWord(name)}`),
    );
  },
});

export const GUEST_CHECKS: readonly Check[] = [mergeable, forbidden];
