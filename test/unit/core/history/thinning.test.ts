import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { HistoryRecord } from '../../../../src/core/history/record.js';
import { HISTORY_TIERS, type Tiers, thinned } from '../../../../src/core/history/thinning.js';

type Mark = Pick<HistoryRecord, 'kind' | 'atMillis'>;

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A midnight. */
const EPOCH = 11574 * DAY;

/** The real ones in little: ten seconds of detail, then a sample in five, up to a minute. */
const SMALL: Tiers = {
  sample: [
    { youngerThanMillis: 10 * SECOND, slotMillis: SECOND, most: 10 },
    { youngerThanMillis: MINUTE, slotMillis: 5 * SECOND, most: 10 },
  ],
  decision: [
    { youngerThanMillis: 10 * SECOND, slotMillis: undefined, most: 4 },
    { youngerThanMillis: MINUTE, slotMillis: 20 * SECOND, most: 3 },
  ],
  guest: [{ youngerThanMillis: MINUTE, slotMillis: undefined, most: 5 }],
};
const MOST = { sample: 20, decision: 7, guest: 5 } as const;

const kind = fc.constantFrom('sample' as const, 'decision' as const, 'guest' as const);
/** A clock that mostly goes forward, sometimes stands, is put back or far ahead. */
const stepMillis = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 3000 }) },
  { weight: 1, arbitrary: fc.integer({ min: -100_000, max: 100_000 }) },
);
const arrivals = fc.array(fc.tuple(kind, stepMillis), { maxLength: 200, size: 'max' }).map((steps) => {
  let atMillis = 1_000_000;
  return steps.map(([of, millis]): Mark => ({ kind: of, atMillis: (atMillis += millis) }));
});
const nowMillis = fc.integer({ min: 900_000, max: 1_400_000 });
const counts = (records: readonly Mark[], of: Mark['kind']) => records.filter((record) => record.kind === of).length;

describe('whatever came in, and whatever the clock did', () => {
  test('no more records are kept than there is room for, in the order in which they came', () => {
    fc.assert(
      fc.property(arrivals, nowMillis, (records, now) => {
        const kept = thinned(records, now, SMALL);
        for (const of of ['sample', 'decision', 'guest'] as const) assert.ok(counts(kept, of) <= MOST[of]);
        const places = kept.map((record) => records.indexOf(record));
        assert.deepEqual(
          places,
          places.toSorted((a, b) => a - b),
        );
      }),
    );
  });

  test('thinning each record as it arrives keeps the same records', () => {
    fc.assert(
      fc.property(arrivals, (records) => {
        let kept: readonly Mark[] = [];
        for (const record of records) {
          kept = thinned([...kept, record], record.atMillis, SMALL);
          assert.ok(counts(kept, 'sample') <= MOST.sample);
          assert.ok(kept.includes(record), 'what has just come is kept');
        }
      }),
    );
  });

  test('thinning a history again changes nothing', () => {
    fc.assert(
      fc.property(arrivals, nowMillis, (records, now) => {
        const kept = thinned(records, now, SMALL);
        assert.deepEqual(thinned(kept, now, SMALL), kept);
      }),
    );
  });

  test('thinning in between makes no difference while the clock goes forward', () => {
    const steady = fc
      .array(fc.tuple(kind, fc.integer({ min: 400, max: 3000 })), { maxLength: 80, size: 'max' })
      .map((steps) => {
        let atMillis = 1_000_000;
        return steps.map(([of, millis]): Mark => ({ kind: of, atMillis: (atMillis += millis) }));
      });
    const samples = (records: readonly Mark[]) => records.filter((record) => record.kind === 'sample');
    fc.assert(
      fc.property(steady, fc.nat(100_000), (records, later) => {
        const last = records.at(-1)?.atMillis ?? 0;
        const at = last + later;
        assert.deepEqual(
          samples(thinned(thinned(records, last, SMALL), at, SMALL)),
          samples(thinned(records, at, SMALL)),
        );
      }),
      {
        numRuns: 500,
        // Two of a slot, of which one is just old enough for the next tier.
        examples: [
          [[1_000_400, 1_000_800, 1_003_304, 1_006_070].map((at): Mark => ({ kind: 'sample', atMillis: at })), 4330],
        ],
      },
    );
  });
});

describe('what is kept', () => {
  const every = (step: number, span: number, of: Mark['kind'] = 'sample') =>
    Array.from({ length: span / step }, (_, index): Mark => ({ kind: of, atMillis: EPOCH + index * step }));

  test('a day of history at ten seconds is kept whole', () => {
    const day = every(10 * SECOND, DAY);
    assert.equal(day.length, 8640);
    assert.equal(thinned(day, EPOCH + DAY - 1), day);
  });

  test('of forty days of history the last is kept at full detail, then one sample in five minutes for a month', () => {
    const records = every(10 * SECOND, 40 * DAY);
    const now = EPOCH + 40 * DAY;
    const kept = thinned(records, now).map(({ atMillis }) => now - atMillis);
    assert.equal(kept.filter((age) => age < DAY).length, 8639);
    assert.equal(kept.filter((age) => age >= DAY).length, 29 * 288);
    assert.ok(Math.max(...kept) < 30 * DAY);
  });

  test('of decisions that change all the time the newest 512 are kept, and one an hour before the last day', () => {
    const now = EPOCH + 10 * DAY;
    const ages = thinned(every(MINUTE, 10 * DAY, 'decision'), now).map(({ atMillis }) => now - atMillis);
    const recent = ages.filter((age) => age <= 512 * MINUTE);
    assert.equal(recent.length, 512);
    assert.equal(ages.length - recent.length, 9 * 24 + 16, 'sixteen hours of the last day found no room');
  });

  test('the newest 4096 guest events are kept', () => {
    const events = every(SECOND, 5000 * SECOND, 'guest');
    assert.deepEqual(thinned(events, EPOCH + 5000 * SECOND), events.slice(-4096));
  });

  test('a clock that is wrong at boot costs nothing of a month of history', () => {
    const now = EPOCH + 30 * DAY;
    const month = thinned(every(10 * SECOND, 30 * DAY), now);
    const wrong = thinned(month, 0);
    assert.deepEqual(thinned(wrong, now), month);
  });

  test('where the clock was set back, the history has what came since', () => {
    const before = every(10 * SECOND, HOUR);
    const again = every(10 * SECOND, 10 * MINUTE).map((record) => ({ ...record }));
    const kept = thinned([...before, ...again], EPOCH + 10 * MINUTE);
    assert.ok(again.every((record) => kept.includes(record)));
    assert.equal(kept.length, before.length);
  });

  test('all tiers of the history together are below 8 MB with the longest lines', () => {
    const most = (of: Mark['kind']) => HISTORY_TIERS[of].reduce((sum, tier) => sum + tier.most, 0);
    const longest = most('sample') * 208 + most('decision') * 2176 + most('guest') * 304 + 512 * 1024;
    assert.ok(longest < 8e6, String(longest));
  });
});
