// How often properties are tried, and with which random numbers.
import { randomInt } from 'node:crypto';

const { SAMEPAGED_PROPERTY_RUNS: runs, SAMEPAGED_PROPERTY_SEED: given } = process.env;
const seed = given === undefined ? randomInt(2 ** 31) : Number(given);
process.stdout.write(`properties with the seed ${seed}: SAMEPAGED_PROPERTY_SEED=${seed} repeats them\n`);

/** For fast-check: so many runs, unless SAMEPAGED_PROPERTY_RUNS says how many. */
export function propertyRuns(usual: number): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: runs === undefined ? usual : Number(runs), seed };
}
