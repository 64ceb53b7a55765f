// Large hosts that nobody has on a desk, in the simulation: how each policy does on them, with its defaults.
// `npm run bench:hosts -- --host 6 --tuner adaptive`: those of 6 TiB, with adaptive alone.
import { parseArgs } from 'node:util';
import { FLEETS, fleetScenario } from '../support/simulation/fleet.js';
import { fixedPlan } from '../../src/simulation/run.js';
import { simulate } from '../support/simulation/simulate.js';
import { cpuPercent, firstReach } from '../../src/simulation/curve.js';
import type { Point } from '../../src/simulation/trace.js';
import { planFrom } from '../support/examples/examples.js';
import { integral } from './ksm/figures.js';

const HOUR_MILLIS = 3_600_000;
const DURATION_MILLIS = 48 * HOUR_MILLIS;
const CALM_MILLIS = 12 * HOUR_MILLIS;
/** ksmd rests when it takes less than this part of a core for so long. */
const REST_PERCENT = 1;
const REST_MILLIS = 600_000;
const POINT_MILLIS = 10_000;

const { values: only } = parseArgs({ options: { host: { type: 'string' }, tuner: { type: 'string' } } });

const PLANS = {
  'flat out': fixedPlan({ run: 1, sleepMillisecs: 0, pagesToScan: 1000, useZeroPages: 1 }),
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

/** Where ksmd comes to rest after so much was saved; undefined when it does not. */
function restAfter(points: readonly Point[], savedBytes: number): Point | undefined {
  const from = points.findIndex((point) => point.savedBytes >= savedBytes);
  if (from < 0) return undefined;
  return points.slice(from).find((point, index) => {
    const end = points[from + index + REST_MILLIS / POINT_MILLIS];
    return end !== undefined && cpuPercent(point, end) < REST_PERCENT;
  });
}

const CPU = 'ksmd CPU to';
console.log(
  `| host | tuner | 50 % | 90 % | ${CPU} 90 % | ${CPU} 99 % | at rest | ${CPU} it | after 48 h | last 12 h | integral, of flat out |`,
);
console.log(`| --- | --- |${' ---: |'.repeat(9)}`);
for (const fleet of FLEETS.filter(({ name }) => name.startsWith(only.host ?? ''))) {
  const story = fleetScenario(fleet);
  let flatOut: number | undefined;
  for (const [tuner, plan] of Object.entries(PLANS).filter(([name]) => (only.tuner ?? name) === name)) {
    const options = { story, plan, durationMillis: DURATION_MILLIS, host: fleet.host, pointMillis: POINT_MILLIS };
    const { trace, figures } = simulate(options);
    const { gainBytes, millisTo50, millisTo90, ksmdCpuNanosTo90, reachedShare } = figures;
    // Of ksmd flat out it is what nobody who knows the future could exceed.
    const saved = integral(trace.points, 0, 0);
    if (tuner === 'flat out') flatOut = saved;
    const cpuAt = (nanos: number | undefined) => (nanos === undefined ? '' : duration(nanos / 1e6));
    const rest = restAfter(trace.points, 0.9 * gainBytes);
    const row = [
      ...[fleet.name, tuner, duration(millisTo50), duration(millisTo90), cpuAt(ksmdCpuNanosTo90)],
      ...[cpuAt(firstReach(trace.points, 0.99 * gainBytes)?.ksmdCpuNanos)],
      ...[duration(rest?.atMillis), cpuAt(rest?.ksmdCpuNanos)],
      ...[`${(reachedShare * 100).toFixed(0)} %`, `${calmPercent(trace.points).toFixed(1)} % of a core`],
      flatOut === undefined ? '' : `${((saved / flatOut) * 100).toFixed(0)} %`,
    ];
    console.log(`| ${row.join(' | ')} |`);
  }
}
