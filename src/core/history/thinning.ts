import { type HistoryRecord, SAMPLE_SLOT_MILLIS } from './record.js';

const MINUTE_MILLIS = 60_000;
const HOUR_MILLIS = 60 * MINUTE_MILLIS;
const DAY_MILLIS = 24 * HOUR_MILLIS;

/** Of what is younger than `youngerThanMillis`: the newest in each slot, and of those the newest `most`. */
interface Tier {
  readonly youngerThanMillis: number;
  /** Undefined: every record counts for itself. */
  readonly slotMillis: number | undefined;
  readonly most: number;
}

/** For each kind of record what is kept of it, the youngest tier first; what a tier has no room for goes to the next. */
export type Tiers = Readonly<Record<HistoryRecord['kind'], readonly Tier[]>>;

/**
 * What is kept: a day of samples at full detail and a month of one per five minutes.
 *
 * The most that this can be, with the longest lines (historyLines.ts; texts as in LONGEST_TEXT, three bytes a character):
 *
 *     samples       8640 (a day / 10 s) + 8352 (29 days / 5 min) = 16 992 of 208 bytes   3.5 MB
 *     decisions      512 of the last day, then one an hour: 29 * 24 = 696, of 2176       2.6 MB
 *     guest events  4096 of 304                                                          1.2 MB
 *
 * 7.4 MB, and with what is added until the next thinning (half a MiB, historyStore.ts) less than 8 MB. Usual lines are half
 * as long: 2 MB for a month, 1 MB for a day at full detail.
 */
export const HISTORY_TIERS: Tiers = {
  sample: [
    { youngerThanMillis: DAY_MILLIS, slotMillis: SAMPLE_SLOT_MILLIS, most: DAY_MILLIS / SAMPLE_SLOT_MILLIS },
    {
      youngerThanMillis: 30 * DAY_MILLIS,
      slotMillis: 5 * MINUTE_MILLIS,
      most: (29 * DAY_MILLIS) / (5 * MINUTE_MILLIS),
    },
  ],
  decision: [
    { youngerThanMillis: DAY_MILLIS, slotMillis: undefined, most: 512 },
    { youngerThanMillis: 30 * DAY_MILLIS, slotMillis: HOUR_MILLIS, most: 29 * 24 },
  ],
  guest: [{ youngerThanMillis: 30 * DAY_MILLIS, slotMillis: undefined, most: 4096 }],
};

/**
 * The records that are kept at `nowMillis`, in the order in which they came.
 *
 * INVARIANTS: never more than the tiers allow, whatever the clock did; thinning again at the same time changes nothing.
 * Newest means last to come: where the clock was set back, what was recorded since then wins. Records that lie in the future
 * are not thrown away for it, since the clock may be wrong for a while after boot; those that come push them out.
 */
export function thinned<T extends Pick<HistoryRecord, 'kind' | 'atMillis'>>(
  records: readonly T[],
  nowMillis: number,
  tiers: Tiers = HISTORY_TIERS,
): readonly T[] {
  const kept = new Set<T>();
  for (const kind of ['sample', 'decision', 'guest'] as const) {
    let left = records.filter((record) => record.kind === kind);
    for (const tier of tiers[kind]) left = take(left, tier, nowMillis, kept);
  }
  return kept.size === records.length ? records : records.filter((record) => kept.has(record));
}

/** Adds to `kept` what the tier keeps of `records`; gives those that the next tier is to look at. */
function take<T extends { readonly atMillis: number }>(
  records: readonly T[],
  { youngerThanMillis, slotMillis, most }: Tier,
  nowMillis: number,
  kept: Set<T>,
): T[] {
  const slots = new Set<number>();
  const left: T[] = [];
  let room = most;
  for (const record of records.toReversed()) {
    const slot = slotMillis === undefined ? undefined : Math.floor(record.atMillis / slotMillis);
    // A slot grows old as a whole: else one more record of it would be kept when it is cut in two.
    const atMillis = slot === undefined || slotMillis === undefined ? record.atMillis : slot * slotMillis;
    if (nowMillis - atMillis >= youngerThanMillis || room === 0) left.push(record);
    else if (slot === undefined || !slots.has(slot)) {
      if (slot !== undefined) slots.add(slot);
      kept.add(record);
      room -= 1;
    }
  }
  return left.reverse();
}
