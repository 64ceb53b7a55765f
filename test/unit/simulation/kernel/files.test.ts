import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KsmSettings } from '../../../../src/core/ksm.js';
import { FRESH_ADVISOR, scanTimeAdvice } from '../../../../src/simulation/kernel/advisor.js';
import { VirtualHost } from '../../../../src/simulation/host.js';
import { counted, host, mib, passes, set } from '../../../support/simulation/simulationPasses.js';

describe('run', () => {
  test('run=2 in the simulation undoes all merging at once, and counting begins anew', () => {
    const made = host([{ commonMiB: 4, zeroMiB: 4 }, { commonMiB: 4 }], { useZeroPages: 1 }, undefined, false);
    passes(made, 3);
    const saved = made.savedBytes;
    const free = made.freeBytes;
    assert.equal(saved, mib(8) * 4096);
    set(made, { run: 2 });
    const { fullScans, generalProfit, ksmZeroPages, ...state } = made.ksmd.state();
    assert.deepEqual([fullScans, generalProfit, ksmZeroPages, ...counted(state)], [0, 0, 0, 0, 0, 0, 0]);
    assert.equal(made.savedBytes, 0);
    assert.ok(made.freeBytes < free);
    const cpuNanos = made.ksmd.cpuNanos;
    made.advanceTo(made.nowMillis + 60_000);
    assert.equal(made.ksmd.cpuNanos, cpuNanos);
  });

  test('run=0 in the simulation stops ksmd where it is, and run=1 goes on from there', () => {
    const made = host([{ ownMiB: 4 }], { pagesToScan: 256, smartScan: 0 });
    made.advanceTo(2500);
    const { pagesScanned } = made.ksmd.state();
    set(made, { run: 0 });
    made.advanceTo(60_000);
    assert.equal(made.ksmd.state().pagesScanned, pagesScanned);
    set(made, { run: 1 });
    assert.equal(passes(made, 1).pagesScanned, mib(4));
  });
});

describe('the pace', () => {
  const scansAfter = (millis: number, settings: KsmSettings) => {
    const made = host([{ ownMiB: 1 }], { smartScan: 0, ...settings });
    made.advanceTo(millis);
    return made.ksmd.fullScans;
  };

  test('the simulated pace is that of whole batches: one ends with the pass, however few its pages are', () => {
    // 256 pages: three batches, of which each ends a sleep of 24 ms.
    const scans = scansAfter(7200, { pagesToScan: 100, sleepMillisecs: 20 });
    assert.ok(scans >= 98 && scans <= 101, `${scans} passes`);
    assert.equal(scansAfter(30_100, { pagesToScan: 1000, sleepMillisecs: 1000 }), 30);
  });

  test('the simulated pace is none without pages to scan', () => {
    assert.equal(scansAfter(60_000, { pagesToScan: 0, sleepMillisecs: 20 }), 0);
  });

  test('the simulated pace changes at once when sleep_millisecs does: that wakes ksmd', () => {
    const made = host([{ ownMiB: 1 }], { pagesToScan: 1000, sleepMillisecs: 3_600_000 });
    made.advanceTo(60_000);
    assert.equal(made.ksmd.fullScans, 1);
    set(made, { sleepMillisecs: 3_600_001 });
    made.advanceTo(60_100);
    assert.equal(made.ksmd.fullScans, 2);
  });
});

describe('a batch', () => {
  test('a batch that was under way when ksmd was stopped is not continued', () => {
    const made = host([{ ownMiB: 64 }], { smartScan: 0 });
    made.advanceTo(1);
    const { pagesScanned = NaN } = made.ksmd.state();
    assert.ok(pagesScanned > 1000 && pagesScanned < mib(64));
    set(made, { run: 0, pagesToScan: 100, sleepMillisecs: 1000 });
    set(made, { run: 1 });
    made.advanceTo(5000);
    assert.equal(made.ksmd.state().pagesScanned, pagesScanned + 500);
  });
});

describe('a setting is refused', () => {
  const refused: readonly {
    readonly write: readonly [keyof KsmSettings, number | string];
    readonly error?: string;
    readonly when?: KsmSettings;
  }[] = [
    { write: ['run', 3], error: 'EINVAL' },
    { write: ['pagesToScan', 200] },
    { write: ['pagesToScan', 200], when: { advisorMode: 'scan-time' }, error: 'EINVAL' },
    { write: ['sleepMillisecs', 50], when: { advisorMode: 'scan-time' } },
    { write: ['maxPageSharing', 1], error: 'EINVAL' },
    { write: ['maxPageSharing', 512], error: 'EBUSY' },
    { write: ['maxPageSharing', 256] },
    { write: ['maxPageSharing', 512], when: { run: 2 } },
    { write: ['mergeAcrossNodes', 2], error: 'EINVAL' },
    { write: ['mergeAcrossNodes', 0], error: 'EBUSY' },
    { write: ['advisorTargetScanTime', 0], error: 'EINVAL' },
    { write: ['advisorMaxCpu', 100] },
  ];
  for (const { write, error, when = {} } of refused) {
    test(`the simulated kernel on ${write.join(' = ')} ${JSON.stringify(when)}: ${error ?? 'is taken'}`, () => {
      const made = host([{ commonMiB: 1 }, { commonMiB: 1 }]);
      passes(made, 2);
      set(made, when);
      assert.equal(made.write(...write), error);
    });
  }
});

describe('the files', () => {
  const without = [
    {
      kernel: { major: 5, minor: 10 },
      lacks: ['generalProfit', 'ksmZeroPages', 'pagesScanned', 'smartScan', 'advisorMode'],
    },
    { kernel: { major: 6, minor: 4 }, lacks: ['ksmZeroPages', 'pagesScanned', 'smartScan', 'advisorMode'] },
    { kernel: { major: 6, minor: 6 }, lacks: ['smartScan', 'pagesSkipped', 'advisorMode'] },
    { kernel: { major: 6, minor: 7 }, lacks: ['advisorMode', 'advisorMaxCpu'] },
    { kernel: { major: 6, minor: 8 }, lacks: [] },
    { kernel: { major: 7, minor: 0 }, lacks: [] },
  ];
  const all = [
    'generalProfit',
    'ksmZeroPages',
    'pagesScanned',
    'pagesSkipped',
    'smartScan',
    'advisorMode',
    'advisorMaxCpu',
  ];
  for (const { kernel, lacks } of without) {
    test(`the simulated files are those that Linux ${kernel.major}.${kernel.minor} has`, () => {
      const state = new VirtualHost({ memoryMiB: 1024, kernel }).ksmd.state();
      const missing = all.filter((name) => !(name in state));
      assert.deepEqual(
        lacks.filter((name) => !missing.includes(name)),
        [],
      );
      if (lacks.length === 0) assert.deepEqual(missing, []);
      assert.ok(!('maxKernelPages' in state));
    });
  }
});

describe('the scan-time advisor', () => {
  const defaults = { advisorMaxCpu: 70, advisorMaxPagesToScan: 30000, advisorTargetScanTime: 200 };
  const rows = [
    {
      name: 'begins with a guarded step: its average is 0 at first, and 10 % of a CPU is the least',
      memory: FRESH_ADVISOR,
      now: { millis: 211_000, cpuNanos: 15.1e9, pagesToScan: 500 },
      pagesToScan: 710,
      changePercent: 30,
    },
    {
      name: 'slows down when passes are faster than wanted, to 10 % of a CPU',
      memory: { startMillis: 300_000, scanSeconds: 10, changePercent: 30, cpuNanos: 15e9 },
      now: { millis: 310_900, cpuNanos: 19e9, pagesToScan: 710 },
      pagesToScan: 170,
      changePercent: 51,
    },
    {
      name: 'speeds up when passes are slower than wanted, to the wanted share of a CPU',
      memory: { startMillis: 0, scanSeconds: 1000, changePercent: 100, cpuNanos: 0 },
      now: { millis: 1000_000, cpuNanos: 200e9, pagesToScan: 1000 },
      pagesToScan: 3500,
      changePercent: 100,
    },
    {
      name: 'goes no further than its highest number of pages',
      memory: { startMillis: 0, scanSeconds: 4000, changePercent: 100, cpuNanos: 0 },
      now: { millis: 4000_000, cpuNanos: 0, pagesToScan: 20000 },
      pagesToScan: 30000,
      changePercent: 100,
    },
    {
      name: 'takes a pass of less than a second for one',
      memory: { startMillis: 5000, scanSeconds: 1, changePercent: 100, cpuNanos: 0 },
      now: { millis: 5100, cpuNanos: 0.05e9, pagesToScan: 500 },
      pagesToScan: 1000,
      changePercent: 100,
    },
  ];
  for (const { name, memory, now, pagesToScan, changePercent } of rows) {
    test(`the simulated scan-time advisor: ${name}`, () => {
      const advice = scanTimeAdvice(defaults, memory, now);
      assert.equal(advice.pagesToScan, pagesToScan);
      assert.equal(advice.memory.changePercent, changePercent);
    });
  }

  test('the simulated advisor begins with its least number of pages, and leaves the default behind', () => {
    const made = host([{ ownMiB: 1 }], { pagesToScan: 5000 });
    set(made, { advisorMode: 'scan-time' });
    assert.equal(made.ksmd.state().pagesToScan, 500);
    set(made, { advisorMode: 'none' });
    assert.equal(made.ksmd.state().pagesToScan, 100);
  });

  test('the simulated advisor decides at the end of each pass', () => {
    const made = host([{ ownMiB: 64 }], { advisorMode: 'scan-time' });
    made.advanceTo(20_000);
    assert.equal(made.ksmd.state().pagesToScan, 500);
    assert.notEqual(passes(made, 1).pagesToScan, 500);
  });

  test('the simulated advisor takes the time since boot for that of the pass in which it was switched on', () => {
    const made = host([{ ownMiB: 64 }], { pagesToScan: 500, sleepMillisecs: 20 });
    made.advanceTo(100);
    set(made, { advisorMode: 'scan-time' });
    // An hour and next to no CPU: ten times the pages for 10 % of a CPU. By the time of the pass alone it would be half of that.
    assert.equal(passes(made, 1).pagesToScan, 5000);
  });
});
