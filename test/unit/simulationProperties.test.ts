import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { KsmSettings } from '../../src/core/ksm.js';
import type { HostOptions } from '../../src/simulation/host.js';
import { VirtualHost } from '../../src/simulation/host.js';
import { Simulation, type TimedStep, fixedPlan } from '../../src/simulation/run.js';
import type { GuestContent, Step } from '../../src/simulation/scenario.js';
import { planFrom } from './examples.js';

const RECORD_BYTES = 64;

const content: fc.Arbitrary<GuestContent> = fc.record({
  commonMiB: fc.nat(6),
  image: fc.constantFrom('a', 'b'),
  zeroMiB: fc.nat(3),
  ownMiB: fc.nat(6),
  rewrittenMiBPerSecond: fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 20, noNaN: true })),
});
const guest = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('start' as const), guest, content }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop' as const), guest }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('align' as const), guest }) },
);
const timeline: fc.Arbitrary<readonly TimedStep[]> = fc.array(fc.record({ atMillis: fc.nat(20_000), step }), {
  maxLength: 20,
  size: 'max',
});
const settings: fc.Arbitrary<KsmSettings> = fc.record({
  run: fc.constantFrom(0, 1),
  pagesToScan: fc.oneof(fc.nat(2000), fc.nat(100_000)),
  sleepMillisecs: fc.constantFrom(1, 10, 20, 200),
  smartScan: fc.constantFrom(0, 1),
  useZeroPages: fc.constantFrom(0, 1),
  maxPageSharing: fc.constantFrom(2, 3, 256),
});
const host: fc.Arbitrary<HostOptions> = fc.record({
  memoryMiB: fc.integer({ min: 1024, max: 4096 }),
  kernel: fc.constantFrom({ major: 6, minor: 4 }, { major: 6, minor: 10 }, { major: 6, minor: 18 }),
  ownMiB: fc.constant(512),
  fillMiBPerSecond: fc.constantFrom(2, 320),
});

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
  test("the kernel's counters fit together, and nothing counted backwards", () => {
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
    );
  });

  test('never more is saved than the content allows, nor more CPU time used than there is', () => {
    fc.assert(
      fc.property(host, settings, timeline, (options, plan, steps) => {
        watch(options, plan, steps, (seen) => {
          assert.ok(seen.savedBytes >= 0 && seen.savedBytes <= seen.possibleBytes);
          assert.ok(seen.ksmd.cpuNanos <= seen.nowMillis * 1e6);
          assert.ok(seen.freeBytes >= 0 && seen.freeBytes < options.memoryMiB * 1024 ** 2);
          assert.ok(seen.memoryPressurePercent >= 0 && seen.memoryPressurePercent <= 100);
        });
      }),
    );
  });

  test('ksmd flat out, that leaves nothing out, saves all there is to save', () => {
    fc.assert(
      fc.property(host, settings, timeline, (options, plan, steps) => {
        const flatOut = { ...plan, run: 1, pagesToScan: 1e6, sleepMillisecs: 20, smartScan: 0 };
        const simulation = watch(options, flatOut, steps, () => undefined);
        simulation.pass(10_000);
        const gone = steps.some(({ step: { kind } }) => kind === 'stop');
        const { savedBytes, possibleBytes } = simulation.host;
        // When users of a second copy of a page have gone, the copy stays while it has one left.
        if (gone && (plan.maxPageSharing ?? 256) < 256) assert.ok(savedBytes <= possibleBytes);
        else assert.equal(savedBytes, possibleBytes);
      }),
    );
  });

  test('run=2 leaves nothing shared, and takes the memory that was saved', () => {
    fc.assert(
      fc.property(host, settings, timeline, (options, plan, steps) => {
        const { host: seen } = watch({ ...options, memoryMiB: 65536 }, { ...plan, run: 1 }, steps, () => undefined);
        const [saved, free] = [seen.savedBytes, seen.freeBytes];
        assert.equal(seen.write('run', 2), undefined);
        const { pagesShared, pagesSharing, pagesUnshared, pagesVolatile, generalProfit } = seen.ksmd.state();
        assert.deepEqual([pagesShared, pagesSharing, pagesUnshared, pagesVolatile, generalProfit], [0, 0, 0, 0, 0]);
        assert.equal(seen.savedBytes, 0);
        assert.ok(seen.freeBytes >= free - saved);
        assert.equal(seen.ksmd.bookkeepingBytes, 0);
      }),
    );
  });

  test('the same is done in the same way', () => {
    const plan = planFrom({ KSM_MONITOR_INTERVAL: '3', KSM_NPAGES_MAX: '50000' });
    fc.assert(
      fc.property(host, timeline, (options, steps) => {
        const trace = () => {
          const simulation = new Simulation(options);
          simulation.start(plan, 500);
          simulation.schedule(steps);
          simulation.pass(25_000);
          return simulation.end();
        };
        assert.deepEqual(trace(), trace());
      }),
      { numRuns: 25 },
    );
  });
});
