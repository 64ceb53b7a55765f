import { type Observable, filter, merge, mergeMap } from 'rxjs';
import { type NamePatterns, isForbidden, parseNamePatterns, unmatchedText } from '../core/forbiddenGuests.js';
import type { GuestEvent, NamedGuest } from '../core/guest.js';
import type { Mergeability } from '../core/mergeability.js';
import type { Retune } from '../core/retune.js';
import { messageOf } from '../errors.js';
import type { GuestProcess } from '../host/guestProcess.js';
import type { InspectedGuest } from '../host/guestProcesses.js';
import type { Log } from '../log.js';
import { type ManagedGuest, memoryRemedy } from '../text/guestRemedy.js';
import { inSentence } from '../text/shellWord.js';

export interface ForbiddenSources {
  readonly event$: Observable<GuestEvent>;
  readonly retune$: Observable<Retune>;
  /** KSM_FORBID_GUESTS as it is now. */
  readonly forbidden: () => string;
  readonly processOf: (event: GuestEvent) => Promise<GuestProcess | undefined>;
  /** All guests that run now. */
  readonly inspect: () => Promise<readonly InspectedGuest[]>;
}

/**
 * Warns of each guest that should not be merged (KSM_FORBID_GUESTS) and can be: of those that run at the start and at a reload, and
 * of each that starts later. Says then which patterns mean nobody. Never errors.
 */
export function forbiddenWarnings(
  { event$, retune$, forbidden, processOf, inspect }: ForbiddenSources,
  log: Log,
): Observable<unknown> {
  const patterns = () => parseNamePatterns(forbidden());
  const warn = (warning: string | undefined) => {
    if (warning !== undefined) log.warn(warning);
  };
  const ofStart = async (event: GuestEvent) => {
    const now = patterns();
    if (!isForbidden(now, event)) return;
    try {
      warn(forbiddenWarning(now, event, await processOf(event)));
    } catch (error) {
      warn(
        `whether guest ${event.name}, which KSM_FORBID_GUESTS names, can be merged is not known (${messageOf(error)})`,
      );
    }
  };
  const ofAll = async () => {
    const now = patterns();
    if (now.length === 0) return;
    try {
      const guests = await inspect();
      for (const guest of guests) warn(forbiddenWarning(now, guest, guest.process));
      const unmatched = unmatchedText(now, guests);
      if (unmatched !== undefined) log.info(`KSM_FORBID_GUESTS: ${unmatched}`);
    } catch (error) {
      warn(`whether guests that KSM_FORBID_GUESTS names can be merged is not known (${messageOf(error)})`);
    }
  };
  return merge(
    event$.pipe(
      filter(({ change }) => change === 'started'),
      mergeMap(ofStart),
    ),
    retune$.pipe(
      filter(({ triggers }) => triggers.some(({ kind }) => kind === 'start' || kind === 'reload')),
      mergeMap(ofAll),
    ),
  );
}

/** What to warn of when a guest starts; undefined when all is well, or when nobody knows whether it can be merged. */
export function forbiddenWarning(
  patterns: NamePatterns,
  guest: NamedGuest,
  seen: (Omit<ManagedGuest, 'name'> & { readonly mergeability: Mergeability }) | undefined,
): string | undefined {
  if (seen?.mergeability.mergeable !== true || !isForbidden(patterns, guest)) return undefined;
  const remedy = memoryRemedy({ ...seen, ...guest }, 'forbid');
  return (
    `guest ${guest.name} should not be merged (KSM_FORBID_GUESTS), but KSM may merge it and is a side channel between guests` +
    (remedy === undefined ? '' : `; ${inSentence(remedy)}, then restart it`)
  );
}
