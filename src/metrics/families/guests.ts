import { isForbidden } from '../../core/forbiddenGuests.js';
import { OBSTACLES } from '../../core/mergeability.js';
import { type Sample, freedBytesOf } from '../../core/sample.js';
import type { Facts } from '../facts.js';
import { type Family, byLabel, gauge } from '../family.js';

export function guests({ state, limits, mergeability }: Facts): readonly Family[] {
  const obstacles = mergeability?.flatMap(
    ({
      mergeability: {
        mergeable,
        obstacles: [first],
      },
    }) => (mergeable || first === undefined ? [] : [first]),
  );
  const forbidden = mergeability?.filter(
    (guest) => guest.mergeability.mergeable && isForbidden(limits.forbidden, guest),
  );
  return [
    gauge('samepaged_guests', 'Running guests', state.guestCount),
    byLabel(
      gauge('samepaged_guests_not_mergeable', 'Running guests whose memory KSM cannot merge, by what is in the way'),
      'obstacle',
      obstacles === undefined
        ? {}
        : Object.fromEntries(
            Object.keys(OBSTACLES).map((name) => [name, obstacles.filter((obstacle) => obstacle === name).length]),
          ),
    ),
    gauge(
      'samepaged_guests_forbidden_mergeable',
      'Running guests that KSM_FORBID_GUESTS names and whose memory KSM can still merge',
      forbidden?.length,
    ),
  ];
}

export function eachGuest(sample: Sample): readonly Family[] {
  const ofEach = (pick: (guest: Sample['guests'][number]) => number | undefined) =>
    Object.fromEntries(sample.guests.map((guest) => [guest.name, pick(guest)]));
  return [
    byLabel(
      gauge('samepaged_guest_resident_bytes', "A guest's memory that is in RAM, merged pages included"),
      'guest',
      ofEach(({ residentBytes }) => residentBytes),
    ),
    byLabel(
      gauge('samepaged_guest_configured_bytes', 'The memory that a guest may use'),
      'guest',
      ofEach(({ configuredBytes }) => configuredBytes),
    ),
    byLabel(
      gauge('samepaged_guest_profit_bytes', "What merging saves of a guest's memory less what it costs"),
      'guest',
      ofEach(({ ksmProfitBytes }) => ksmProfitBytes),
    ),
    byLabel(
      gauge('samepaged_guest_freed_by_splits_bytes', 'What splits of huge pages gave back of a guest'),
      'guest',
      ofEach((guest) => freedBytesOf(sample, guest)),
    ),
  ];
}
