import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defaultValues } from '../../../src/config/keys.js';
import type { HistoryRecord } from '../../../src/core/history/record.js';
import { readOwnHistory } from '../../../src/replay/input.js';
import { policyTrial } from '../../../src/replay/policyTrial.js';

const RECORDS = readOwnHistory('fixtures/history/two-hours.jsonl');
const DAY = 86_400_000;
const LONG = 600_000;

function trialOf(records: readonly HistoryRecord[], budgetMillis = LONG) {
  return policyTrial(records, defaultValues(), budgetMillis);
}

function moved(records: readonly HistoryRecord[], byMillis: number): readonly HistoryRecord[] {
  return records.map((record) => ({ ...record, atMillis: record.atMillis + byMillis }));
}

function only(kind: HistoryRecord['kind']): readonly HistoryRecord[] {
  return RECORDS.filter((record) => record.kind === kind);
}

describe('a trial of another policy', () => {
  test('a trial of another policy has what both policies save and cost on the recorded guests', () => {
    const trial = trialOf(RECORDS);
    assert.ok(trial !== undefined);
    assert.deepEqual([trial.recorded.policy, trial.other.policy], ['ksmtuned', 'adaptive']);
    assert.equal(trial.millis, (RECORDS.at(-1)?.atMillis ?? 0) - (RECORDS[0]?.atMillis ?? 0));
    // As samepaged --replay has it (test/integration/replay/replay.test.ts).
    assert.ok(trial.other.savedBytes > trial.recorded.savedBytes);
    assert.ok(trial.recorded.ksmdCpuNanos > 0 && trial.other.ksmdCpuNanos > 0);
  });

  test('a trial of another policy compares with ksmtuned where adaptive was recorded', () => {
    const adaptive = RECORDS.map((record) => (record.kind === 'decision' ? { ...record, policy: 'adaptive' } : record));
    const trial = trialOf(adaptive);
    assert.deepEqual([trial?.recorded.policy, trial?.other.policy], ['adaptive', 'ksmtuned']);
  });

  test('a trial of another policy simulates the last hours only, under the policy that was in force when it began', () => {
    const trial = trialOf([...moved(RECORDS, -2 * DAY), ...RECORDS.filter(({ kind }) => kind !== 'decision')]);
    assert.deepEqual(trial, trialOf(RECORDS));
  });

  const nothing: [name: string, records: readonly HistoryRecord[], budgetMillis?: number][] = [
    ['nothing is recorded', []],
    ['there is no sample', only('decision')],
    ['no decision says the policy', only('sample')],
    ['less than an hour is recorded', RECORDS.slice(0, 50)],
    ['the policy is one of another version', RECORDS.map((r) => (r.kind === 'decision' ? { ...r, policy: 'new' } : r))],
    [
      'ksmd did not scan enough to know what is alike',
      RECORDS.map((r) => (r.kind === 'sample' ? { ...r, pagesScanned: 0, ksmdCpuNanos: 0, savedBytes: 0 } : r)),
    ],
    [
      'the simulated host saves something else than was recorded',
      RECORDS.map((r) => (r.kind === 'sample' && r.pagesScanned === 0 ? { ...r, savedBytes: 2 ** 40 } : r)),
    ],
    ['the time is up', RECORDS, 0],
  ];
  for (const [name, records, budgetMillis] of nothing) {
    test(`a trial of another policy says nothing where ${name}`, () => {
      assert.equal(trialOf(records, budgetMillis), undefined);
    });
  }
});
