import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeTrigger, type Trigger } from '../../../src/core/trigger.js';
import type { Retune } from '../../../src/core/retune.js';
import { type AgentState, initialState, nextState } from '../../../src/core/state.js';
import { IDLE_KSM, sampleOf } from '../../support/examples/examples.js';

const FIRST = initialState({
  version: '1.2.3',
  policy: 'ksmtuned',
  configuredPolicy: 'ksmtuned',
  configFile: '/etc/ksmtuned.conf',
  dryRun: false,
});
const MERGED = {
  triggers: [{ kind: 'start' }],
  policy: 'ksmtuned',
  nextInMillis: 60_000,
  sample: sampleOf({
    ksm: { ...IDLE_KSM, pagesShared: 100, pagesSharing: 1000, ksmZeroPages: 24, pagesUnshared: 900 },
    guests: [
      { name: 'a', residentBytes: 1, configuredBytes: 2 },
      { name: 'b', residentBytes: 2, configuredBytes: 2 },
    ],
  }),
  decision: { reason: 'free-below-reserve', sentence: 'merging', settings: { run: 1, pagesToScan: 364 } },
  applied: {
    writes: [
      { setting: 'pagesToScan', from: 100, to: 364 },
      { setting: 'run', from: 0, to: 1 },
    ],
    problems: [],
  },
} satisfies Retune;
const DONE_AT = 1_700_000_000_000;
const FAILED: Retune = {
  triggers: [{ kind: 'timer' }],
  policy: 'another',
  nextInMillis: 30_000,
  failure: new Error('no sample'),
};

/** MERGED, on a host with so much memory to give. */
function merged(availableBytes: number): Retune {
  return { ...MERGED, sample: { ...MERGED.sample, availableBytes } };
}

/** The state after a turn. */
function after(state: AgentState, retune: Retune): AgentState {
  return nextState(state, { retune, doneAtMillis: DONE_AT });
}

describe('the state of the agent', () => {
  test('the state of the agent is nothing before anything was looked at', () => {
    assert.deepEqual(FIRST, {
      version: '1.2.3',
      policy: 'ksmtuned',
      configuredPolicy: 'ksmtuned',
      configFile: '/etc/ksmtuned.conf',
      dryRun: false,
      run: 0,
      pagesToScan: 0,
      sleepMillisecs: 0,
      savings: {
        sharedBytes: 0,
        beingFreedBytes: 0,
        zeroBytes: 0,
        freedBytes: 0,
        savedBytes: 0,
        bookkeepingBytes: 0,
        profitBytes: 0,
      },
      sharingRatio: 0,
      ksmdCpuPercent: undefined,
      availableBytes: 0,
      guestCount: 0,
      guestMemoryBytes: 0,
      libvirtConnected: false,
      hold: undefined,
      lastRetune: undefined,
      nextRetuneMillis: undefined,
      cpuMark: undefined,
    });
  });

  test('the state of the agent after a turn is the kernel as the turn left it', () => {
    const turn = merged(7_000_000);
    assert.deepEqual(after(FIRST, turn), {
      ...FIRST,
      run: 1,
      pagesToScan: 364,
      sleepMillisecs: 20,
      savings: {
        ...{
          sharedBytes: 1000 * 4096,
          beingFreedBytes: 0,
          zeroBytes: 24 * 4096,
          freedBytes: 0,
          savedBytes: 1024 * 4096,
        },
        ...{ bookkeepingBytes: 2000 * 64, profitBytes: 1024 * 4096 - 2000 * 64 },
      },
      sharingRatio: 10,
      availableBytes: 7_000_000,
      guestCount: 2,
      guestMemoryBytes: 3,
      lastRetune: turn,
      nextRetuneMillis: DONE_AT + 60_000,
    });
  });

  test('the state of the agent shows what the kernel took, not what was wanted of it', () => {
    const refused: Retune = { ...MERGED, applied: { writes: MERGED.applied.writes.slice(0, 1), problems: [] } };
    const { run, pagesToScan } = after(FIRST, refused);
    assert.deepEqual({ run, pagesToScan }, { run: 0, pagesToScan: 364 });
  });

  test('the state of the agent in a dry run is the kernel as it was found: nothing was written', () => {
    const { run, pagesToScan, sleepMillisecs, savings } = after({ ...FIRST, dryRun: true }, MERGED);
    assert.deepEqual(
      { run, pagesToScan, sleepMillisecs, savedBytes: savings.savedBytes },
      { run: 0, pagesToScan: 100, sleepMillisecs: 20, savedBytes: 1024 * 4096 },
    );
  });

  test('the state of the agent keeps what it knew through a failed turn, and tells of that', () => {
    const before = after(FIRST, merged(7_000_000));
    const looks = { lastRetune: FAILED, nextRetuneMillis: DONE_AT + 30_000 };
    assert.deepEqual(after(before, FAILED), { ...before, ...looks, policy: 'another' });
  });

  test('the state of the agent takes libvirt that came or went and nothing else', () => {
    const before = after(FIRST, MERGED);
    const connected = nextState(before, { libvirtConnected: true });
    assert.deepEqual(connected, { ...before, libvirtConnected: true });
    assert.deepEqual(nextState(connected, { libvirtConnected: false }), before);
  });

  test('the state of the agent keeps what was available where that cannot be read', () => {
    assert.equal(after(after(FIRST, merged(5)), MERGED).availableBytes, 5);
  });

  test('the state of the agent looks next when the turn says so, a failed one too', () => {
    assert.equal(after(FIRST, MERGED).nextRetuneMillis, DONE_AT + 60_000);
    assert.equal(after(FIRST, FAILED).nextRetuneMillis, DONE_AT + 30_000);
  });

  test('the state of the agent has no ratio while nothing is shared', () => {
    assert.equal(after(FIRST, { ...MERGED, sample: sampleOf() }).sharingRatio, 0);
  });
});

describe("ksmd's CPU time, as percent of a core", () => {
  /** Looks at these times with these counters, in milliseconds. */
  function percents(...looks: readonly (readonly [at: number, cpu: number | undefined])[]): (number | undefined)[] {
    let state = FIRST;
    return looks.map(([monotonicMillis, cpuMillis]) => {
      const cpu = cpuMillis === undefined ? {} : { ksmdCpuNanos: cpuMillis * 1e6 };
      state = after(state, { ...MERGED, sample: sampleOf({ monotonicMillis, ...cpu }) });
      return state.ksmdCpuPercent;
    });
  }

  test("ksmd's CPU time is the difference of two looks", () => {
    assert.deepEqual(percents([1000, 500], [2000, 900], [4000, 900], [4500, 1025]), [undefined, 40, 0, 25]);
  });

  test("ksmd's CPU time is not known where the counter is not there, and begins anew when it comes", () => {
    assert.deepEqual(percents([0, 0], [1000, 100], [2000, undefined], [3000, 200], [4000, 300]), [
      undefined,
      10,
      undefined,
      undefined,
      10,
    ]);
  });

  test("ksmd's CPU time is not known when the counter or the clock goes backwards", () => {
    assert.deepEqual(percents([0, 900], [1000, 100], [2000, 200]), [undefined, undefined, 10]);
    assert.deepEqual(percents([5000, 100], [1000, 200], [2000, 300]), [undefined, undefined, 10]);
  });

  test("ksmd's CPU time stays as it was over looks that follow at once, which count later", () => {
    assert.deepEqual(percents([0, 0], [1000, 500], [1001, 501], [1100, 501], [2000, 600]), [undefined, 50, 50, 50, 10]);
    assert.deepEqual(percents([0, 0], [0, 0]), [undefined, undefined]);
  });

  test("ksmd's CPU time is never above one core", () => {
    assert.deepEqual(percents([0, 0], [1000, 1001]), [undefined, 100]);
  });

  test("ksmd's CPU time counts on through a failed look", () => {
    const first = after(FIRST, { ...MERGED, sample: sampleOf({ monotonicMillis: 0, ksmdCpuNanos: 0 }) });
    const failed = after(first, FAILED);
    const sample = sampleOf({ monotonicMillis: 1000, ksmdCpuNanos: 3e8 });
    assert.equal(after(failed, { ...MERGED, sample }).ksmdCpuPercent, 30);
  });
});

describe('a trigger in words', () => {
  const rows: [Trigger, string][] = [
    [{ kind: 'start' }, 'start'],
    [{ kind: 'timer' }, 'timer'],
    [{ kind: 'reload' }, 'reload'],
    [{ kind: 'manual', by: 'SIGUSR1' }, 'asked for by SIGUSR1'],
    [{ kind: 'guest', event: { change: 'started', name: 'web' } }, 'guest web started'],
    [{ kind: 'guest', event: { change: 'crashed', name: 'web' } }, 'guest web crashed'],
    [{ kind: 'recheck', name: 'web' }, 'recheck of guest web'],
  ];
  for (const [trigger, words] of rows) {
    test(`a trigger is described as "${words}"`, () => {
      assert.equal(describeTrigger(trigger), words);
    });
  }
});
