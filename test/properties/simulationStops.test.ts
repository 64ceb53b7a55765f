// The simulation is exact: who watches it changes nothing.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import type { KsmSettings } from '../../src/core/ksm.js';
import type { Plan } from '../../src/core/retune.js';
import { type KsmdCosts, MEASURED_COSTS } from '../../src/simulation/kernel/costs.js';
import type { HostOptions } from '../../src/simulation/hostOptions.js';
import { MORNING_MEMORY_MIB, MORNING_MILLIS, morning } from '../../src/demo/morning.js';
import { Recorder } from '../support/simulation/recorder.js';
import { fixedPlan } from '../../src/simulation/run.js';
import { type TimedStep } from '../../src/simulation/step.js';
import { planFrom } from '../support/examples/examples.js';
import { host, settings, timeline } from './simulationArbitraries.js';
import { propertyRuns } from '../support/propertyRuns.js';

const END_MILLIS = 25_000;
const adaptive = planFrom({ KSM_POLICY: 'adaptive' });

/** So dear that a stop cuts off whatever ksmd is at, and so round that it often ends when the clock is stopped. */
const DEAR: KsmdCosts = {
  ...MEASURED_COSTS,
  ...{ firstNanos: 1e5, checksumNanos: 1e5, mergeNanos: 2e5, mergedNanos: 1e5, skipNanos: 2e4 },
  ...{ batchNanos: 1e6, passNanos: 2e6 + 0.1 },
  stableSearch: { nearNanos: 9999.9, farNanos: 9999.9 },
  unstableSearch: { nearNanos: 3333.3, farNanos: 3333.3 },
  pacedFactor: 1,
};

/** Sets ksmd anew at every look. */
interface Restless {
  readonly wishes: readonly KsmSettings[];
  readonly nextInMillis: number;
}
const wish: fc.Arbitrary<KsmSettings> = fc
  .tuple(settings, fc.nat(100), fc.constantFrom(0, 0, 1, 20))
  .map(([set, pagesToScan, sleepMillisecs]) => ({ ...set, pagesToScan, sleepMillisecs }));
const restless: fc.Arbitrary<Restless> = fc.record({
  wishes: fc.array(wish, { minLength: 1, maxLength: 5 }),
  nextInMillis: fc.double({ min: 50, max: 9000, noNaN: true }),
});

function planOf(tuner: Restless | 'adaptive' | 'ksmtuned'): Plan {
  if (tuner === 'adaptive') return adaptive;
  if (tuner === 'ksmtuned') return planFrom({ KSM_MONITOR_INTERVAL: '3', KSM_NPAGES_MAX: '50000' });
  const { wishes, nextInMillis } = tuner;
  let looks = 0;
  const decide: Plan['policy']['decide'] = (memory) => {
    const set = wishes[looks++ % wishes.length] ?? {};
    return [memory, { reason: 'always', sentence: '', settings: set, nextInMillis }];
  };
  return { ...fixedPlan({}), policy: { name: 'restless', decide } };
}

function course(
  options: HostOptions,
  plan: Plan,
  steps: readonly TimedStep[],
  pointMillis: number,
  stops: readonly number[],
) {
  const recorder = new Recorder(options, pointMillis);
  const { simulation } = recorder;
  simulation.start(plan);
  simulation.schedule(steps);
  for (const millis of stops) recorder.pass(millis - simulation.host.nowMillis);
  // All there is of the host, to the last nanosecond and page.
  const state = inspect(simulation.host, { depth: null, maxArrayLength: null });
  return { turns: recorder.trace().retunes, state };
}

describe('a simulation', () => {
  test('a simulation comes to the same wherever it is stopped and looked at', () => {
    const tuner = fc.oneof(restless, fc.constantFrom('adaptive' as const, 'ksmtuned' as const));
    const late = fc.integer({ min: END_MILLIS - 5, max: END_MILLIS });
    const stop = fc.array(fc.oneof(fc.nat(END_MILLIS), late), { maxLength: 50, size: 'max' });
    const every = fc.integer({ min: 200, max: 5000 });
    fc.assert(
      fc.property(host, tuner, timeline, stop, every, (options, by, steps, stops, pointMillis) => {
        const small = { ...options, costs: DEAR, memoryMiB: options.memoryMiB / 2 };
        const stopped = course(
          small,
          planOf(by),
          steps,
          pointMillis,
          [...stops, END_MILLIS].toSorted((a, b) => a - b),
        );
        assert.deepEqual(stopped, course(small, planOf(by), steps, END_MILLIS, [END_MILLIS]));
      }),
      propertyRuns(60),
    );
  });

  test('a simulation of a morning has the same turns at any distance of points', () => {
    const { before, later = [] } = morning();
    const turns = (pointMillis: number) => {
      const recorder = new Recorder({ memoryMiB: MORNING_MEMORY_MIB }, pointMillis);
      for (const step of before) recorder.simulation.take(step, true);
      recorder.simulation.start(adaptive);
      recorder.simulation.schedule(later);
      recorder.pass(MORNING_MILLIS);
      return recorder.trace().retunes;
    };
    const seen = turns(500);
    assert.ok(seen.length > 1000);
    assert.deepEqual(turns(MORNING_MILLIS), seen);
  });
});
