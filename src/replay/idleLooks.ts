import type { Plan } from '../core/retune.js';
import type { VirtualHost } from '../simulation/host.js';

/** Until a host that rests is looked at all the same, so that times stay whole numbers that a clock can have. */
const LONGEST_MILLIS = 86_400_000;

/**
 * The plan without the looks at which nothing can have changed: while ksmd rests and the host is steady, the next comes when the
 * policy would decide otherwise. What happens to guests is a retune of its own, as always.
 */
export function withoutIdleLooks(plan: Plan, host: Pick<VirtualHost, 'isSteady'>): Plan {
  const { policy } = plan;
  return {
    ...plan,
    policy: {
      name: policy.name,
      decide(memory, sample, triggers) {
        const [next, decision] = policy.decide(memory, sample, triggers);
        const { staysForMillis, settings } = decision;
        if (staysForMillis === undefined || settings.run !== 0 || !host.isSteady) return [next, decision];
        return [next, { ...decision, nextInMillis: Math.min(staysForMillis, LONGEST_MILLIS) }];
      },
    },
  };
}
