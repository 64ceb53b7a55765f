import type { MergeStage } from '../core/mergeStage.js';
import type { RetuneReply } from './replies.js';

const STAGES = ['waiting', 'first-pass', 'merging', 'done'] as const;

/** How far merging is, by a daemon and a policy that know. */
export function stageOf({
  stage,
  firstSavingsInUSec,
  endInUSec,
}: Pick<RetuneReply, 'stage' | 'firstSavingsInUSec' | 'endInUSec'>): MergeStage | undefined {
  const name = STAGES.find((known) => known === stage);
  if (name === undefined) return undefined;
  return {
    name,
    ...(firstSavingsInUSec === undefined ? {} : { firstSavingsInMillis: firstSavingsInUSec / 1000 }),
    ...(endInUSec === undefined ? {} : { endInMillis: endInUSec / 1000 }),
  };
}
