import type { Trigger } from '../policy.js';
import type { AdaptiveMemory } from './adaptive.js';
import type { Need } from './need.js';
import type { Mark } from './progress.js';

/** Memory that a burst has just gone through is not gone through again because pressure comes and goes. */
const AFTER_BURST_MILLIS = 60_000;

/** Why memory should be looked through now, where no trigger tells of it. */
export function newOccasion(
  before: AdaptiveMemory | undefined,
  need: Need,
  mark: Mark,
  triggers: readonly Trigger[],
): string | undefined {
  if (need.urgent && before?.need.urgent !== true && !isGoneThrough(before, mark)) return 'memory is nearly out';
  if (before === undefined) {
    return triggers.some(({ kind }) => kind === 'start') ? undefined : 'the policy adaptive has just begun';
  }
  if (!before.need.needed) return 'memory has become short';
  // Unmerging sets full_scans to 0 (unmerge_and_remove_all_rmap_items() of mm/ksm.c).
  return mark.fullScans < before.mark.fullScans ? 'what was merged has been unmerged' : undefined;
}

function isGoneThrough(before: AdaptiveMemory | undefined, mark: Mark): boolean {
  if (before === undefined || before.phase.name === 'rest' || before.phase.name === 'settle') return false;
  if (before.phase.name === 'burst') return true;
  const { last } = before.phase;
  return last !== undefined && mark.monotonicMillis - last.pass.monotonicMillis < AFTER_BURST_MILLIS;
}
