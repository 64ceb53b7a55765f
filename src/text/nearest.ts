import { messageOf } from '../errors.js';

/**
 * The candidate that `word` was most likely meant to be, by edit distance (insertions, deletions, substitutions, swapped neighbours;
 * case is ignored), or undefined when nothing is near: more than a third of the word would have to change.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3));
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    if (Math.abs(word.length - candidate.length) > limit) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { candidate, distance };
  }
  return best?.candidate;
}

/** What to say after a word that is not known: "; did you mean X?", or where nothing is near `otherwise` in its place. */
export function didYouMean(word: string, candidates: Iterable<string>, otherwise?: string): string {
  const near = nearest(word, candidates);
  const hint = near === undefined ? otherwise : `did you mean ${near}?`;
  return hint === undefined ? '' : `; ${hint}`;
}

function editDistance(a: string, b: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? (before[j - 2] ?? Infinity) + 1 : Infinity;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution, swap));
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}

/** What parseArgs of node:util did not take, on one line; of an unknown option the nearest of `names`, or `otherwise`. */
export function optionProblem(error: unknown, names: readonly string[], otherwise: string): string {
  const words = messageOf(error).replaceAll('\n', ' ');
  const [, dashes = '', name] = /Unknown option '(--?)([\w-]+)'/.exec(words) ?? [];
  if (name === undefined) return words;
  const near = nearest(name, names);
  return `no option ${dashes}${name}; ${near === undefined ? otherwise : `did you mean --${near}?`}`;
}
