/** What may be part of a name: a name is replaced only where it stands alone. */
const NAME_PART = '[\\p{L}\\p{M}\\p{N}_.-]';

/**
 * `text` with each of `names` replaced by guest-1, guest-2 and so on, in the order given. A longer name goes first, so that
 * "web" does not cut "web-2" in two.
 */
export function withoutNames(text: string, names: readonly string[]): string {
  const numbered = new Map(
    [...new Set(names)].filter((name) => name !== '').map((name, at) => [name, `guest-${at + 1}`]),
  );
  if (numbered.size === 0) return text;
  const longestFirst = [...numbered.keys()].toSorted((a, b) => b.length - a.length);
  const any = longestFirst.map((name) => name.replace(/[\\^$.*+?()[\]{}|]/gu, '\\$&')).join('|');
  return text.replace(
    new RegExp(`(?<!${NAME_PART})(?:${any})(?!${NAME_PART})`, 'gu'),
    (name) => numbered.get(name) ?? name,
  );
}
