import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeWrite } from '../../../src/core/ksm.js';
import { describeTrigger } from '../../../src/core/trigger.js';
import { firstFreedBySplits } from '../../../src/core/freedBySplits.js';
import type { Plan } from '../../../src/core/retune.js';
import { FLEETS, fleetScenario } from '../../support/simulation/fleet.js';
import { MORNING_MEMORY_MIB, MORNING_MILLIS, morning } from '../../../src/demo/morning.js';
import { VirtualHost } from '../../../src/simulation/host.js';
import { Recorder } from '../../support/simulation/recorder.js';
import { Simulation, fixedPlan } from '../../../src/simulation/run.js';
import { type GuestContent, scenario } from '../../../src/simulation/step.js';
import { simulate } from '../../support/simulation/simulate.js';
import type { TracedRetune } from '../../../src/simulation/trace.js';
import { planFrom } from '../../support/examples/examples.js';

const CONTENT: GuestContent = { commonMiB: 64, ownMiB: 64, rewrittenMiBPerSecond: 0 };
const FLAT_OUT = { run: 1, pagesToScan: 1e6, sleepMillisecs: 20, smartScan: 0 };
const SMALL = { guests: 4, commonMiB: 64, ownMiB: 32, zeroMiB: 1200, rewrittenMiBPerSecond: 0 };

function told({ atMillis, triggers, applied }: TracedRetune): string {
  return `${atMillis} ${triggers.map(describeTrigger).join(', ')}: ${applied.writes.map(describeWrite).join(', ')}`;
}

describe("the daemon's loop on a virtual host", () => {
  test("the daemon's loop on a virtual host looks at its interval and at events, and again later", () => {
    const recorder = new Recorder({ memoryMiB: 4096 }, 1000);
    recorder.simulation.start(planFrom());
    recorder.simulation.schedule([
      { atMillis: 10_000, step: { kind: 'start', guest: 'a', content: CONTENT } },
      { atMillis: 10_100, step: { kind: 'start', guest: 'b', content: CONTENT } },
      { atMillis: 10_100, step: { kind: 'start', guest: 'b', content: CONTENT } },
      { atMillis: 50_000, step: { kind: 'align', guest: 'b' } },
      { atMillis: 70_000, step: { kind: 'stop', guest: 'a' } },
      { atMillis: 70_000, step: { kind: 'stop', guest: 'c' } },
    ]);
    recorder.pass(140_000);
    assert.deepEqual(recorder.trace().retunes.map(told), [
      '0 start: ',
      '10250 guest a started, guest b started: ',
      '15250 recheck of guest a, recheck of guest b: ',
      '30250 recheck of guest a, recheck of guest b: ',
      '70250 guest a stopped: ',
      '130250 timer: ',
    ]);
  });

  test("the daemon's loop on a virtual host sets ksmd, and is told what the kernel refuses", () => {
    const recorder = new Recorder({ memoryMiB: 4096 }, 1000);
    const { simulation } = recorder;
    const wish = { run: 1, pagesToScan: 500, maxPageSharing: 1 };
    simulation.start(fixedPlan(wish));
    simulation.pass(1000);
    const [turn] = recorder.trace().retunes;
    assert.ok(turn !== undefined);
    assert.equal(told(turn), '0 start: pages_to_scan 100 -> 500, run 0 -> 1');
    assert.deepEqual(turn.applied.problems, [
      { subject: 'max_page_sharing', sentence: 'max_page_sharing refuses 1: EINVAL' },
    ]);
    assert.equal(simulation.host.ksmd.state().run, 1);
  });

  test("the daemon's loop on a virtual host is handed the host as the daemon sees it", () => {
    const simulation = new Simulation({ memoryMiB: 4096, ownMiB: 1000, overheadMiB: 100, promisedMiB: 50 });
    const samples: unknown[] = [];
    const plan: Plan = {
      ...fixedPlan({}),
      policy: {
        name: 'watcher',
        decide: (memory, sample) => {
          samples.push(sample);
          return [memory, { reason: 'always', sentence: '', settings: {} }];
        },
      },
    };
    simulation.take({ kind: 'start', guest: 'a', content: { ...CONTENT, zeroMiB: 10 } }, true);
    simulation.start(plan);
    simulation.pass(0);
    const MIB = 1024 ** 2;
    assert.deepEqual(samples, [
      {
        takenAtMillis: 0,
        monotonicMillis: 0,
        memory: { totalBytes: 4096 * MIB, freeBytes: (4096 - 1000 - 100 - 138) * MIB, committedBytes: 238 * MIB },
        guests: [{ name: 'a', residentBytes: 238 * MIB, configuredBytes: 188 * MIB }],
        ksm: simulation.host.ksmd.state(),
        ksmdCpuNanos: 0,
        memoryPressurePercent: 0,
        beingFreedBytes: 0,
        freedBySplits: firstFreedBySplits(simulation.host.anonymousReading()),
        hugePages: { mayHoldGuests: true, splitFreesZeros: true },
        kernel: { major: 6, minor: 18 },
        pageSizeBytes: 4096,
        problems: [],
      },
    ]);
  });

  test("the daemon's loop on a virtual host gives on what a policy throws", () => {
    const simulation = new Simulation({ memoryMiB: 4096 });
    const decide = () => {
      throw new RangeError('no idea');
    };
    simulation.start({ ...fixedPlan({}), policy: { name: 'broken', decide } });
    assert.throws(() => {
      simulation.pass(1000);
    }, /^RangeError: no idea$/);
  });
});

describe('a guest', () => {
  test('a simulated guest fills its memory when it starts, and is a part of the host from its start on', () => {
    const host = new VirtualHost({ memoryMiB: 4096, fillMiBPerSecond: 32 });
    const free = host.freeBytes;
    host.take({ kind: 'start', guest: 'a', content: CONTENT }, false);
    const used = () => Math.round((free - host.freeBytes) / 1024 ** 2) - 90;
    const grown = [0, 1000, 1249, 1250, 2000, 3999, 4000, 9000].map((millis) => {
      host.advanceTo(millis);
      return used();
    });
    assert.deepEqual(grown, [0, 32, 32, 40, 64, 120, 128, 128]);
    host.take({ kind: 'stop', guest: 'a' }, false);
    assert.equal(host.freeBytes, free);
    assert.equal(host.guestNames.size, 0);
  });

  test('a simulated guest makes tasks wait for memory when little is left, and most when there is none', () => {
    const pressureAt = (freeMiB: number) => {
      const host = new VirtualHost({ memoryMiB: 1024 + 90 + 8192 + freeMiB });
      host.take({ kind: 'start', guest: 'a', content: { ...CONTENT, commonMiB: 0, ownMiB: 8192 } }, true);
      for (let second = 1; second <= 60; second += 1) host.advanceTo(second * 1000);
      return Math.round(host.memoryPressurePercent);
    };
    assert.deepEqual([2000, 190, 95, 0, -500].map(pressureAt), [0, 0, 20, 40, 80]);
  });
});

describe('a story', () => {
  test('a scenario that begins converged begins when all is merged, and counts from there', () => {
    const { trace, figures } = simulate({
      story: scenario('late-guest', SMALL),
      plan: fixedPlan(FLAT_OUT),
      durationMillis: 60_000,
    });
    const start = trace.points.find(({ atMillis }) => atMillis === 0);
    assert.ok(start !== undefined);
    assert.equal(start.savedBytes, 3 * 64 * 1024 ** 2);
    assert.ok(trace.retunes.every(({ atMillis }) => atMillis < 0 || atMillis === 0));
    assert.equal(start.guests, 4);
    assert.ok(trace.points.every(({ atMillis, guests }) => atMillis <= 0 || guests === 5));
    assert.equal(figures.reachedShare, 1);
    assert.ok((figures.millisTo90 ?? Infinity) < 5000);
    assert.equal(trace.points.at(-1)?.atMillis, 60_000);
  });

  test('a scenario waits for a tuner that never merges no longer than a day', () => {
    const { trace, figures } = simulate({
      story: scenario('late-guest', SMALL),
      plan: fixedPlan({ run: 0 }),
      durationMillis: 60_000,
      pointMillis: 60_000,
    });
    assert.ok((trace.points[0]?.atMillis ?? 0) < -86_000_000);
    assert.equal(figures.reachedShare, 0);
    assert.equal(figures.millisTo50, undefined);
  });

  test('a scenario gives a host on which memory is short, or plenty', () => {
    const first = (name: 'full-host' | 'boot-storm' | 'plenty') => {
      const story = scenario(name, SMALL);
      const { trace } = simulate({ story, plan: planFrom(), durationMillis: 10_000 });
      return trace.retunes.at(-1)?.decision.reason;
    };
    assert.deepEqual([first('full-host'), first('plenty')], ['free-below-reserve', 'enough-memory']);
  });

  test('a scenario tells what there is to gain as the host sees it', () => {
    for (const fleet of FLEETS) {
      const story = fleetScenario(fleet);
      const host = new VirtualHost(fleet.host);
      for (const step of story.before) host.take(step, true);
      assert.equal(host.possibleBytes / 1024 ** 2, story.gainMiB);
      assert.equal((host.freeBytes / 1024 ** 2 / fleet.host.memoryMiB).toFixed(2), '0.10');
    }
  });

  test('the story of a day on a host of 6 TiB with 2000 guests is told', () => {
    const [fleet] = FLEETS.filter(({ guests }) => guests === 2000);
    assert.ok(fleet !== undefined);
    const { trace, figures } = simulate({
      story: fleetScenario(fleet),
      plan: fixedPlan({ run: 1, pagesToScan: 5000, sleepMillisecs: 4, useZeroPages: 1 }),
      durationMillis: 86_400_000,
      host: fleet.host,
      pointMillis: 10_000,
    });
    assert.equal(trace.points.length, 8641);
    assert.ok(figures.reachedShare > 0.99);
  });

  test('the story of a morning has its guests come, turn alike and go', () => {
    const { trace } = simulate({
      story: morning(),
      plan: fixedPlan(FLAT_OUT),
      durationMillis: MORNING_MILLIS,
      host: { memoryMiB: MORNING_MEMORY_MIB },
    });
    const at = (minutes: number) => {
      const point = trace.points.find(({ atMillis }) => atMillis >= minutes * 60_000);
      assert.ok(point !== undefined);
      return { guests: point.guests, possibleGiB: Math.round(point.possibleBytes / 1024 ** 3) };
    };
    assert.deepEqual([0, 90, 200, 240].map(at), [
      { guests: 10, possibleGiB: 6 },
      { guests: 50, possibleGiB: 33 },
      { guests: 50, possibleGiB: 45 },
      { guests: 30, possibleGiB: 25 },
    ]);
  });
});
