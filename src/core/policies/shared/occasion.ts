import type { Trigger } from '../../policy.js';
import type { Need } from './need.js';
import type { Mark } from './progress.js';

/** Memory that a burst has just gone through is not gone through again because pressure comes and goes. */
export const PRESSURE_WAIT_MILLIS = 60_000;

/** What a policy remembers of its last look. */
interface Look {
  readonly need: Pick<Need, 'needed' | 'urgent'>;
  readonly mark: Pick<Mark, 'fullScans'>;
}

/**
 * Why memory should be looked through now, where no trigger tells of it.
 *
 * @param isGoneThrough whether that is being done or was done so lately that pressure is no reason to do it once more.
 */
export function newOccasion(
  policy: string,
  before: Look | undefined,
  { need, mark }: Look & { readonly need: Pick<Need, 'urgency'> },
  triggers: readonly Trigger[],
  isGoneThrough: boolean,
): string | undefined {
  if (before?.need.urgent !== true && !isGoneThrough && need.urgency !== undefined) return need.urgency;
  if (before === undefined) {
    return triggers.some(({ kind }) => kind === 'start') ? undefined : `the policy ${policy} has just begun`;
  }
  if (!before.need.needed) return 'memory has become short';
  // Unmerging sets full_scans to 0 (unmerge_and_remove_all_rmap_items() of mm/ksm.c).
  return mark.fullScans < before.mark.fullScans ? 'what was merged has been unmerged' : undefined;
}
