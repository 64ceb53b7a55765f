import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count, lastValueFrom, of } from 'rxjs';
import type { HistoryRecord } from '../../../src/core/history/record.js';
import type { Retune } from '../../../src/core/retune.js';
import { recordHistory } from '../../../src/daemon/recordHistory.js';
import { sampleOf } from '../../support/examples/examples.js';

const COMMON = { triggers: [{ kind: 'timer' }], policy: 'ksmtuned', nextInMillis: 60_000 } as const;
const DECISION = { reason: 'enough-memory', sentence: 'not merging', settings: {} } as const;
const turnAt = (takenAtMillis: number): Retune => {
  return { ...COMMON, sample: sampleOf({ takenAtMillis }), decision: DECISION, applied: { writes: [], problems: [] } };
};

test('every turn goes into the history: decisions, a sample in ten seconds, failures by the clock', async (context) => {
  context.mock.timers.enable({ apis: ['Date'], now: 77_000 });
  const added: (readonly [HistoryRecord['kind'], number])[] = [];
  const add = (records: readonly HistoryRecord[], nowMillis: number) => {
    assert.equal(nowMillis, 77_000);
    added.push(...records.map(({ kind, atMillis }) => [kind, atMillis] as const));
    return Promise.resolve();
  };
  const retunes = [turnAt(60_000), turnAt(61_000), turnAt(70_000), { ...COMMON, failure: new Error('no meminfo') }];
  const turns = await lastValueFrom(recordHistory(of(...retunes), { add }).pipe(count()), {
    defaultValue: 0,
  });
  assert.equal(turns, 4);
  assert.deepEqual(added, [
    ['decision', 60_000],
    ['sample', 60_000],
    ['sample', 70_000],
    ['decision', 77_000],
  ]);
});
