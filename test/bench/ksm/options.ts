import { parseArgs } from 'node:util';
import {
  DEFAULT_SIZES,
  SCENARIO_NAMES,
  type ScenarioName,
  type ScenarioSizes,
  scenario,
} from '../../../src/simulation/step.js';
import { TUNERS, TUNER_NAMES, type TunerName } from './tuners.js';

export interface BenchOptions {
  readonly scenarios: readonly ScenarioName[];
  /** Whether the scenario co-runner is played: no tuners are compared in it. */
  readonly coRunner: boolean;
  readonly tuners: readonly TunerName[];
  readonly sizes: ScenarioSizes;
  /** KSM_CPU_MAX, percent of a core. */
  readonly cpuMaxPercent: number;
  /** How long a tuner may take to 99 % of the gain. */
  readonly limitMillis: number;
  /** How long the calm after it is watched. */
  readonly afterMillis: number;
  /** How long every trial is watched from the clock's start, whatever it gains; instead of the two before. */
  readonly forMillis: number | undefined;
  readonly jsonFile: string | undefined;
  /** Where samepaged's own log goes. */
  readonly logFile: string | undefined;
}

const CO_RUNNER = 'co-runner';

/** What is wrong with the command line, in a sentence. */
export class UsageError extends Error {}

const { guests, commonMiB, ownMiB, zeroMiB, rewrittenMiBPerSecond } = DEFAULT_SIZES;

function rows(entries: readonly (readonly [name: string, summary: string])[]): string {
  return entries.map(([name, summary]) => `      ${name.padEnd(18)} ${summary}`).join('\n');
}

export const USAGE = `Usage: npm run bench:ksm -- [OPTION]...
Lets one tuner of KSM after another work on the same real guests, and says what each gained and what it cost.
Needs root, libvirt, QEMU and gcc, KSM for itself, a quiet machine, and by default 22 GiB of free memory and some hours.

  --scenario LIST    which scenarios, with commas between them (all):
${rows([
  ...SCENARIO_NAMES.map((name) => [name, scenario(name, DEFAULT_SIZES).summary] as const),
  [CO_RUNNER, 'what a guest and a process feel of a burst, by scheduling class of ksmd (8 s each)'],
])}
  --tuner LIST       which tuners (all):
${rows(TUNER_NAMES.map((name) => [name, TUNERS[name].summary]))}
  --guests N         how many guests (${guests})
  --common MIB       what every guest has alike (${commonMiB})
  --own MIB          what a guest has for itself (${ownMiB})
  --zero MIB         what a guest of the scenario zeros has of empty pages (${zeroMiB})
  --rewritten MIB    what a guest of the scenario churn writes anew in a second (${rewrittenMiBPerSecond})
  --cpu-max PERCENT  KSM_CPU_MAX of adaptive and advisor (70)
  --limit SECONDS    how long a tuner may take to 99 % of the gain (420)
  --after SECONDS    how long the calm after it is watched (300)
  --for SECONDS      watch every trial so long from the clock's start, instead of --limit and --after
  --json FILE        write every figure and curve to FILE, anew after each tuner
  --log FILE         append to FILE what samepaged logs
  --help             say so and end

In the table "CPU" is ksmd's, in seconds, unless it is the tuner's; "rest" is when ksmd takes less than 1 % of a core for 10 s
after the gain; "integral" what was saved, summed up over the seconds, and, where the tuner flat-out is there too, which part that
is of its integral, which nobody who knows the future could exceed; "calm" its CPU after 99 %; "simulated" what the
simulation says of the column before; "waited" how long ksmd was ready and had no CPU (much of it says that the machine was
not quiet); "records" the memory that ksmd's own records take.
Where guests have empty pages, saved is by how much the guests' private memory fell and what is shared: no counter of KSM
shows what splits of huge pages free. Such guests are started anew for each tuner, because unmerging does not give that back.
`;

/** @returns undefined when help was asked for. @throws UsageError */
export function readOptions(args: readonly string[]): BenchOptions | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const scenarios = list('--scenario', values.scenario, [...SCENARIO_NAMES, CO_RUNNER]);
  return {
    scenarios: scenarios.filter((name) => name !== CO_RUNNER),
    coRunner: scenarios.includes(CO_RUNNER),
    tuners: list('--tuner', values.tuner, TUNER_NAMES),
    sizes: {
      guests: whole('--guests', values.guests, 2, 200),
      commonMiB: whole('--common', values.common, 1, 2048),
      ownMiB: whole('--own', values.own, 1, 2048),
      zeroMiB: whole('--zero', values.zero, 1, 4096),
      rewrittenMiBPerSecond: whole('--rewritten', values.rewritten, 1, 2048),
    },
    cpuMaxPercent: whole('--cpu-max', values['cpu-max'], 1, 100),
    limitMillis: whole('--limit', values.limit, 10, 86_400) * 1000,
    afterMillis: whole('--after', values.after, 10, 86_400) * 1000,
    forMillis: values.for === undefined ? undefined : whole('--for', values.for, 10, 86_400) * 1000,
    jsonFile: values.json,
    logFile: values.log,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        scenario: { type: 'string', default: [...SCENARIO_NAMES, CO_RUNNER].join() },
        tuner: { type: 'string', default: TUNER_NAMES.join() },
        guests: { type: 'string', default: String(guests) },
        common: { type: 'string', default: String(commonMiB) },
        own: { type: 'string', default: String(ownMiB) },
        zero: { type: 'string', default: String(zeroMiB) },
        rewritten: { type: 'string', default: String(rewrittenMiBPerSecond) },
        'cpu-max': { type: 'string', default: '70' },
        limit: { type: 'string', default: '420' },
        after: { type: 'string', default: '300' },
        for: { type: 'string' },
        json: { type: 'string' },
        log: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** In the order of `names`, whatever the order asked for. */
function list<Name extends string>(option: string, text: string, names: readonly Name[]): readonly Name[] {
  const asked = text.split(',').map((word) => word.trim());
  const unknown = asked.find((word) => !names.some((name) => name === word));
  if (unknown !== undefined) throw new UsageError(`${option}: there is no "${unknown}"; there are ${names.join(', ')}`);
  return names.filter((name) => asked.includes(name));
}

function whole(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`${option} must be a whole number from ${least} to ${most}, not "${text}"`);
}
