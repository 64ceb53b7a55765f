import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { KsmSettings } from '../../src/core/ksm.js';
import { VirtualHost } from '../../src/simulation/host.js';
import type { HostOptions } from '../../src/simulation/hostOptions.js';
import { Simulation, fixedPlan } from '../../src/simulation/run.js';
import { type TimedStep } from '../../src/simulation/step.js';
import { host, settings, timeline } from './simulationArbitraries.js';
import { propertyRuns } from '../support/propertyRuns.js';

const RECORD_BYTES = 64;

/** Plays a timeline, and looks at the host every 700 ms. */
function watch(
  options: HostOptions,
  plan: KsmSettings,
  steps: readonly TimedStep[],
  look: (seen: VirtualHost) => void,
): Simulation {
  const simulation = new Simulation(options);
  simulation.start(fixedPlan(plan));
  simulation.schedule(steps);
  for (let look_ = 0; look_ < 40; look_ += 1) {
    simulation.pass(700);
    look(simulation.host);
  }
  return simulation;
}

describe('on any host, whatever guests do', () => {
  test("on any simulated host the kernel's counters fit together, and nothing counts backwards", () => {
    fc.assert(
      fc.property(host, settings, timeline, (options, plan, steps) => {
        const last = { pagesScanned: 0, fullScans: 0, cpuNanos: 0, pagesSkipped: 0 };
        watch(options, plan, steps, ({ ksmd }) => {
          const state = ksmd.state();
          const { pagesShared, pagesSharing, pagesUnshared = NaN, pagesVolatile = NaN, generalProfit = NaN } = state;
          const { ksmZeroPages = ksmd.zeroPages, pagesSkipped = 0, fullScans = NaN } = state;
          const items = ((pagesSharing + ksmZeroPages) * 4096 - generalProfit) / RECORD_BYTES;
          assert.equal(pagesShared + pagesSharing + pagesUnshared + pagesVolatile, items);
          for (const count of [pagesShared, pagesSharing, pagesUnshared, pagesVolatile, items, ksmZeroPages]) {
            assert.ok(Number.isInteger(count) && count >= 0, JSON.stringify(state));
          }
          const now = { pagesScanned: ksmd.pagesScanned, fullScans, cpuNanos: ksmd.cpuNanos, pagesSkipped };
          for (const name of Object.keys(last) as (keyof typeof last)[]) assert.ok(now[name] >= last[name], name);
          Object.assign(last, now);
        });
      }),
      propertyRuns(40),
    );
  });

  test('on any simulated host never more is saved than the content allows, nor more CPU time used than there is', () => {
    fc.assert(
      fc.property(host, settings, timeline, (options, plan, steps) => {
        watch(options, plan, steps, (seen) => {
          assert.ok(seen.savedBytes >= 0 && seen.savedBytes <= seen.possibleBytes);
          assert.ok(seen.ksmd.cpuNanos <= seen.nowMillis * 1e6);
          assert.ok(seen.freeBytes >= 0 && seen.freeBytes < options.memoryMiB * 1024 ** 2);
          assert.ok(seen.memoryPressurePercent >= 0 && seen.memoryPressurePercent <= 100);
        });
      }),
      propertyRuns(40),
    );
  });

  test('on any simulated host ksmd flat out, that leaves nothing out, saves all there is to save', () => {
    fc.assert(
      fc.property(host, settings, timeline, (options, plan, steps) => {
        const flatOut = { ...plan, useZeroPages: 1, run: 1, pagesToScan: 1e6, sleepMillisecs: 20, smartScan: 0 };
        const simulation = watch(options, flatOut, steps, () => undefined);
        simulation.pass(10_000);
        const gone = steps.some(({ step: { kind } }) => kind === 'stop');
        const { savedBytes, possibleBytes } = simulation.host;
        const empties = steps.some(
          ({ step: taken }) => taken.kind === 'start' && (taken.content.rewrittenZeroMiBPerSecond ?? 0) > 0,
        );
        // What was emptied just now is not merged yet. When users of a second copy of a page have gone, the copy stays while it has one left.
        if (empties || (gone && (plan.maxPageSharing ?? 256) < 256)) assert.ok(savedBytes <= possibleBytes);
        else assert.equal(savedBytes, possibleBytes);
      }),
      propertyRuns(40),
    );
  });

  test('on any simulated host run=2 leaves nothing shared, and takes the memory that was saved', () => {
    fc.assert(
      fc.property(host, settings, timeline, (options, plan, steps) => {
        const { host: seen } = watch({ ...options, memoryMiB: 65536 }, { ...plan, run: 1 }, steps, () => undefined);
        const [saved, free] = [seen.savedBytes, seen.freeBytes];
        assert.equal(seen.write('run', 2), undefined);
        const { pagesShared, pagesSharing, pagesUnshared, pagesVolatile, generalProfit } = seen.ksmd.state();
        assert.deepEqual([pagesShared, pagesSharing, pagesUnshared, pagesVolatile, generalProfit], [0, 0, 0, 0, 0]);
        assert.equal(seen.savedBytes, seen.ksmd.freedPages * 4096);
        assert.ok(seen.freeBytes >= free - saved);
        assert.equal(seen.ksmd.bookkeepingBytes, 0);
      }),
      propertyRuns(40),
    );
  });
});
