// What was measured with real guests and the real ksmd, and what the virtual host makes of it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KsmSettings } from '../../../src/core/ksm.js';
import { MEASURED_COSTS, sleepNanos } from '../../../src/simulation/kernel/costs.js';
import { VirtualHost } from '../../../src/simulation/host.js';
import { TEST_GUEST_SYSTEM } from '../../../src/simulation/hostOptions.js';
import { fixedPlan } from '../../../src/simulation/run.js';
import { DEFAULT_SIZES, type GuestContent, scenario } from '../../../src/simulation/step.js';
import { simulate } from '../../support/simulation/simulate.js';
import { planFrom } from '../../support/examples/examples.js';
import { passes, set, start } from '../../support/simulation/simulationPasses.js';

const GIB = 1024 ** 3;
const HOST = { systemMiB: TEST_GUEST_SYSTEM, memoryMiB: 23.5 * 1024 };

/** At most a fifth off. */
function near(simulated: number | undefined, measured: number, what: string): void {
  const off = (simulated ?? NaN) / measured - 1;
  assert.ok(Math.abs(off) <= 0.2, `${what}: ${simulated?.toFixed(2)} simulated, ${measured} measured`);
}

describe('13 guests of 1024 MiB in common and 256 MiB of their own', () => {
  const run = (plan: KsmSettings, ksmdCpuNanos = 0) =>
    simulate({
      story: scenario('full-host', DEFAULT_SIZES),
      plan: fixedPlan({ ...plan, run: 1 }),
      durationMillis: 300_000,
      host: { ...HOST, ksmdCpuNanos },
    });

  test('13 guests of 1024 MiB in common and 256 MiB of their own save 12.86 GiB in all', () => {
    const { trace } = run({ pagesToScan: 2000, sleepMillisecs: 0 });
    near((trace.points.at(-1)?.savedBytes ?? NaN) / GIB, 12.86, 'GiB saved');
  });

  test('13 guests: ksmd at full speed gains 90 % in 30.7 s, with 27.5 s of CPU time', () => {
    const { figures } = run({ pagesToScan: 2000, sleepMillisecs: 0 });
    near((figures.millisTo90 ?? NaN) / 1000, 30.7, 'seconds');
    near((figures.ksmdCpuNanosTo90 ?? NaN) / 1e9, 27.5, 'CPU seconds');
  });

  test("13 guests: the kernel's advisor gains 5 % in 300 s, when ksmd has a past", () => {
    // Switched on, the advisor takes all that ksmd has ever used for the cost of the first pass, and hardly dares a second.
    const savedGiB = (ksmdCpuSeconds: number) =>
      (run({ advisorMode: 'scan-time' }, ksmdCpuSeconds * 1e9).trace.points.at(-1)?.savedBytes ?? NaN) / GIB;
    near((100 * savedGiB(150)) / 12.86, 5, 'percent');
    assert.ok(savedGiB(0) > 12);
  });
});

describe("14 such guests, memory short, and ksmtuned's rule", () => {
  // The script sleeps for a minute before its first look.
  const SCRIPT_SLEEPS_MILLIS = 60_000;
  const { figures, trace } = simulate({
    story: scenario('full-host', { ...DEFAULT_SIZES, guests: 14 }),
    plan: planFrom(),
    durationMillis: 600_000,
    host: HOST,
  });
  const millisTo90 = figures.millisTo90 ?? NaN;

  test("14 guests, with memory short and ksmtuned's rule, take 312 s and 37.7 s of CPU time", () => {
    near((millisTo90 + SCRIPT_SLEEPS_MILLIS) / 1000, 312, 'seconds');
    near((figures.ksmdCpuNanosTo90 ?? NaN) / 1e9, 37.7, 'CPU seconds');
  });

  test("14 guests: ksmtuned's rule takes 19 s more in the next 170 s, for nothing", () => {
    const cpuSecondsAt = (millis: number) =>
      (trace.points.find(({ atMillis }) => atMillis >= millis)?.ksmdCpuNanos ?? NaN) / 1e9;
    near(cpuSecondsAt(millisTo90 + 170_000) - cpuSecondsAt(millisTo90), 19, 'CPU seconds');
  });
});

describe('a single pass of ksmd', () => {
  const rows: readonly {
    readonly name: string;
    readonly guests: readonly Partial<GuestContent>[];
    /** CPU time of the passes, in milliseconds. */
    readonly measured: readonly number[];
    readonly settings?: KsmSettings;
    readonly late?: Partial<GuestContent>;
  }[] = [
    {
      name: '1024 MiB like no other',
      guests: [{ ownMiB: 1024 }],
      measured: [125, 1539, 1691, 1522],
      settings: { smartScan: 0 },
    },
    {
      name: 'twice 2048 MiB like no other',
      guests: [{ ownMiB: 2048 }, { ownMiB: 2048 }],
      measured: [533, 8970, 8942],
      settings: { smartScan: 0 },
    },
    {
      name: '1024 MiB and smart scan',
      guests: [{ ownMiB: 1024 }],
      measured: [125, 1522, 1522, 1557, 51.3, 1550, 51.3, 51.2],
    },
    {
      name: 'a third guest of 1024 MiB alike',
      guests: [{ commonMiB: 1024 }, { commonMiB: 1024 }],
      measured: [297, 1663, 299],
      late: { commonMiB: 1024 },
    },
  ];
  for (const { name, guests, measured, settings, late } of rows) {
    test(`a single pass of ksmd over ${name} takes ${measured.join(', ')} ms`, () => {
      const costs = { ...MEASURED_COSTS, pacedFactor: 1 };
      const host = new VirtualHost({ memoryMiB: 65536, systemMiB: TEST_GUEST_SYSTEM, costs });
      for (const [index, content] of guests.entries()) start(host, `guest${index}`, content);
      set(host, { ...settings, pagesToScan: 1e9, sleepMillisecs: 100_000, run: 1 });
      if (late !== undefined) {
        // After so many smart scan leaves out what the two have of their own, as it did when this was measured.
        passes(host, 9);
        start(host, 'late', late);
      }
      for (const [index, millis] of measured.entries()) {
        const before = host.ksmd.cpuNanos;
        passes(host, 1);
        near((host.ksmd.cpuNanos - before) / 1e6, millis, `milliseconds of pass ${index + 1}`);
      }
    });
  }
});

describe("ksmd's sleep after a batch of one page", () => {
  const rows = [
    [0, 0.01],
    [1, 8.85],
    [4, 8.85],
    [5, 12],
    [8, 12],
    [10, 16],
    [12, 16],
    [16, 20],
    [20, 24.1],
    [30, 35.8],
    [50, 55.6],
  ] as const;
  for (const [sleepMillisecs, measuredMillis] of rows) {
    test(`ksmd's sleep after a batch of one page is ${measuredMillis} ms where ${sleepMillisecs} are asked for`, () => {
      const busyNanos = 50_000;
      const periodMillis = (sleepNanos(sleepMillisecs, busyNanos, 4e6) + busyNanos) / 1e6;
      assert.ok(Math.abs(periodMillis - measuredMillis) < 1, `${periodMillis} ms`);
    });
  }
});
