import { plural } from '../../core/format.js';
import { unmergeObstacle } from '../../core/hold.js';
import { readMemoryFigures } from '../../host/meminfo.js';
import type { Root } from '../../host/sysfs.js';
import { oneByOne, stepText, unmergeGuests } from '../unmerge/guests.js';
import type { VerbInput } from '../verb.js';
import type { Burst } from './burst.js';
import type { Figures } from './figures.js';

/** Unmerges guests one by one, those of which the process is chosen. @returns what became of it, in sentences. */
export type UnmergeAlone = (chosen: (pid: number) => boolean) => Promise<readonly string[]>;

/**
 * Unmerges what the burst has merged. Where nothing was merged before, and all fits into memory, at once; otherwise guest by
 * guest, those of which nothing was merged before. ksmd must rest.
 *
 * @returns what became of it, in sentences.
 */
export async function giveBack(
  { progress }: Pick<VerbInput, 'progress'>,
  root: Root,
  burst: Pick<Burst, 'unmerge'>,
  before: Figures,
  after: Figures,
  unmergeAlone: UnmergeAlone,
): Promise<readonly string[]> {
  const wasMerged = before.savings.savedBytes > 0;
  if (!wasMerged && unmergeObstacle(after.savings, readMemoryFigures(root)) === undefined) {
    progress('unmerging');
    await burst.unmerge();
    return ['Everything is unmerged again.'];
  }
  const mergedBefore = new Set(before.guests.filter(({ mergedBytes = 1 }) => mergedBytes > 0).map(({ pid }) => pid));
  const steps = await unmergeAlone((pid) => !mergedBefore.has(pid));
  if (!wasMerged) {
    await burst.unmerge();
    return [...steps, 'What was left is unmerged again.'];
  }
  const kept = mergedBefore.size;
  return kept === 0
    ? steps
    : [...steps, `${plural(kept, 'guest')} had merged pages before: what the burst added to them stays.`];
}

export async function unmergeAlone(input: VerbInput, chosen: (pid: number) => boolean): Promise<readonly string[]> {
  const { result: obstacle, steps } = await oneByOne(input, (means) =>
    unmergeGuests(input, means, ({ pid }) => chosen(pid)),
  );
  return [...steps.map(stepText), ...(obstacle === undefined ? [] : [obstacle])];
}
