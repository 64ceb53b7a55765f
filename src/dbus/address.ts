import { didYouMean } from '../text/nearest.js';

const WORDS = ['system', 'session'] as const;
/** The first of an address's transports with the first of its keys, as in "unix:path=/run/bus". */
const ADDRESS = /^[\w-]+:\w+=./;

/** What is wrong with the value of --bus, or undefined where a bus could be there. */
export function busAddressProblem(value: string): string | undefined {
  if (WORDS.some((word) => word === value) || ADDRESS.test(value)) return undefined;
  return `--bus takes system, session or a D-Bus address as unix:path=/run/bus, no "${value}"${didYouMean(value, WORDS)}`;
}
