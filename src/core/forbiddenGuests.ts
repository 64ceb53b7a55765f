import type { NamedGuest } from './guest.js';

/** Which guests must not be merged, by name: KSM_FORBID_GUESTS. */
export type NamePatterns = readonly string[];

/** Patterns between commas; `*` is any text, `?` one character, everything else itself. Case counts, as with libvirt. */
export function parseNamePatterns(text: string): NamePatterns {
  const patterns = text.split(',').map((pattern) => pattern.trim());
  return patterns.filter((pattern) => pattern !== '');
}

/** A pattern may mean the name that a guest was given or the one that is shown: `vault` and `vault (104)`. */
export function isForbidden(patterns: NamePatterns, guest: NamedGuest): boolean {
  return patterns.some((pattern) => means(pattern, guest));
}

/** The patterns that mean none of these guests: a typing error in one would leave a guest merged. */
export function patternsWithoutGuest(patterns: NamePatterns, guests: readonly NamedGuest[]): NamePatterns {
  return patterns.filter((pattern) => !guests.some((guest) => means(pattern, guest)));
}

/** What to say of the patterns that mean none of the guests that run; undefined where there are none. */
export function unmatchedText(patterns: NamePatterns, guests: readonly NamedGuest[]): string | undefined {
  const unmatched = patternsWithoutGuest(patterns, guests).map((pattern) => `"${pattern}"`);
  return unmatched.length === 0 ? undefined : `no running guest is called ${unmatched.join(', ')}`;
}

function means(pattern: string, { name, plainName = name }: NamedGuest): boolean {
  return [name, plainName].some((each) => matches(Array.from(pattern), Array.from(each)));
}

/** Takes at most as many steps as both lengths multiplied: what a star took is only ever widened for the last star. */
function matches(pattern: readonly string[], name: readonly string[]): boolean {
  let [at, star, taken] = [0, -1, 0];
  for (let index = 0; index < name.length;) {
    if (pattern[at] === '*') [star, taken, at] = [at, index, at + 1];
    else if (pattern[at] === '?' || pattern[at] === name[index]) [at, index] = [at + 1, index + 1];
    else if (star >= 0) [at, taken, index] = [star + 1, taken + 1, taken + 1];
    else return false;
  }
  return pattern.slice(at).every((character) => character === '*');
}
