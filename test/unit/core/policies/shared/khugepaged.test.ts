import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { planOf } from '../../../../../src/config/plan.js';
import type { Decision } from '../../../../../src/core/decision.js';
import type { Hold } from '../../../../../src/core/hold.js';
import type { KsmState } from '../../../../../src/core/ksm.js';
import { IDLE_KSM, hostOf, sampleOf, valuesOf } from '../../../../support/examples/examples.js';

const SHARED: Partial<KsmState> = { pagesShared: 1, pagesSharing: 1000 };

function decided(
  limit: string,
  host: { free: number; ksm?: Partial<KsmState>; hold?: Exclude<Hold['kind'], 'estimating'> },
): Decision {
  const values = valuesOf({ KSM_THP_MAX_PTES_NONE: limit });
  const hold = host.hold === undefined ? undefined : { kind: host.hold };
  const { policy } = planOf({ because: { kind: 'start' }, values, hold }, undefined);
  const sample = sampleOf({
    memory: hostOf(16_777_216, host.free, 0),
    ksm: { ...IDLE_KSM, khugepagedMaxPtesNone: 511, ...host.ksm },
  });
  return policy.decide(undefined, sample, [{ kind: 'start' }])[1];
}

/** What is set; `back` where it is given back to the host. */
function limitOf({ settings, released = [] }: Decision): number | 'back' | undefined {
  return settings.khugepagedMaxPtesNone ?? (released.includes('khugepagedMaxPtesNone') ? 'back' : undefined);
}

const SHORT = 1_000_000;
const PLENTY = 15_000_000;

describe("KSM_THP_MAX_PTES_NONE sets khugepaged's max_ptes_none", () => {
  const rows: { name: string; limit?: string; host: Parameters<typeof decided>[1]; set: number | 'back' }[] = [
    { name: 'while KSM merges', host: { free: SHORT }, set: 0 },
    { name: 'to another number', limit: '64', host: { free: SHORT }, set: 64 },
    { name: 'not before anything was merged', host: { free: PLENTY }, set: 'back' },
    { name: 'while what was merged is still merged', host: { free: PLENTY, ksm: SHARED }, set: 0 },
    { name: 'while merging is paused by hand', host: { free: SHORT, ksm: SHARED, hold: 'paused' }, set: 0 },
    {
      name: 'not when everything is unmerged by hand',
      host: { free: SHORT, ksm: SHARED, hold: 'unmerged' },
      set: 'back',
    },
    { name: 'not unless it is given', limit: '', host: { free: SHORT, ksm: SHARED }, set: 'back' },
  ];
  for (const { name, limit = '0', host, set } of rows) {
    test(`whether KSM_THP_MAX_PTES_NONE sets khugepaged's max_ptes_none: ${name}`, () => {
      assert.equal(limitOf(decided(limit, host)), set);
    });
  }

  test('the explanation names KSM_THP_MAX_PTES_NONE where it is in force', () => {
    const named = (limit: string) => decided(limit, { free: SHORT }).working?.keys.includes('KSM_THP_MAX_PTES_NONE');
    assert.deepEqual([named('0'), named('')], [true, false]);
  });
});
