import { type Guest, guestId, namesOf } from '../../guest.js';
import type { Trigger } from '../../trigger.js';
import { arrivals, listed } from './cause.js';

/** A guest that is filling its memory, or may be. */
interface Growing {
  readonly sinceMillis: number;
  /** Whether it has just started, or was seen to grow; a guest that was there at the first retune only may be growing. */
  readonly grows: boolean;
  /** Its resident memory when the present quiet time began. */
  readonly residentBytes: number;
  readonly quietSinceMillis: number;
}

/** By guest's identity. */
export type Settling = Readonly<Record<string, Growing>>;

/** A guest has settled when its memory did not grow for this long. */
const QUIET_MILLIS = 2500;
/** Growth over the quiet time that does not count: this part of the configured memory, or this much. */
const SMALL_GROWTH_PART = 0.02;
const SMALL_GROWTH_BYTES = 16 * 1024 ** 2;
/** Guests that never come to rest are not waited for longer than this. */
export const PATIENCE_MILLIS = 180_000;

/**
 * Takes in what happened and how much memory each guest has now. A guest that has gone, or settled, is no longer in it.
 *
 * @param before undefined at the first retune: nobody knows then how long guests have been there.
 */
export function nextSettling(
  before: Settling | undefined,
  guests: readonly Guest[],
  triggers: readonly Trigger[],
  nowMillis: number,
): Settling {
  const fresh = new Set(arrivals(triggers));
  if (before !== undefined && fresh.size === 0 && Object.keys(before).length === 0) return before;
  return Object.fromEntries(
    guests.flatMap((guest): [string, Growing][] => {
      const { residentBytes, configuredBytes } = guest;
      const id = guestId(guest);
      const isFresh = fresh.has(id);
      const known = isFresh ? undefined : before?.[id];
      if (known === undefined) {
        const begins = { sinceMillis: nowMillis, grows: isFresh, residentBytes, quietSinceMillis: nowMillis };
        return isFresh || before === undefined ? [[id, begins]] : [];
      }
      const small = Math.max(configuredBytes * SMALL_GROWTH_PART, SMALL_GROWTH_BYTES);
      const grew = residentBytes > known.residentBytes + small;
      const growing = grew ? { ...known, grows: true, residentBytes, quietSinceMillis: nowMillis } : known;
      const settled =
        nowMillis - growing.quietSinceMillis >= QUIET_MILLIS || nowMillis - growing.sinceMillis >= PATIENCE_MILLIS;
      return settled ? [] : [[id, growing]];
    }),
  );
}

/** The guests that are known to fill their memory, by identity. */
export function growingIn(settling: Settling): readonly string[] {
  return Object.keys(settling).filter((id) => settling[id]?.grows === true);
}

/** The guests that were there at the first retune and have been seen to grow since the last one, by identity. */
export function turnedOutGrowing(before: Settling | undefined, settling: Settling): readonly string[] {
  return growingIn(settling).filter((id) => before?.[id]?.grows === false);
}

/** For how long guests that are known to fill their memory are waited for at most, milliseconds; undefined where there are none. */
export function longestWaitMillis(settling: Settling, nowMillis: number): number | undefined {
  const since = growingIn(settling).flatMap((id) => settling[id]?.sinceMillis ?? []);
  return since.length === 0 ? undefined : Math.max(Math.max(...since) + PATIENCE_MILLIS - nowMillis, 0);
}

/** @param guests those that run. */
export function describeSettling(settling: Settling, guests: readonly Guest[]): string {
  return listed(namesOf(growingIn(settling), guests), 'is still filling its memory', 'are still filling their memory');
}
