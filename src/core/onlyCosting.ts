import { shellWord } from './shellWord.js';

/** ksmd notes a page in one pass and merges it in the next. */
const PASSES_TO_MERGE = 2;

/** More are counted, not named. */
const MOST_NAMED = 6;

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

/** Who only costs, and the command that takes a guest out. @param names at least one. */
export function describeOnlyCosting(names: readonly string[]): string {
  const [first = ''] = names;
  const more = names.length - MOST_NAMED;
  const who = `${names.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  const [verb, word, it] = names.length === 1 ? ['costs', shellWord(first), 'it'] : ['cost', 'NAME', 'a guest'];
  return (
    `${who} only ${verb}: KSM's records take more memory than merging saves there; ` +
    `samepagectl guests forbid --now -- ${word} takes ${it} out`
  );
}
