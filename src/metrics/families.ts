import type { Facts } from './facts.js';
import { buildInfo, samepaged, standingBy, up } from './families/daemon.js';
import { eachGuest, guests } from './families/guests.js';
import { ksmd } from './families/ksmd.js';
import { loop } from './families/loop.js';
import { memory, savings } from './families/memory.js';
import type { Family } from './family.js';

/**
 * Every metric of samepaged, in the order of the page; docs/metrics.md has the same list. Gauges are of the last retune, as
 * the properties on the bus are. A new metric belongs into the file of its subject in families/, and what it counts into
 * tally.ts.
 */
export function families(facts: Facts): readonly Family[] {
  const sample = facts.tally.last?.sample;
  return [
    ...samepaged(facts),
    ...savings(facts),
    ...(sample === undefined ? [] : memory(sample, facts)),
    ...ksmd(facts, sample),
    ...loop(facts.tally),
    ...guests(facts),
    ...(sample === undefined || !facts.limits.withGuests ? [] : eachGuest(sample)),
  ];
}

/** What stands in place of the page of a samepaged that does not run. */
export function familiesOfNone(): readonly Family[] {
  return [up(0)];
}

/** The page of a samepaged that leaves KSM to another program. */
export function familiesOfStandBy(version: string): readonly Family[] {
  return [up(1), buildInfo(version), standingBy(1)];
}
