import type { Guest } from '../guest.js';
import type { Trigger } from '../policy.js';
import { arrivals, listed } from './due.js';

/** A guest that started and has not come to rest yet. */
interface Growing {
  readonly sinceMillis: number;
  /** Its resident memory when the present quiet time began. */
  readonly residentBytes: number;
  readonly quietSinceMillis: number;
}

/** By guest's name. */
export type Settling = Readonly<Record<string, Growing>>;

/** A guest has settled when its memory did not grow for this long. */
const QUIET_MILLIS = 2500;
/** Growth over the quiet time that does not count: this part of the configured memory, or this much. */
const SMALL_GROWTH_PART = 0.02;
const SMALL_GROWTH_BYTES = 16 * 1024 ** 2;
/** Guests that never come to rest are not waited for longer than this. */
const PATIENCE_MILLIS = 180_000;

/** Takes in what happened and how much memory each guest has now. A guest that has gone, or settled, is no longer in it. */
export function nextSettling(
  before: Settling,
  guests: readonly Guest[],
  triggers: readonly Trigger[],
  nowMillis: number,
): Settling {
  const fresh = new Set(arrivals(triggers));
  return Object.fromEntries(
    guests.flatMap(({ name, residentBytes, configuredBytes }): [string, Growing][] => {
      const known = fresh.has(name) ? undefined : before[name];
      if (known === undefined) {
        return fresh.has(name) ? [[name, { sinceMillis: nowMillis, residentBytes, quietSinceMillis: nowMillis }]] : [];
      }
      const small = Math.max(configuredBytes * SMALL_GROWTH_PART, SMALL_GROWTH_BYTES);
      const grew = residentBytes > known.residentBytes + small;
      const growing = grew ? { ...known, residentBytes, quietSinceMillis: nowMillis } : known;
      const settled =
        nowMillis - growing.quietSinceMillis >= QUIET_MILLIS || !isPatient(growing.sinceMillis, nowMillis);
      return settled ? [] : [[name, growing]];
    }),
  );
}

export function describeSettling(settling: Settling): string {
  return listed(Object.keys(settling), 'is still filling its memory', 'are still filling their memory');
}

/** Whether what began then is still to be waited for. */
export function isPatient(sinceMillis: number, nowMillis: number): boolean {
  return nowMillis - sinceMillis < PATIENCE_MILLIS;
}
