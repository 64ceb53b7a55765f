import { formatDuration } from './duration.js';
import { type ForeignValue, type KsmSetting, ksmFile } from './ksm.js';

/** What becomes of a setting that something else changes: samepaged sets it again, or leaves it. */
export type OnConflict = 'reassert' | 'yield';

/** Settings that mean something only together: they are kept, or left to others, as one. */
const PACE: readonly KsmSetting[] = ['advisorMode', 'pagesToScan', 'sleepMillisecs'];

const MINUTE_MILLIS = 60_000;
/**
 * How long a setting stays as others changed it before it is set again: at the first change, the second and so on. At one
 * more it is left to them. Two tuners that look every minute are done with each other after 20 minutes.
 */
const WAITS_MILLIS = [0, 1, 2, 4, 8].map((minutes) => minutes * MINUTE_MILLIS);
/** Changes that are further apart than this are no dispute: the next counts as the first. */
const FORGET_MILLIS = 60 * MINUTE_MILLIS;

/** Settings that something else changed. */
export interface Conflict {
  readonly settings: readonly KsmSetting[];
  /** How often in a row. */
  readonly times: number;
  readonly changedAtMillis: number;
  /** From when on samepaged sets them again; Infinity: it does not. */
  readonly againAtMillis: number;
  readonly foreign: readonly ForeignValue[];
}

/** The disputes under way, by what is disputed: the first setting of those that go together. */
export type Conflicts = ReadonlyMap<KsmSetting, Conflict>;

/** The conflicts after `foreign` was found, on a clock that nobody sets. */
export function nextConflicts(
  conflicts: Conflicts,
  foreign: readonly ForeignValue[],
  { onConflict, nowMillis }: { readonly onConflict: OnConflict; readonly nowMillis: number },
): Conflicts {
  const next = new Map(
    [...conflicts].filter(
      ([, { changedAtMillis, againAtMillis }]) =>
        againAtMillis === Infinity || nowMillis - changedAtMillis < FORGET_MILLIS,
    ),
  );
  for (const key of new Set(foreign.map(({ setting }) => keyOf(setting)))) {
    const times = (next.get(key)?.times ?? 0) + 1;
    const wait = onConflict === 'yield' ? undefined : WAITS_MILLIS[times - 1];
    next.set(key, {
      settings: PACE.includes(key) ? PACE : [key],
      times,
      changedAtMillis: nowMillis,
      againAtMillis: wait === undefined ? Infinity : nowMillis + wait,
      foreign: foreign.filter(({ setting }) => keyOf(setting) === key),
    });
  }
  return next;
}

/** The conflicts whose settings are not to be set now. */
export function leftToOthers(conflicts: Conflicts, nowMillis: number): readonly Conflict[] {
  return [...conflicts.values()].filter(({ againAtMillis }) => againAtMillis > nowMillis);
}

/** @param who did it, as far as that can be seen. */
export function describeConflict(
  { settings, times, changedAtMillis, againAtMillis, foreign }: Conflict,
  who: string,
): string {
  const values = foreign.map(
    ({ setting, set, found }) => `${ksmFile(setting)} is ${found} but samepaged had set it to ${set}`,
  );
  const wait = Math.round(againAtMillis - changedAtMillis);
  const files = settings.map(ksmFile).join(', ');
  const outcome =
    wait === Infinity
      ? `samepaged leaves ${files} to others until the configuration is reloaded (KSM_ON_CONFLICT)`
      : wait === 0
        ? 'samepaged sets it again'
        : `samepaged waits ${formatDuration(wait)} before it sets it again (change ${times})`;
  return `${values.join(', ')}: ${who}; ${outcome}`;
}

function keyOf(setting: KsmSetting): KsmSetting {
  return PACE.includes(setting) ? 'pagesToScan' : setting;
}
