import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KsmState, KsmWrite } from '../../../src/core/ksm.js';
import type { Trigger } from '../../../src/core/trigger.js';
import type { Retune } from '../../../src/core/retune.js';
import { type Countable, type Tally, firstTally, nextTally } from '../../../src/metrics/tally.js';
import { IDLE_KSM, sampleOf } from '../../support/examples/examples.js';

interface Turn {
  readonly ksm?: Partial<KsmState>;
  readonly writes?: readonly KsmWrite[];
  readonly failed?: readonly KsmWrite[];
  readonly triggers?: readonly Trigger[];
  readonly latencies?: readonly number[];
}

function retuned({ ksm, writes = [], failed, triggers = [{ kind: 'timer' }], latencies = [] }: Turn): Countable {
  const retune: Retune = {
    triggers,
    policy: 'ksmtuned',
    nextInMillis: 1000,
    sample: sampleOf({ ksm: { ...IDLE_KSM, ...ksm } }),
    decision: { reason: 'enough-memory', sentence: '', settings: {} },
    applied: { writes, problems: [], ...(failed === undefined ? {} : { failed }) },
  };
  return { retune, latencies };
}

function after(...events: readonly Countable[]): Tally {
  return events.reduce(nextTally, firstTally(false));
}

const MERGE: KsmWrite = { setting: 'run', from: 0, to: 1 };
const FASTER: KsmWrite = { setting: 'pagesToScan', from: 100, to: 300 };

describe('what happened is counted', () => {
  test('a retune is counted once, under the trigger that came first', () => {
    const event = { kind: 'guest', event: { change: 'started', name: 'web' } } as const;
    const { retunes, decisions } = after(
      retuned({ triggers: [{ kind: 'start' }] }),
      retuned({ triggers: [event, { kind: 'timer' }] }),
    );
    assert.deepEqual(retunes, { start: 1, timer: 0, reload: 0, manual: 0, guest: 1, recheck: 0 });
    assert.equal(decisions['enough-memory'], 2);
  });

  test('a retune without a decision is counted as failed, and the last decision stays', () => {
    const failure = { triggers: [{ kind: 'timer' }], policy: '', nextInMillis: 0, failure: new Error('no') } as const;
    const decided = after(retuned({}));
    const tally = nextTally(decided, { retune: failure, latencies: [] });
    assert.equal(tally.failedRetunes, 1);
    assert.equal(tally.retunes.timer, 2);
    assert.equal(tally.last, decided.last);
  });

  test('latencies of retunes are counted in each class that they fit into', () => {
    const { latencies } = after(retuned({ latencies: [0.2, 3] }), retuned({ latencies: [40] }));
    assert.deepEqual(Object.fromEntries(latencies.upTo), {
      0.1: 0,
      0.25: 1,
      0.5: 1,
      1: 1,
      2.5: 1,
      5: 2,
      10: 2,
      30: 2,
    });
    assert.equal(latencies.count, 3);
    assert.equal(latencies.sumSeconds, 43.2);
  });

  test('writes that the kernel took are counted, and those that it did not', () => {
    const { writes, failedWrites } = after(retuned({ writes: [MERGE], failed: [FASTER] }));
    assert.deepEqual([writes, failedWrites], [1, 1]);
  });

  test('a connection that comes back is counted as a reconnect, the first one is none', () => {
    const events = [false, true, true, false, false, true].map((isUp) => ({ peer: 'libvirt', isUp }) as const);
    assert.deepEqual(after(...events).connections, { libvirt: { isUp: true, wasUp: true, reconnects: 1 } });
  });
});

describe('what others do to the settings is counted', () => {
  test('a change of a setting by others is counted, once', () => {
    const { changesByOthers } = after(
      retuned({ writes: [FASTER] }),
      retuned({ ksm: { pagesToScan: 50 } }),
      retuned({ ksm: { pagesToScan: 50 } }),
    );
    assert.equal(changesByOthers, 1);
  });

  test('what samepaged wrote itself is not counted as a change by others', () => {
    assert.equal(after(retuned({ writes: [FASTER] }), retuned({ ksm: { pagesToScan: 300 } })).changesByOthers, 0);
  });

  test("pages_to_scan is the kernel's own to change while its advisor is on", () => {
    const advised = { advisorMode: 'scan-time' } as const;
    const tally = after(retuned({ ksm: advised }), retuned({ ksm: { ...advised, pagesToScan: 777 } }));
    assert.equal(tally.changesByOthers, 0);
  });

  test('writing the same value once more is counted as a repeated write', () => {
    const { repeatedWrites, writes } = after(
      retuned({ writes: [FASTER] }),
      retuned({ ksm: { pagesToScan: 50 }, writes: [{ ...FASTER, from: 50 }] }),
      retuned({ ksm: { pagesToScan: 300 }, writes: [{ ...FASTER, from: 300, to: 600 }] }),
    );
    assert.deepEqual([repeatedWrites, writes], [1, 3]);
  });
});

test('a dry run writes nothing, so nothing of it is counted as written or applied', () => {
  const turn = retuned({ writes: [FASTER], latencies: [1] });
  const tally = [turn, turn].reduce(nextTally, firstTally(true));
  assert.deepEqual([tally.writes, tally.repeatedWrites, tally.changesByOthers, tally.latencies.count], [0, 0, 0, 0]);
  assert.equal(tally.decisions['enough-memory'], 2);
});
