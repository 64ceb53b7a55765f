/** ksmd notes a page in one pass and merges it in the next. */
const PASSES_TO_MERGE = 2;

/** Whether KSM's records of a guest take more memory than its merged pages save; false where that is unknown. */
export function onlyCosts(profitBytes: number | undefined): boolean {
  return (profitBytes ?? 0) < 0;
}

/**
 * The guests that only cost, among those that KSM may merge.
 *
 * @param fullScans passes of ksmd since boot. Nobody is named before two are over.
 */
export function onlyCosting<
  Guest extends {
    readonly profitBytes: number | undefined;
    readonly mergeability: { readonly mergeable: boolean } | undefined;
  },
>(guests: readonly Guest[], fullScans: number | undefined): readonly Guest[] {
  if ((fullScans ?? 0) < PASSES_TO_MERGE) return [];
  return guests.filter(({ profitBytes, mergeability }) => onlyCosts(profitBytes) && mergeability?.mergeable !== false);
}
