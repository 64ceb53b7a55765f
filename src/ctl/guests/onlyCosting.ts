import { shellWord } from '../../text/shellWord.js';

/** More are counted, not named. */
const MOST_NAMED = 6;

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
