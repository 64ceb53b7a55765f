import type { Wave } from './morning.js';
import type { Point } from '../simulation/trace.js';

/** How a policy has done so far, by what the simulation knows of its host. */
export interface Score {
  readonly meanSavedBytes: number;
  readonly leastFreeBytes: number;
  readonly ksmdCpuNanos: number;
  readonly waves: readonly WaveScore[];
  readonly points: number;
}

interface WaveScore extends Wave {
  /** Whether the policy found memory plenty all the time. */
  readonly needless: boolean;
  /** What was saved when it began; undefined before that. */
  readonly beforeBytes: number | undefined;
  /** From the last guest on until GAINED_SHARE of what there was to gain was saved; undefined while it is not. */
  readonly gainedMillis: number | undefined;
}

const GAINED_SHARE = 0.9;

export function firstScore(waves: readonly Wave[]): Score {
  return {
    ...{ meanSavedBytes: 0, leastFreeBytes: Infinity, ksmdCpuNanos: 0, points: 0 },
    waves: waves.map((wave) => ({ ...wave, needless: true, beforeBytes: undefined, gainedMillis: undefined })),
  };
}

/** Looks follow one another in equal steps of time. */
export function nextScore(score: Score, point: Point, memoryIsPlenty: boolean): Score {
  const { meanSavedBytes, leastFreeBytes, waves, points } = score;
  return {
    points: points + 1,
    meanSavedBytes: meanSavedBytes + (point.savedBytes - meanSavedBytes) / (points + 1),
    leastFreeBytes: Math.min(leastFreeBytes, point.freeBytes),
    ksmdCpuNanos: point.ksmdCpuNanos,
    waves: waves.map((wave) => nextWave(wave, point, memoryIsPlenty)),
  };
}

function nextWave(wave: WaveScore, { atMillis, savedBytes, possibleBytes }: Point, memoryIsPlenty: boolean): WaveScore {
  const { fromMillis, doneMillis, untilMillis, gainedMillis, beforeBytes = savedBytes } = wave;
  if (atMillis < fromMillis || atMillis > untilMillis) return wave;
  const gained = atMillis > doneMillis && savedBytes - beforeBytes >= GAINED_SHARE * (possibleBytes - beforeBytes);
  return {
    ...wave,
    needless: wave.needless && memoryIsPlenty,
    beforeBytes,
    gainedMillis: gainedMillis ?? (gained ? atMillis - doneMillis : undefined),
  };
}

/** How far a policy started ( a wave, in a word: minutes, or why there are none. */
export function waveWord({ fromMillis, untilMillis, needless, gainedMillis }: WaveScore, atMillis: number): string {
  if (atMillis < fromMillis) return '';
  if (gainedMillis !== undefined) return String(Math.max(Math.round(gainedMillis / 60_000), 1));
  if (atMillis < untilMillis) return '…';
  return needless ? 'plenty' : '-';
}
