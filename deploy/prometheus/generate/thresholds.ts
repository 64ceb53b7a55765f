import * as v from 'valibot';
import { messageOf } from '../../../src/errors.js';

interface Threshold {
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly help: string;
}

const WEEK_MINUTES = 7 * 24 * 60;

/** An alert fires when its condition has held for so long. */
function minutes(value: number, help: string): Threshold {
  return { value, least: 0, most: WEEK_MINUTES, help };
}

/** Every number of the alerts and dashboards, with its unit in its name. docs/metrics.md has the same table. */
export const THRESHOLDS = {
  lossMebibytes: { value: 64, least: 0, most: 1_048_576, help: 'profit below zero by more than this is a loss' },
  lossMinutes: minutes(30, 'a first pass over new memory costs before it saves'),
  headroomPercent: {
    value: 0,
    least: -100,
    most: 100,
    help: 'part of memory that should stay available if all merged pages split',
  },
  headroomMinutes: minutes(15, 'a guest that starts takes memory before it is merged'),
  changesPerHour: { value: 3, least: 1, most: 1000, help: 'changes of settings by others that make another tuner' },
  tunerMinutes: minutes(5, 'one change by hand is no tuner'),
  libvirtMinutes: minutes(10, 'an update restarts libvirt'),
  budgetExcessPercent: { value: 25, least: 0, most: 1000, help: 'ksmd may exceed its budget by this part of it' },
  budgetMinutes: minutes(15, 'samepaged needs seconds to keep ksmd in its budget'),
  burstMinutes: minutes(180, 'two passes over 4 TiB take about so long at half a core'),
  shortMinutes: minutes(15, 'guests that start delay merging by three minutes at most'),
  forbiddenMinutes: minutes(5, 'samepagectl guests forbid --now takes seconds'),
  starvedPercent: { value: 75, least: 1, most: 100, help: 'part of the time in which ksmd could run that it waits' },
  starvedLeastPercent: { value: 10, least: 0, most: 100, help: 'ksmd waits at least this part of all time' },
  starvedMinutes: minutes(30, 'samepaged raises the priority of a starved ksmd within ten minutes'),
} as const satisfies Readonly<Record<string, Threshold>>;

export type ThresholdName = keyof typeof THRESHOLDS;
export type Thresholds = Readonly<Record<ThresholdName, number>>;

export const DEFAULTS: Thresholds = v.parse(schema(), {});

function schema() {
  const entries = Object.entries<Threshold>(THRESHOLDS).map(([name, { value, least, most }]) => {
    const range = `expected a number from ${least} to ${most}`;
    return [
      name,
      v.optional(v.pipe(v.number(range), v.minValue(least, range), v.maxValue(most, range)), value),
    ] as const;
  });
  return v.strictObject(Object.fromEntries(entries)) as unknown as v.GenericSchema<unknown, Thresholds>;
}

/** @throws Error that says in one line what is wrong with `text`, the JSON of the `file`. */
export function parseThresholds(text: string, file: string): Thresholds {
  const wanted = `${file}: expected JSON as {"burstMinutes": 60}`;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`${wanted}: ${messageOf(error)}`, { cause: error });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Error(`${wanted}: ${text.trim()}`);
  const unknown = Object.keys(json).find((name) => !Object.hasOwn(THRESHOLDS, name));
  if (unknown !== undefined) {
    throw new Error(`${file}: there is no ${unknown}: expected one of ${Object.keys(THRESHOLDS).join(', ')}`);
  }
  const { success, output, issues } = v.safeParse(schema(), json);
  if (success) return output;
  const [{ path, input, message }] = issues;
  throw new Error(`${file}: ${String(path?.[0]?.key)} is ${JSON.stringify(input)}: ${message}`);
}
