import { parseArgs } from 'node:util';
import { optionProblem } from '../text/nearest.js';

export interface DemoOptions {
  readonly help: boolean;
  readonly once: boolean;
  /** 1: the morning takes a minute. */
  readonly speed: number;
}

/** The command line cannot be understood. */
export class BadOption extends Error {}

const OPTIONS = {
  once: { type: 'boolean', default: false },
  speed: { type: 'string', default: '1' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;
export const SPEEDS = { least: 0.1, most: 100 } as const;

/** @throws BadOption */
export function parseOptions(args: readonly string[]): DemoOptions {
  const { once, help, speed } = parsed(args);
  return { once, help, speed: speedOf(speed) };
}

function speedOf(text: string): number {
  const speed = /^\d{1,3}(\.\d{1,3})?$/.test(text) ? Number(text) : NaN;
  if (speed >= SPEEDS.least && speed <= SPEEDS.most) return speed;
  throw new BadOption(`--speed ${text}: expected a number from ${SPEEDS.least} to ${SPEEDS.most}; 1 takes a minute`);
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: false }).values;
  } catch (error) {
    throw new BadOption(optionProblem(error, Object.keys(OPTIONS), 'see --help'));
  }
}
