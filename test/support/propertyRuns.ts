// How often properties are tried, and with which random numbers.
import { randomInt } from 'node:crypto';

const { SAMEPAGED_PROPERTY_RUNS: runs, SAMEPAGED_PROPERTY_SEED: given } = process.env;
const seed = seedOf(given);
process.stdout.write(`properties with the seed ${seed}: SAMEPAGED_PROPERTY_SEED=${seed} repeats them\n`);

/** For fast-check: so many runs, unless SAMEPAGED_PROPERTY_RUNS says how many. */
export function propertyRuns(usual: number): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: runs === undefined ? usual : Number(runs), seed };
}

/** Usually the same numbers each time, so that what fails was broken by a change; others where more runs are asked for. */
function seedOf(text: string | undefined): number {
  if (text !== undefined) return Number(text);
  return runs === undefined ? 1 : randomInt(2 ** 31);
}
