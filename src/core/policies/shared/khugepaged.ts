import type { Decision } from '../../decision.js';
import type { Policy } from '../../policy.js';
import { type Sample, savingsOfSample } from '../../sample.js';

/**
 * `policy`, with khugepaged's max_ptes_none set while KSM merges, and while what it merged is still merged.
 *
 * khugepaged makes a huge page of small ones where at most max_ptes_none of them are empty, and fills the empty ones with
 * zeros: also those that KSM mapped to the zero page, and those that a split freed (collapse_huge_page() of
 * mm/khugepaged.c). It is one setting for all processes, so it is given back when nothing is left to protect.
 *
 * @param maxPtesNone null leaves it as the host has it.
 */
export function withKhugepaged(policy: Policy, maxPtesNone: number | null): Policy {
  return {
    name: policy.name,
    decide(memory, sample, triggers) {
      const [next, decided] = policy.decide(memory, sample, triggers);
      const isInForce = maxPtesNone !== null && protects(decided, sample);
      return [next, isInForce ? withLimit(decided, maxPtesNone) : withoutLimit(decided)];
    },
  };
}

function protects({ settings: { run } }: Decision, sample: Sample): boolean {
  return run === 1 || (run !== 2 && savingsOfSample(sample).savedBytes > 0);
}

function withLimit(decision: Decision, maxPtesNone: number): Decision {
  const { settings, working } = decision;
  return {
    ...decision,
    settings: { khugepagedMaxPtesNone: maxPtesNone, ...settings },
    ...(working === undefined ? {} : { working: { ...working, keys: [...working.keys, 'KSM_THP_MAX_PTES_NONE'] } }),
  };
}

function withoutLimit(decision: Decision): Decision {
  return { ...decision, released: [...(decision.released ?? []), 'khugepagedMaxPtesNone'] };
}
