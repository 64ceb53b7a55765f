// Large hosts that nobody has on a desk, in the simulation: how each policy does on them, with its defaults.
import { FLEETS, fleetScenario } from '../support/simulation/fleet.js';
import { fixedPlan } from '../../src/simulation/run.js';
import { simulate } from '../support/simulation/simulate.js';
import type { Point } from '../../src/simulation/trace.js';
import { planFrom } from '../support/examples/examples.js';

const HOUR_MILLIS = 3_600_000;
const DURATION_MILLIS = 48 * HOUR_MILLIS;
const CALM_MILLIS = 12 * HOUR_MILLIS;

const PLANS = {
  'flat out': fixedPlan({ run: 1, sleepMillisecs: 0, pagesToScan: 1000 }),
  'kernel defaults': fixedPlan({ run: 1 }),
  "kernel's advisor": fixedPlan({ run: 1, advisorMode: 'scan-time' }),
  ksmtuned: planFrom(),
  advisor: planFrom({ KSM_POLICY: 'advisor' }),
  adaptive: planFrom({ KSM_POLICY: 'adaptive' }),
};

function duration(millis: number | undefined): string {
  if (millis === undefined) return 'not in 48 h';
  return millis < 2 * HOUR_MILLIS ? `${(millis / 60_000).toFixed(0)} min` : `${(millis / HOUR_MILLIS).toFixed(1)} h`;
}

/** ksmd's share of a core in the last twelve hours, percent. */
function calmPercent(points: readonly Point[]): number {
  const last = points.at(-1);
  const begin = points.findLast(({ atMillis }) => last !== undefined && last.atMillis - atMillis >= CALM_MILLIS);
  if (last === undefined || begin === undefined) return Number.NaN;
  return (last.ksmdCpuNanos - begin.ksmdCpuNanos) / (last.atMillis - begin.atMillis) / 1e4;
}

console.log('| host | tuner | 50 % | 90 % | ksmd CPU to 90 % | saved after 48 h | ksmd in the last 12 h |');
console.log('| --- | --- | ---: | ---: | ---: | ---: | ---: |');
for (const fleet of FLEETS) {
  const story = fleetScenario(fleet);
  for (const [tuner, plan] of Object.entries(PLANS)) {
    const options = { story, plan, durationMillis: DURATION_MILLIS, host: fleet.host, pointMillis: 10_000 };
    const { trace, figures } = simulate(options);
    const { millisTo50, millisTo90, ksmdCpuNanosTo90, reachedShare } = figures;
    const cpu = ksmdCpuNanosTo90 === undefined ? '' : duration(ksmdCpuNanosTo90 / 1e6);
    const row = [
      ...[fleet.name, tuner, duration(millisTo50), duration(millisTo90), cpu],
      ...[`${(reachedShare * 100).toFixed(0)} %`, `${calmPercent(trace.points).toFixed(1)} % of a core`],
    ];
    console.log(`| ${row.join(' | ')} |`);
  }
}
