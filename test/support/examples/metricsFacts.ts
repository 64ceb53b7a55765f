import { initialState, nextState } from '../../../src/core/state.js';
import type { Facts } from '../../../src/metrics/facts.js';
import { type DecidedRetune, firstTally, nextTally } from '../../../src/metrics/tally.js';
import { IDLE_KSM, hostOf, sampleOf } from './examples.js';

export const GIB = 1024 ** 3;

/** Facts of which every metric has a value. */
export function everything(): Facts {
  const retune: DecidedRetune = {
    triggers: [{ kind: 'start' }],
    policy: 'adaptive',
    nextInMillis: 1000,
    sample: sampleOf({
      takenAtMillis: 1_700_000_000_000,
      memory: hostOf(16_777_216, 2_097_152, 12_582_912),
      availableBytes: 4 * GIB,
      ksm: { ...IDLE_KSM, run: 1, pagesShared: 1000, pagesSharing: 524_288, pagesUnshared: 9000 },
      guests: [
        { name: 'web', residentBytes: 8 * GIB, configuredBytes: 8 * GIB, ksmProfitBytes: GIB },
        { name: 'vault', residentBytes: 4 * GIB, configuredBytes: 8 * GIB },
      ],
    }),
    decision: { reason: 'burst', sentence: 'merging', settings: {} },
    applied: { writes: [], problems: [] },
  };
  const fixed = { version: '1.2.3', policy: 'adaptive', configuredPolicy: 'ksmtuned', configFile: '/f', dryRun: false };
  const connected = (['bus', 'libvirt'] as const).map((peer) => ({ peer, isUp: true }));
  return {
    state: nextState(initialState(fixed), { retune, doneAtMillis: 1_700_000_000_000 }),
    tally: [...connected, { retune, latencies: [0.3] }].reduce(nextTally, firstTally(false)),
    limits: {
      thresholdPercent: 20,
      thresholdBytes: 2048 * 1024,
      ksmdBudgetRatio: 0.5,
      forbidden: ['vault*'],
      withGuests: true,
    },
    readings: {
      ksmdCpuNanos: 12.5e9,
      ksmdWaitNanos: 0.5e9,
      copiedOnWrite: 10,
      copiedOnSwapIn: 0,
      nodes: [0, 1].map((id) => ({ id, totalBytes: 8 * GIB, freeBytes: GIB, distances: [] })),
    },
    isConfigurationValid: true,
    mergeability: [
      { name: 'web', mergeability: { mergeable: false, obstacles: ['hugepages', 'pinned'], locked: false } },
      { name: 'vault', mergeability: { mergeable: true, obstacles: [], locked: false } },
    ],
  };
}
