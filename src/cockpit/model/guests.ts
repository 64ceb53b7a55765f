import type { GuestReply } from '../../api/replies.js';
import { isForbidden, parseNamePatterns } from '../../core/forbiddenGuests.js';
import type { Obstacle } from '../../core/mergeability.js';
import type { GuestOffer } from '../samepagectl.js';
import { _ } from '../text.js';

export type Column = 'name' | 'memory' | 'merged' | 'saved';

/** What the page says of whether a guest can be merged. */
export interface Mergeable {
  readonly label: string;
  readonly tone: 'yes' | 'no' | 'unknown' | 'warning';
  /** Why not, and what is amiss. */
  readonly why: readonly string[];
}

export interface GuestRow {
  readonly id: string;
  readonly name: string;
  readonly memoryBytes: number;
  readonly configuredBytes: number;
  readonly mergedBytes: number | undefined;
  readonly savedBytes: number | undefined;
  readonly mergeable: Mergeable;
  /** Whether samepagectl can change it: libvirt keeps its definition. */
  readonly isLibvirts: boolean;
}

/**
 * @param forbidden the value of KSM_FORBID_GUESTS.
 * @param offer what root sees of it, which holds where the daemon sees something else.
 */
export function rowOf(reply: GuestReply, forbidden: string, offer: GuestOffer = {}): GuestRow {
  const guest = { ...reply, ...offer.mergeability };
  const { name, id = name, residentBytes, configuredBytes, mergedBytes, profitBytes, freedBytes, manager } = guest;
  const mergeable = mergeableOf(guest, forbidden);
  return {
    ...{ id, name, configuredBytes, mergedBytes, memoryBytes: residentBytes },
    savedBytes: profitBytes === undefined ? undefined : profitBytes + freedBytes,
    mergeable: { ...mergeable, why: [...mergeable.why, ...nextStart(mergeable, offer)] },
    isLibvirts: manager === 'libvirt',
  };
}

function mergeableOf({ name, plainName = name, mergeable, obstacles }: GuestReply, forbidden: string): Mergeable {
  if (mergeable === undefined) return { label: _('unknown'), tone: 'unknown', why: [_('its process is not seen')] };
  if (!mergeable) return { label: _('no'), tone: 'no', why: obstacles.map((obstacle) => OBSTACLES()[obstacle]) };
  if (!isForbidden(parseNamePatterns(forbidden), { name, plainName })) return { label: _('yes'), tone: 'yes', why: [] };
  return {
    label: _('yes, but forbidden'),
    tone: 'warning',
    why: [_('KSM_FORBID_GUESTS says that it should not be merged')],
  };
}

/** What libvirt's definition changes at its next start. */
function nextStart({ tone }: Mergeable, { mergeability, allowedNext }: GuestOffer): readonly string[] {
  const isForbidden =
    tone === 'no' && mergeability?.obstacles.some((name) => name === 'nosharepages' || name === 'taken back') === true;
  if (allowedNext === undefined || isForbidden !== allowedNext) return [];
  return [allowedNext ? _('allowed from its next start on') : _('forbidden from its next start on')];
}

function OBSTACLES(): Readonly<Record<Obstacle, string>> {
  return {
    nosharepages: _('merging is forbidden'),
    shared: _('its memory is shared with another process (virtiofs, memfd)'),
    hugepages: _('its memory is in hugepages'),
    pinned: _('a passed-through device holds every page'),
    encrypted: _('its memory is encrypted'),
    'not offered': _('the hypervisor has not offered its memory to KSM'),
    'taken back': _('QEMU has withdrawn its memory from KSM'),
  };
}

export interface Order {
  readonly column: Column;
  readonly descending: boolean;
}

/** Those whose names have the text in them, in order. What is not known comes last. */
export function arranged(rows: readonly GuestRow[], text: string, { column, descending }: Order): readonly GuestRow[] {
  const wanted = text.trim().toLocaleLowerCase();
  const found = rows.filter(({ name }) => name.toLocaleLowerCase().includes(wanted));
  const sign = descending ? -1 : 1;
  const byName = (a: GuestRow, b: GuestRow) => a.name.localeCompare(b.name, undefined, { numeric: true });
  if (column === 'name') return found.toSorted((a, b) => sign * byName(a, b));
  const value = VALUES[column];
  return found.toSorted((a, b) => {
    const [left, right] = [value(a), value(b)];
    if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined);
    return sign * (left - right) || byName(a, b);
  });
}

const VALUES: Readonly<Record<Exclude<Column, 'name'>, (row: GuestRow) => number | undefined>> = {
  memory: ({ memoryBytes }) => memoryBytes,
  merged: ({ mergedBytes }) => mergedBytes,
  saved: ({ savedBytes }) => savedBytes,
};

/** What allowing or forbidding means, before it is done. */
export function meaningOf(word: 'allow' | 'forbid'): string {
  return word === 'allow'
    ? _(
        'KSM may merge its memory. Another guest that can measure how long a write takes may then learn which pages are equal.',
      )
    : _(
        'KSM may not merge its memory. If this is done now, the guest gets its own copy of each merged page, which takes memory.',
      );
}
