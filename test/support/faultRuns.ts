// How many faults the layer `faults` tries, and with which random numbers.
import { randomInt } from 'node:crypto';

const { SAMEPAGED_FAULT_RUNS: asked, SAMEPAGED_FAULT_SEED: given } = process.env;
const [share, isShort] = asked === undefined ? [1, true] : [Number(asked), false];

/** The same each time in the short form, so that what fails was broken by a change; another each time in the long one. */
export const faultSeed = given === undefined ? (isShort ? 1 : randomInt(2 ** 31)) : Number(given);

process.stdout.write(`faults with the seed ${faultSeed}: SAMEPAGED_FAULT_SEED=${faultSeed} repeats them\n`);

/** So many in the long form, SAMEPAGED_FAULT_RUNS=1; N times as many with SAMEPAGED_FAULT_RUNS=N; `short` usually. */
export function faultCount(long: number, short: number): number {
  return isShort ? short : Math.max(Math.round(long * share), 1);
}

/** For fast-check. */
export function faultRuns(long: number, short = long / 100): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: faultCount(long, short), seed: faultSeed };
}
