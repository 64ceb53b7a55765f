import type { Mergeability } from './mergeability.js';
import { shellWord } from './shellWord.js';

/** Which guests must not be merged, by name: KSM_FORBID_GUESTS. */
export type NamePatterns = readonly string[];

/** Patterns between commas; `*` is any text, `?` one character, everything else itself. Case counts, as with libvirt. */
export function parseNamePatterns(text: string): NamePatterns {
  const patterns = text.split(',').map((pattern) => pattern.trim());
  return patterns.filter((pattern) => pattern !== '');
}

export function isForbidden(patterns: NamePatterns, name: string): boolean {
  return patterns.some((pattern) => matches(Array.from(pattern), Array.from(name)));
}

/** What to warn of when a guest starts; undefined when all is well, or when nobody knows whether it can be merged. */
export function forbiddenWarning(
  patterns: NamePatterns,
  name: string,
  mergeability: Mergeability | undefined,
): string | undefined {
  if (mergeability?.mergeable !== true || !isForbidden(patterns, name)) return undefined;
  return (
    `guest ${name} should not be merged (KSM_FORBID_GUESTS) but is: KSM is a side channel between guests; ` +
    `samepagectl guests forbid -- ${shellWord(name)}, then restart it`
  );
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
