import type { Decision } from '../decision.js';
import { formatDuration } from '../duration.js';
import { ownMemory, type Policy, type PolicyMemory } from '../policy.js';

/** What is remembered while it is found out what merging would save. */
export interface EstimateMemory {
  readonly policy: 'estimate';
  readonly inner: PolicyMemory | undefined;
  /** On a clock that nobody sets. */
  readonly beganMillis: number;
  readonly isOver: boolean;
}

/** How often a hold's end is looked for. */
const LOOK_MILLIS = 10_000;

/**
 * One burst of `adaptive`, to see what it brings: until passes bring nothing more, or the time is over. Then ksmd rests, and
 * what is shared stays shared.
 *
 * @param adaptive the policy adaptive, which needs merging whatever memory there is.
 */
export function estimatePolicy(adaptive: Policy, longestMillis: number): Policy {
  return {
    name: adaptive.name,
    decide(memory, sample, triggers) {
      const before = ownMemory<EstimateMemory>(memory, 'estimate');
      const beganMillis = before?.beganMillis ?? sample.monotonicMillis;
      const leftMillis = beganMillis + longestMillis - sample.monotonicMillis;
      if (before?.isOver === true) return [before, over('nothing more to gain', true)];
      if (leftMillis <= 0) {
        return [
          { policy: 'estimate', inner: before?.inner, beganMillis, isOver: false },
          over('its time is up', false),
        ];
      }
      const [inner, decision] = adaptive.decide(before?.inner, sample, triggers);
      const isOver = decision.reason === 'nothing-to-gain' || decision.reason === 'costs-more-than-it-saves';
      return [{ policy: 'estimate', inner, beganMillis, isOver }, running(decision, leftMillis)];
    },
  };
}

function running(decision: Decision, leftMillis: number): Decision {
  return {
    ...decision,
    reason: 'estimating',
    sentence: `estimating what merging saves, for ${formatDuration(leftMillis)} at most: ${decision.sentence}`,
    nextInMillis: Math.min(decision.nextInMillis ?? LOOK_MILLIS, leftMillis),
  };
}

function over(why: string, isDone: boolean): Decision {
  return {
    reason: 'estimating',
    sentence: `estimating what merging saves: ${why}, ksmd rests until somebody resumes`,
    settings: { run: 0 },
    nextInMillis: LOOK_MILLIS,
    ...(isDone ? { stage: { name: 'done' } } : {}),
  };
}
