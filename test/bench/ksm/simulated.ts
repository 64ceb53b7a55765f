import { KEYS, type KeyName, type Values, readValue } from '../../../src/config/keys.js';
import type { Plan } from '../../../src/core/retune.js';
import { planOf } from '../../../src/plan.js';
import { fixedPlan } from '../../../src/simulation/run.js';
import { type ScenarioName, scenario } from '../../../src/simulation/scenario.js';
import { simulate } from '../../../src/simulation/simulate.js';
import type { BenchOptions } from './options.js';
import { samepagedSettings } from './startTuner.js';
import type { Expected } from './table.js';
import { TUNERS, type TunerName } from './tuners.js';

/** What the simulation says of a tuner in a scenario; undefined for ksmtuned's script, which it does not have. */
export function simulated(name: ScenarioName, tuner: TunerName, options: BenchOptions): Expected | undefined {
  const plan = planFor(tuner, options.cpuMaxPercent);
  if (plan === undefined) return undefined;
  const story = scenario(name, options.sizes);
  const { figures } = simulate({ story, plan, durationMillis: options.limitMillis + options.afterMillis });
  const { millisTo90, ksmdCpuNanosTo90 } = figures;
  return {
    to90Millis: millisTo90,
    to90KsmdCpuMillis: ksmdCpuNanosTo90 === undefined ? undefined : ksmdCpuNanosTo90 / 1e6,
  };
}

function planFor(name: TunerName, cpuMaxPercent: number): Plan | undefined {
  const tuner = TUNERS[name];
  switch (tuner.kind) {
    case 'kernel':
      return fixedPlan(tuner.settings);
    case 'samepaged': {
      const values = valuesOf(samepagedSettings(tuner.policy, cpuMaxPercent));
      return planOf({ because: { kind: 'start' }, values, hold: undefined }, undefined);
    }
    case 'script':
      return undefined;
  }
}

/** As the configuration is read, without a file. */
function valuesOf(settings: Readonly<Record<string, string | number>>): Values {
  const names = Object.keys(KEYS) as KeyName[];
  return Object.fromEntries(
    names.map((name) => [name, readValue(name, String(settings[name] ?? KEYS[name].fallback))]),
  ) as Values;
}
