import { plural } from '../../core/format.js';
import { unmergeObstacle } from '../../core/hold.js';
import { readMemoryFigures } from '../../host/meminfo.js';
import type { Root } from '../../host/sysfs.js';
import { oneByOne, stepText, unmergeGuests } from '../unmerge/guests.js';
import type { VerbInput } from '../verb.js';
import type { Burst } from './burst.js';
import type { Figures } from './figures.js';

/**
 * Unmerges what the burst has merged. Where nothing was merged before, and all fits into memory, at once; otherwise guest by
 * guest, those of which nothing was merged before. ksmd must rest.
 *
 * @returns what became of it, in sentences.
 */
export async function giveBack(
  input: VerbInput,
  root: Root,
  burst: Burst,
  before: Figures,
  after: Figures,
): Promise<readonly string[]> {
  const wasMerged = before.savings.savedBytes > 0;
  if (!wasMerged && unmergeObstacle(after.savings, readMemoryFigures(root)) === undefined) {
    input.progress('unmerging');
    await burst.unmerge();
    return ['Everything is unmerged again.'];
  }
  const mergedBefore = new Set(before.guests.filter(({ mergedBytes = 1 }) => mergedBytes > 0).map(({ pid }) => pid));
  // Of another root's files no process can be reached.
  const steps = root !== '' ? [] : await unmergeChosen(input, (pid) => !mergedBefore.has(pid));
  if (!wasMerged) {
    await burst.unmerge();
    return [...steps, 'What was left is unmerged again.'];
  }
  const kept = mergedBefore.size;
  return kept === 0
    ? steps
    : [...steps, `${plural(kept, 'guest')} had merged pages before: what the burst added to them stays.`];
}

async function unmergeChosen(input: VerbInput, chosen: (pid: number) => boolean): Promise<readonly string[]> {
  const { result: obstacle, steps } = await oneByOne(input, (means) =>
    unmergeGuests(input, means, ({ pid }) => chosen(pid)),
  );
  return [...steps.map(stepText), ...(obstacle === undefined ? [] : [obstacle])];
}
