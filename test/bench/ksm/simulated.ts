import { KEYS, type KeyName, type Values, readValue } from '../../../src/config/keys.js';
import type { Plan } from '../../../src/core/retune.js';
import { planOf } from '../../../src/config/plan.js';
import { Ksmd } from '../../../src/host/ksmd.js';
import { readMemoryFigures } from '../../../src/host/meminfo.js';
import { TEST_GUEST_SYSTEM } from '../../../src/simulation/hostOptions.js';
import { fixedPlan } from '../../../src/simulation/run.js';
import { type ScenarioName, scenario } from '../../../src/simulation/step.js';
import { simulate } from '../../support/simulation/simulate.js';
import type { BenchOptions } from './options.js';
import type { Settings } from '../../support/agentHost.js';
import { reserveFor, watchedMillis } from './stage.js';
import { samepagedSettings } from './startTuner.js';
import type { Expected } from './table.js';
import { TUNERS, type TunerName } from './tuners.js';

/** The script sleeps for KSM_MONITOR_INTERVAL before it looks for the first time; samepaged looks at once. */
const SCRIPT_SLEEP_MILLIS = 60_000;

/** What the simulation says of a tuner in a scenario on a host like this one; undefined for a script that finds no guest. */
export function simulated(name: ScenarioName, tuner: TunerName, options: BenchOptions): Expected | undefined {
  const story = scenario(name, options.sizes);
  const { memTotalBytes } = readMemoryFigures('');
  const plan = planFor(tuner, options.cpuMaxPercent, reserveFor(story, memTotalBytes));
  if (plan === undefined) return undefined;
  const host = {
    memoryMiB: Math.trunc(memTotalBytes / 1024 ** 2),
    systemMiB: TEST_GUEST_SYSTEM,
    ksmdCpuNanos: new Ksmd('').times()?.cpuNanos ?? 0,
  };
  const { figures } = simulate({
    story,
    plan,
    durationMillis: watchedMillis(story, options) ?? options.limitMillis + options.afterMillis,
    host,
  });
  const { millisTo90, ksmdCpuNanosTo90 } = figures;
  const late = TUNERS[tuner].kind === 'script' ? SCRIPT_SLEEP_MILLIS : 0;
  return {
    to90Millis: millisTo90 === undefined ? undefined : millisTo90 + late,
    to90KsmdCpuMillis: ksmdCpuNanosTo90 === undefined ? undefined : ksmdCpuNanosTo90 / 1e6,
  };
}

function planFor(name: TunerName, cpuMaxPercent: number, reserve: Settings): Plan | undefined {
  const tuner = TUNERS[name];
  if (tuner.kind === 'kernel') return fixedPlan(tuner.settings);
  if (tuner.kind === 'script' && !tuner.repaired) return undefined;
  const [policy, settings] = tuner.kind === 'script' ? (['ksmtuned', {}] as const) : [tuner.policy, tuner.settings];
  const values = valuesOf({ ...reserve, ...samepagedSettings(policy, cpuMaxPercent), ...settings });
  return planOf({ because: { kind: 'start' }, values, hold: undefined }, undefined);
}

/** As the configuration is read, without a file. */
function valuesOf(settings: Settings): Values {
  const names = Object.keys(KEYS) as KeyName[];
  return Object.fromEntries(
    names.map((name) => [name, readValue(name, String(settings[name] ?? KEYS[name].fallback))]),
  ) as Values;
}
