import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  FAILED,
  type HistoryMemory,
  type HistoryRecord,
  LONGEST_TEXT,
  SAMPLE_SLOT_MILLIS,
  recordsOf,
} from '../../../../src/core/history/record.js';
import type { Reason } from '../../../../src/core/decision.js';
import type { KsmWrite } from '../../../../src/core/ksm.js';
import type { Trigger } from '../../../../src/core/trigger.js';
import type { Retune } from '../../../../src/core/retune.js';
import type { Sample } from '../../../../src/core/sample.js';
import { IDLE_KSM, hostOf, sampleOf } from '../../../support/examples/examples.js';

const TIMER: Trigger = { kind: 'timer' };
const guest = (name: string, change: 'started' | 'stopped' = 'started'): Trigger => ({
  kind: 'guest',
  event: { name, change },
});

interface Turn {
  readonly sample?: Partial<Sample>;
  readonly triggers?: readonly Trigger[];
  readonly policy?: string;
  readonly reason?: Reason;
  readonly run?: number;
  readonly sentence?: string;
  readonly routine?: boolean;
  readonly writes?: readonly KsmWrite[];
  readonly dryRun?: true;
}

function turn({
  sample = {},
  triggers = [TIMER],
  policy = 'ksmtuned',
  run,
  writes = [],
  dryRun,
  ...decision
}: Turn): Retune {
  const { reason = 'enough-memory', sentence = 'memory is enough: not merging', routine = false } = decision;
  const settings = run === undefined ? {} : { run };
  const applied = { writes, problems: [], ...(dryRun === undefined ? {} : { dryRun }) };
  const decided = { reason, sentence, settings, routine };
  return { triggers, policy, nextInMillis: 60_000, sample: sampleOf(sample), decision: decided, applied };
}

function failure(message: string, triggers: readonly Trigger[] = [TIMER]): Retune {
  return { triggers, policy: 'ksmtuned', nextInMillis: 60_000, failure: new Error(message) };
}

/** The records of turns one after another; a failed one happens at the time given. */
function recorded(turns: readonly Retune[], { nowMillis = 0 } = {}): readonly HistoryRecord[] {
  let memory: HistoryMemory | undefined;
  return turns.flatMap((retune) => {
    const [next, records] = recordsOf(memory, retune, nowMillis);
    memory = next;
    return records;
  });
}

const kinds = (records: readonly HistoryRecord[]) => records.map(({ kind }) => kind);

describe('a turn of the loop', () => {
  test('a turn in the history is a sample with what the kernel tells', () => {
    const ksm = { ...IDLE_KSM, pagesSharing: 1000, ksmZeroPages: 24, generalProfit: -5, pagesScanned: 77 };
    const sample = { takenAtMillis: 5_000, ksm, memory: hostOf(100, 40, 30), ksmdCpuNanos: 123 };
    const guests = [{ name: 'web', residentBytes: 30 * 1024, configuredBytes: 0 }];
    assert.deepEqual(recorded([turn({ sample: { ...sample, guests } })]).at(-1), {
      kind: 'sample',
      atMillis: 5_000,
      savedBytes: 1024 * 4096,
      freedBytes: 0,
      freeBytes: 40 * 1024,
      totalBytes: 100 * 1024,
      committedBytes: 30 * 1024,
      guestCount: 1,
      run: 0,
      profitBytes: -5,
      ksmdCpuNanos: 123,
      pagesScanned: 77,
    });
  });

  test('a turn in the history is a sample without what the kernel does not tell', () => {
    const [last] = recorded([turn({})]).slice(-1);
    assert.ok(last?.kind === 'sample');
    assert.deepEqual([last.profitBytes, last.ksmdCpuNanos, last.pagesScanned], [undefined, undefined, undefined]);
  });

  test('a turn in the history has run as it was left, in a dry run as it was found', () => {
    const writes: Turn['writes'] = [{ setting: 'run', from: 0, to: 1 }];
    const runs = [turn({ writes }), turn({ writes, dryRun: true })].map((retune) => {
      const last = recorded([retune]).at(-1);
      return last?.kind === 'sample' ? last.run : undefined;
    });
    assert.deepEqual(runs, [1, 0]);
  });

  test('a turn in the history is a decision when the reason, the policy or run is another than before, and at the start', () => {
    const at = (seconds: number, decision: Turn) => turn({ sample: { takenAtMillis: seconds * 1000 }, ...decision });
    const records = recorded([
      at(1, { run: 0, sentence: '1.0 GiB free' }),
      at(2, { run: 0, sentence: '1.1 GiB free' }),
      at(3, { run: 1, reason: 'always', writes: [{ setting: 'run', from: 0, to: 1 }] }),
      at(4, { run: 1, reason: 'always', policy: 'adaptive' }),
      at(5, { run: 0, reason: 'always', policy: 'adaptive' }),
    ]);
    const decisions = records.filter((record) => record.kind === 'decision');
    assert.deepEqual(
      decisions.map(({ atMillis, policy, reason }) => [atMillis, policy, reason]),
      [
        [1000, 'ksmtuned', 'enough-memory'],
        [3000, 'ksmtuned', 'always'],
        [4000, 'adaptive', 'always'],
        [5000, 'adaptive', 'always'],
      ],
    );
    assert.deepEqual(decisions[0]?.sentence, '1.0 GiB free');
    assert.deepEqual(decisions[1]?.changes, ['run 0 -> 1']);
  });

  test('in the history a routine decision is recorded only at the start, after a failure and by another policy', () => {
    const resting: Turn = { reason: 'nothing-to-gain', run: 0 };
    const probing: Turn = { reason: 'probe', run: 1, routine: true };
    const again: Turn = { ...resting, routine: true };
    const told = (...turns: readonly Retune[]) =>
      recorded(turns).flatMap((record) => (record.kind === 'decision' ? [`${record.policy} ${record.reason}`] : []));
    assert.deepEqual(
      told(turn(resting), turn(probing), turn(again), turn(probing), turn(again), turn({ reason: 'burst' })),
      ['ksmtuned nothing-to-gain', 'ksmtuned burst'],
    );
    assert.deepEqual(told(turn(probing), turn(probing)), ['ksmtuned probe']);
    assert.deepEqual(told(turn(resting), failure('x'), turn(probing), turn(probing)).slice(1), [
      'ksmtuned failed',
      'ksmtuned probe',
    ]);
    assert.deepEqual(told(turn(resting), turn({ ...probing, policy: 'adaptive' })).slice(1), ['adaptive probe']);
  });

  test("a turn in the history has its guests' events before its decision and its sample", () => {
    const records = recorded([turn({ triggers: [guest('a'), TIMER, guest('b', 'stopped')] })]);
    assert.deepEqual(kinds(records), ['guest', 'guest', 'decision', 'sample']);
    assert.deepEqual(records[1], { kind: 'guest', atMillis: 0, name: 'b', change: 'stopped' });
  });

  test('a failed retune is recorded once as a decision without a sample, with its guest events', () => {
    const records = recorded([failure('no meminfo', [guest('a')]), failure('still none')], { nowMillis: 7 });
    assert.deepEqual(kinds(records), ['guest', 'decision']);
    assert.deepEqual(records[1], {
      ...{ kind: 'decision', atMillis: 7, policy: 'ksmtuned', reason: FAILED, sentence: 'no meminfo', changes: [] },
    });
    assert.deepEqual(kinds(recorded([turn({}), failure('x'), turn({})])), [
      'decision',
      'sample',
      'decision',
      'decision',
    ]);
  });
});

describe('however often the loop turns', () => {
  test('a burst at half a second gives a sample in ten to the history', () => {
    const burst = Array.from({ length: 200 }, (_, index) => turn({ sample: { takenAtMillis: index * 500 } }));
    const times = recorded(burst).flatMap((record) => (record.kind === 'sample' ? [record.atMillis] : []));
    assert.deepEqual(times, [0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 70_000, 80_000, 90_000]);
  });

  test('a decision that switches ksmd gives a sample, so that the last one shows what ksmd does since', () => {
    const at = (seconds: number, decision: Turn) => turn({ sample: { takenAtMillis: seconds * 1000 }, ...decision });
    const run = (to: number): Turn => ({ run: to, writes: [{ setting: 'run', from: 1 - to, to }] });
    const records = recorded([
      at(1, run(1)),
      at(11, { reason: 'stopped', ...run(0) }),
      at(13, { reason: 'always', ...run(1) }),
      at(14, { reason: 'free-at-reserve', run: 1, sample: { takenAtMillis: 14_000, ksm: { ...IDLE_KSM, run: 1 } } }),
      at(15, { reason: 'probe', routine: true, ...run(0) }),
    ]);
    assert.deepEqual(
      records.flatMap((record) => (record.kind === 'sample' ? [[record.atMillis, record.run]] : [])),
      [
        [1000, 1],
        [11_000, 0],
        [13_000, 1],
      ],
    );
  });

  test('a timer of ten seconds that is some milliseconds late loses no sample of the history', () => {
    const late = Array.from({ length: 100 }, (_, index) => turn({ sample: { takenAtMillis: index * 10_007 } }));
    assert.equal(recorded(late).filter(({ kind }) => kind === 'sample').length, 100);
  });

  test('two samples of the history are never of the same ten seconds, and every guest event is there once', () => {
    const step = fc.record({
      millis: fc.integer({ min: -30_000, max: 30_000 }),
      fails: fc.boolean(),
      guests: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        let [now, number] = [1_000_000_000, 0];
        const turns = steps.map(({ millis, fails, guests }) => {
          now += millis;
          const triggers = Array.from({ length: guests }, () => guest(`guest${String((number += 1))}`));
          return fails ? failure('x', triggers) : turn({ triggers, sample: { takenAtMillis: now } });
        });
        const records = recorded(turns);
        const slots = records.flatMap((record) =>
          record.kind === 'sample' ? [Math.floor(record.atMillis / SAMPLE_SLOT_MILLIS)] : [],
        );
        assert.ok(slots.every((slot, index) => slot !== slots[index - 1]));
        const names = records.flatMap((record) => (record.kind === 'guest' ? [record.name] : []));
        assert.deepEqual(
          names,
          Array.from({ length: number }, (_, index) => `guest${String(index + 1)}`),
        );
      }),
    );
  });
});

describe('texts', () => {
  test('texts in the history are bounded, and have nothing in them that JSON has to escape at length', () => {
    const any = fc.string({ unit: 'binary', maxLength: 600, size: 'max' });
    const writes = fc.array(fc.record({ setting: fc.constant('run' as const), from: fc.string(), to: fc.string() }));
    fc.assert(
      fc.property(any, any, any, writes, (name, sentence, policy, written) => {
        const records = recorded([turn({ triggers: [guest(name)], policy, sentence, writes: written })]);
        const [event, made] = records;
        assert.ok(event?.kind === 'guest' && made?.kind === 'decision');
        assert.ok(event.name.length <= LONGEST_TEXT.name);
        assert.ok(made.sentence.length <= LONGEST_TEXT.sentence);
        assert.ok(made.policy.length <= LONGEST_TEXT.word);
        assert.ok(made.changes.join('').length <= LONGEST_TEXT.changes);
        for (const text of [event.name, made.sentence, made.policy]) {
          assert.ok(Buffer.byteLength(JSON.stringify(text)) <= 3 * text.length + 2, JSON.stringify(text));
        }
      }),
    );
  });

  test('texts in the history that are too long end in dots', () => {
    const [, made] = recorded([turn({ triggers: [guest('a')], sentence: 'x'.repeat(400) })]);
    assert.ok(made?.kind === 'decision');
    assert.equal(made.sentence, `${'x'.repeat(297)}...`);
  });
});
