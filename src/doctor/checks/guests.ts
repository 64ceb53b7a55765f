import { formatBytes, plural } from '../../core/format.js';
import { isForbidden, parseNamePatterns, unmatchedText } from '../../core/forbiddenGuests.js';
import { describeOtherMergers } from '../../core/otherMergers.js';
import { type MemoryChange, memoryRemedy } from '../../text/guestRemedy.js';
import type { Obstacle } from '../../core/mergeability.js';
import { onlyCosting } from '../../core/onlyCosting.js';
import { shellWord } from '../../text/shellWord.js';
import { type Check, check, note, ok, problem, valueOf } from '../check.js';
import type { ExaminedGuest, StrangersGuest } from '../guestFacts.js';

const MOST_GUESTS_NAMED = 6;
const MOST_COMMANDS = 3;

/** Where a person can do something about it; what a device or encryption holds belongs to the guest. */
const CHANGES: Readonly<Partial<Record<Obstacle, MemoryChange>>> = {
  nosharepages: 'allow',
  hugepages: 'no hugepages',
  shared: 'no sharing',
  'not offered': 'offer',
  'taken back': 'offer again',
};

const mergeable = check({
  id: 'guests-mergeable',
  title: 'Mergeable guests',
  why:
    'KSM merges only private memory in pages of the base size that QEMU offers it. A guest that cannot be merged ' +
    'shares none of its memory. That can be intended, because KSM is a side channel between guests.',
  needs: ['guests'],
  judge: ({ guests }, facts) => {
    const others = strangersText(valueOf(facts.strangers) ?? []);
    if (guests.length === 0) return ok(`no guest runs${others}`);
    const patterns = parseNamePatterns(valueOf(facts.configuration)?.values.KSM_FORBID_GUESTS ?? '');
    const locked = guests.filter(({ mergeability }) => mergeability?.locked === true).map(({ name }) => name);
    const unseen = guests.filter(({ mergeability }) => mergeability === undefined).map(({ name }) => name);
    const remark =
      (locked.length === 0 ? '' : `; locked in RAM, which merges but cannot be swapped out: ${listed(locked)}`) +
      (unseen.length === 0 ? '' : `; unknown, because their processes are not seen: ${listed(unseen)}`) +
      others;
    const apart = guests.filter(({ mergeability }) => mergeability?.mergeable === false);
    if (apart.length === 0) {
      const all = unseen.length > 0 ? '' : `, ${guests.length === 1 ? 'mergeable' : 'all mergeable'}`;
      return ok(`${plural(guests.length, 'guest')}${all}${remark}`);
    }
    const bytes = formatBytes(apart.reduce((sum, { residentBytes }) => sum + residentBytes, 0));
    return note(
      `${apart.length} of ${plural(guests.length, 'guest')} cannot be merged, ${bytes} in memory: ` +
        `${listed(apart.map(nameAndReason))}${remark}`,
      ...commands(apart.filter((guest) => !isForbidden(patterns, guest))),
    );
  },
});

/** What is shown of guests that count for no decision, with the reason. */
function strangersText(guests: readonly StrangersGuest[]): string {
  if (guests.length === 0) return '';
  const names = listed(guests.map(({ name, user }) => `${name} (${user})`));
  return `; not counted in decisions, because their users are not in KSM_GUEST_USERS: ${names}`;
}

function listed(names: readonly string[]): string {
  const more = names.length - MOST_GUESTS_NAMED;
  return [...names.slice(0, MOST_GUESTS_NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}

function nameAndReason({ name, mergeability }: ExaminedGuest): string {
  return `${name} (${mergeability?.obstacles.join(', ') ?? 'unknown'})`;
}

function commands(guests: readonly ExaminedGuest[]): readonly string[] {
  const lines = guests.flatMap((guest) =>
    (guest.mergeability?.obstacles ?? []).flatMap((obstacle) => {
      const change = CHANGES[obstacle];
      return change === undefined ? [] : (memoryRemedy(guest, change) ?? []);
    }),
  );
  return lines.length === 0 ? [] : ['# unless this is intended, for the next start:', ...lines.slice(0, MOST_COMMANDS)];
}

/** The commands that take a guest out; libvirt's definition is changed by the first. */
function takenOut(guest: ExaminedGuest): readonly string[] {
  const now = `samepagectl guests forbid --now -- ${shellWord(guest.name)}`;
  const next = guest.manager === 'libvirt' ? undefined : memoryRemedy(guest, 'forbid');
  return next === undefined ? [now] : [now, next];
}

const costing = check({
  id: 'guests-only-costing',
  title: 'Costly guests',
  why:
    'ksmd scans a guest that shares hardly any page as often as any other. Its records take memory, and the scan takes CPU ' +
    'time.',
  needs: ['guests', 'ksm'],
  judge: ({ guests, ksm }) => {
    const costly = onlyCosting(guests, ksm.fullScans);
    if (costly.length === 0) return ok('none is known');
    const lost = ({ name, profitBytes = 0 }: ExaminedGuest) => `${name} (${formatBytes(profitBytes)})`;
    return note(
      `${costly.length} of ${plural(guests.length, 'guest')}: ${listed(costly.map(lost))}`,
      '# at once, and from the next start on:',
      ...costly.slice(0, MOST_COMMANDS).flatMap(takenOut),
    );
  },
});

const forbidden = check({
  id: 'forbidden-guests',
  title: 'Forbidden guests',
  why:
    'KSM is a side channel: a guest that measures how long a write takes learns whether another guest has the same page. ' +
    'KSM_FORBID_GUESTS names guests that must not be merged for this reason.',
  needs: ['guests', 'strangers', 'configuration'],
  judge: ({ guests: counting, strangers, configuration: { values } }) => {
    const patterns = parseNamePatterns(values.KSM_FORBID_GUESTS);
    if (patterns.length === 0) return ok('none (KSM_FORBID_GUESTS is empty)');
    // They are merged as all others.
    const guests = [...counting, ...strangers];
    const meant = guests.filter((guest) => isForbidden(patterns, guest));
    const apart = meant.filter(({ mergeability }) => mergeability?.mergeable === true);
    const unmatched = unmatchedText(patterns, guests);
    if (apart.length > 0) {
      return problem(
        `${apart.length} of ${plural(meant.length, 'running guest')} can be merged: ${listed(apart.map(({ name }) => name))}${unmatched === undefined ? '' : `; ${unmatched}`}`,
        '# for the next start; shut it down and start it again:',
        ...apart.slice(0, MOST_COMMANDS).flatMap((guest) => memoryRemedy(guest, 'forbid') ?? []),
      );
    }
    const found = [
      ...(meant.length === 0 ? [] : [`${plural(meant.length, 'running guest')}, none of them mergeable`]),
      ...(unmatched === undefined ? [] : [unmatched]),
    ].join('; ');
    return unmatched === undefined ? ok(found) : note(found, 'samepagectl guests   # how the guests are called');
  },
});

const otherMergers = check({
  id: 'other-mergers',
  title: 'Other processes',
  why:
    "KSM also merges processes that run no guest, where systemd's MemoryKSM= or a prctl offers them. They are part of " +
    'the savings and of the side channel.',
  needs: ['otherMergers'],
  judge: ({ otherMergers: others }) =>
    ok(others.count === 0 ? 'none but guests use KSM' : describeOtherMergers(others)),
});

export const GUEST_CHECKS: readonly Check[] = [mergeable, costing, forbidden, otherMergers];
