import type { Reason } from '../../../src/core/decision.js';
import type { Facts } from '../../../src/metrics/facts.js';
import { GIB, everything } from './metricsFacts.js';

const REASONS: readonly Reason[] = ['nothing-to-gain', 'burst', 'enough-memory', 'guests-settling', 'probe'];

/**
 * The facts of host `number` of a fleet after so many seconds: up to 12 GiB saved, up to 90 % of a core for it, and on each
 * tenth host no headroom.
 */
export function simulatedHost(number: number, seconds: number): Facts {
  const facts = everything();
  const { state, tally, limits, readings } = facts;
  const last = tally.last;
  if (last === undefined) throw new Error('everything() has a decision');
  const savedBytes = (1 + ((number * 7) % 12)) * GIB;
  const bookkeepingBytes = GIB / 8;
  const reason = REASONS[number % REASONS.length] ?? 'burst';
  return {
    ...facts,
    state: {
      ...state,
      policy: ['ksmtuned', 'adaptive', 'advisor'][number % 3] ?? 'adaptive',
      availableBytes: savedBytes + (number % 10 === 0 ? -1 : number % 7) * GIB,
      savings: {
        ...state.savings,
        sharedBytes: savedBytes,
        savedBytes,
        bookkeepingBytes,
        profitBytes: savedBytes - bookkeepingBytes,
      },
    },
    tally: { ...tally, last: { ...last, decision: { ...last.decision, reason } } },
    limits: { ...limits, forbidden: [], withGuests: false },
    readings: {
      ...readings,
      ksmdCpuNanos: (number % 10) * 0.1e9 * seconds,
      ksmdWaitNanos: (number % 4) * 0.1e9 * seconds,
      nodes: [],
    },
  };
}
