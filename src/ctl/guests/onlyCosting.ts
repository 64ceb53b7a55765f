import { type ManagedGuest, memoryRemedy } from '../../text/guestRemedy.js';
import { inSentence, shellWord } from '../../text/shellWord.js';

/** More are counted, not named. */
const MOST_NAMED = 6;

/** Who only costs, and the commands that take a guest out, now and for its next start. @param guests at least one. */
export function describeOnlyCosting(guests: readonly ManagedGuest[]): string {
  const names = guests.map(({ name }) => name);
  const more = names.length - MOST_NAMED;
  const who = `${names.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  const why = "KSM's records take more memory than merging saves there";
  const [only] = guests;
  if (guests.length > 1 || only === undefined)
    return `${who} only cost: ${why}; samepagectl guests forbid --now -- NAME takes a guest out`;
  // libvirt's definition is changed by the first command.
  const remedy = only.manager === 'libvirt' ? undefined : memoryRemedy(only, 'forbid');
  const next = remedy === undefined ? '' : `, and from its next start on ${inSentence(remedy)}`;
  return `${who} only costs: ${why}; samepagectl guests forbid --now -- ${shellWord(only.name)} takes it out${next}`;
}
