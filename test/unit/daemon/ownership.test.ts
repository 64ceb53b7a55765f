import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Owners } from '../../../src/daemon/ownership.js';
import type { KsmSetting, KsmSettings } from '../../../src/core/ksm.js';
import { DEFAULT_PLAN, countingPolicy } from '../../support/policies/retuneLoop.js';

/** A decision of a policy, on a configuration that sets something too. */
interface Step {
  readonly policy: string;
  readonly settings: KsmSettings;
  readonly released?: readonly KsmSetting[];
  readonly configured?: KsmSettings;
}

const BEFORE: KsmSettings = { run: 0, pagesToScan: 100, smartScan: 1, useZeroPages: 0, advisorMode: 'none' };

/** What is to be set back at each step, in a kernel that takes everything. */
function dueOf(steps: readonly Step[], { inherited = {} }: { inherited?: KsmSettings } = {}): KsmSettings[] {
  const owners = new Owners(inherited);
  let now: KsmSettings = { ...BEFORE, ...inherited };
  return steps.map(({ policy, settings: decided, released = [], configured = {} }) => {
    const settings = { ...configured, ...decided };
    const plan = { ...DEFAULT_PLAN, policy: countingPolicy(policy), settings: configured };
    const { due } = owners.handBack({ reason: 'always', sentence: '', settings, released }, plan, BEFORE, now);
    now = { ...now, ...due, ...settings };
    return due;
  });
}

describe('what nobody asks for any more goes back to the host', () => {
  const probe = { policy: 'adaptive', settings: { run: 1, pagesToScan: 50, smartScan: 0 } };

  test('a policy that is silent on what it has set leaves it', () => {
    assert.deepEqual(dueOf([probe, { policy: 'adaptive', settings: { run: 0 } }]), [{}, {}]);
  });

  test('another policy gets the host as it was before the first, but for what it sets itself; once', () => {
    const other = { policy: 'ksmtuned', settings: { run: 1, pagesToScan: 300 } };
    assert.deepEqual(dueOf([probe, other, other]), [{}, { smartScan: 1 }, {}]);
  });

  test('what a policy has taken over is not given back behind it', () => {
    const [scan, rest] = [
      { policy: 'ksmtuned', settings: { run: 1, pagesToScan: 300 } },
      { policy: 'ksmtuned', settings: { run: 0 } },
    ];
    assert.deepEqual(dueOf([probe, scan, rest, scan]), [{}, { smartScan: 1 }, {}, {}]);
  });

  test('pages_to_scan is given back with the advisor that has set it', () => {
    const advisor = { policy: 'advisor', settings: { run: 1, advisorMode: 'scan-time' } } as const;
    const owners = new Owners({});
    const decide = ({ policy, settings }: Step, now: KsmSettings) =>
      owners.handBack(
        { reason: 'always', sentence: '', settings },
        { ...DEFAULT_PLAN, policy: countingPolicy(policy) },
        BEFORE,
        now,
      ).due;
    // Switching it off resets pages_to_scan, whatever that was.
    const advised: KsmSettings = { ...BEFORE, run: 1, advisorMode: 'scan-time', pagesToScan: 100 };
    assert.deepEqual(decide(advisor, BEFORE), {});
    assert.deepEqual(decide(advisor, advised), {});
    assert.deepEqual(decide({ policy: 'adaptive', settings: { run: 0 } }, advised), {
      advisorMode: 'none',
      pagesToScan: 100,
    });
  });

  test('what the policy itself releases is given back', () => {
    const step = { policy: 'adaptive', settings: { run: 1 } };
    assert.deepEqual(
      dueOf([
        { ...step, settings: { run: 1, useZeroPages: 1 } },
        { ...step, settings: { run: 0 } },
        { ...step, released: ['useZeroPages'] },
        { ...step, released: ['useZeroPages'] },
      ]),
      [{}, {}, { useZeroPages: 0 }, {}],
    );
  });

  test('a key that is not in the configuration any more is given back', () => {
    const step = { policy: 'ksmtuned', settings: { run: 0 } };
    assert.deepEqual(
      dueOf([
        { ...step, configured: { useZeroPages: 1, smartScan: 0 } },
        { ...step, configured: { smartScan: 0 } },
      ]),
      [{}, { useZeroPages: 0 }],
    );
  });

  test('what a samepaged before this one has left, and nobody asks for, is given back', () => {
    const inherited = { smartScan: 0, pagesToScan: 50 };
    const step = { policy: 'ksmtuned', settings: { run: 1, pagesToScan: 300 } };
    assert.deepEqual(dueOf([step, step], { inherited }), [{ smartScan: 1 }, {}]);
  });

  test('giving back is tried until the kernel has taken it, and told when it has', () => {
    const owners = new Owners({ smartScan: 0 });
    const decision = { reason: 'always', sentence: '', settings: { run: 0 } } as const;
    const results = [0, 0, 1, 1].map((smartScan) =>
      owners.handBack(decision, DEFAULT_PLAN, BEFORE, { ...BEFORE, smartScan }),
    );
    assert.deepEqual(results, [
      { due: { smartScan: 1 }, back: [] },
      { due: { smartScan: 1 }, back: [] },
      { due: {}, back: ['smartScan'] },
      { due: {}, back: [] },
    ]);
  });
});
