import { formatDuration } from './duration.js';

/** How far merging is, for a person who waits. */
export interface MergeStage {
  /** `waiting`: guests are still coming up; `first-pass`: next to nothing can merge yet; `done`: nothing more to gain. */
  readonly name: 'waiting' | 'first-pass' | 'merging' | 'done';
  /** When the first pages merge, milliseconds from now, estimated; absent where they do already or nothing is known. */
  readonly firstSavingsInMillis?: number;
  /** When this is over, milliseconds from now, estimated; of `waiting`, at the latest. */
  readonly endInMillis?: number;
}

/** An estimate is shown to so much, milliseconds. */
const ROUNDING_MILLIS = 5000;

/** "first pass: nothing can merge yet, about 40 s more; done in about 2 min" */
export function describeStage({ name, firstSavingsInMillis, endInMillis }: MergeStage): string {
  switch (name) {
    case 'waiting':
      return endInMillis === undefined ? 'waiting for guests' : `waiting for guests, ${about(endInMillis)} at most`;
    case 'first-pass': {
      const first =
        firstSavingsInMillis === undefined
          ? 'first pass'
          : `first pass: nothing can merge yet, ${about(firstSavingsInMillis)} more`;
      return endInMillis === undefined ? first : `${first}; done in ${about(endInMillis)}`;
    }
    case 'merging':
      return endInMillis === undefined ? 'merging' : `merging: this pass ends in ${about(endInMillis)}`;
    case 'done':
      return 'done: nothing more to gain';
  }
}

function about(millis: number): string {
  return `about ${formatDuration(Math.max(Math.round(millis / ROUNDING_MILLIS), 1) * ROUNDING_MILLIS)}`;
}
