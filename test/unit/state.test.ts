import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Trigger, describeTrigger } from '../../src/core/policy.js';
import type { Retune } from '../../src/core/retune.js';
import { initialState, nextState } from '../../src/core/state.js';
import { IDLE_KSM, sampleOf } from './examples.js';

const FIRST = initialState({ version: '1.2.3', policy: 'ksmtuned', dryRun: false });
const MERGED: Retune = {
  triggers: [{ kind: 'start' }],
  policy: 'ksmtuned',
  sample: sampleOf({
    ksm: { ...IDLE_KSM, pagesSharing: 1000, ksmZeroPages: 24 },
    guests: [
      { name: 'a', residentBytes: 1, configuredBytes: 2 },
      { name: 'b', residentBytes: 1, configuredBytes: 2 },
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
};
const FAILED: Retune = { triggers: [{ kind: 'timer' }], policy: 'another', failure: new Error('no sample') };

describe('the state of the agent', () => {
  test('is nothing before anything was looked at', () => {
    assert.deepEqual(FIRST, {
      version: '1.2.3',
      policy: 'ksmtuned',
      dryRun: false,
      run: 0,
      pagesToScan: 0,
      sleepMillisecs: 0,
      savedBytes: 0,
      guestCount: 0,
      libvirtConnected: false,
      hold: undefined,
      lastRetune: undefined,
    });
  });

  test('after a turn is the kernel as the turn left it', () => {
    assert.deepEqual(nextState(FIRST, { retune: MERGED }), {
      ...FIRST,
      run: 1,
      pagesToScan: 364,
      sleepMillisecs: 20,
      savedBytes: 1024 * 4096,
      guestCount: 2,
      lastRetune: MERGED,
    });
  });

  test('shows what the kernel took, not what was wanted of it', () => {
    const refused: Retune = { ...MERGED, applied: { writes: MERGED.applied.writes.slice(0, 1), problems: [] } };
    const { run, pagesToScan } = nextState(FIRST, { retune: refused });
    assert.deepEqual({ run, pagesToScan }, { run: 0, pagesToScan: 364 });
  });

  test('in a dry run is the kernel as it was found: nothing was written', () => {
    const { run, pagesToScan, sleepMillisecs, savedBytes } = nextState({ ...FIRST, dryRun: true }, { retune: MERGED });
    assert.deepEqual(
      { run, pagesToScan, sleepMillisecs, savedBytes },
      { run: 0, pagesToScan: 100, sleepMillisecs: 20, savedBytes: 1024 * 4096 },
    );
  });

  test('keeps what it knew through a failed turn, and tells of that', () => {
    const before = nextState(FIRST, { retune: MERGED });
    assert.deepEqual(nextState(before, { retune: FAILED }), { ...before, policy: 'another', lastRetune: FAILED });
  });

  test('takes libvirt that came or went and nothing else', () => {
    const before = nextState(FIRST, { retune: MERGED });
    const connected = nextState(before, { libvirtConnected: true });
    assert.deepEqual(connected, { ...before, libvirtConnected: true });
    assert.deepEqual(nextState(connected, { libvirtConnected: false }), before);
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
    [{ kind: 'recheck', name: 'web' }, 'second look at guest web'],
  ];
  for (const [trigger, words] of rows) {
    test(words, () => {
      assert.equal(describeTrigger(trigger), words);
    });
  }
});
