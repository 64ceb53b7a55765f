import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type KsmSettings, type KsmState, describeWrite, ksmWrites } from '../../../src/core/ksm.js';
import { IDLE_KSM } from '../../support/examples/examples.js';

/** A kernel with NUMA and the advisor, merging. */
const MERGING: KsmState = {
  ...IDLE_KSM,
  run: 1,
  pagesToScan: 300,
  sleepMillisecs: 10,
  mergeAcrossNodes: 1,
  advisorMode: 'none',
  advisorMaxCpu: 70,
  advisorTargetScanTime: 200,
};
const ADVISED: KsmState = { ...MERGING, advisorMode: 'scan-time', pagesToScan: 4711 };

describe('what is written, and in which order', () => {
  const rows: { name: string; state: KsmState; wanted: KsmSettings; writes: string[] }[] = [
    {
      name: 'values come before run=1',
      state: IDLE_KSM,
      wanted: { run: 1, pagesToScan: 364, sleepMillisecs: 10 },
      writes: ['pages_to_scan 100 -> 364', 'sleep_millisecs 20 -> 10', 'run 0 -> 1'],
    },
    {
      name: 'run=0 comes before values',
      state: MERGING,
      wanted: { pagesToScan: 100, sleepMillisecs: 20, run: 0 },
      writes: ['run 1 -> 0', 'pages_to_scan 300 -> 100', 'sleep_millisecs 10 -> 20'],
    },
    {
      name: 'run=2 comes before merge_across_nodes, which is refused while pages are shared',
      state: MERGING,
      wanted: { mergeAcrossNodes: 0, run: 2 },
      writes: ['run 1 -> 2', 'merge_across_nodes 1 -> 0'],
    },
    {
      name: 'the advisor is switched off before the pages, and they are written although they look right',
      state: ADVISED,
      wanted: { pagesToScan: 4711, sleepMillisecs: 10, advisorMode: 'none', run: 1 },
      writes: ['advisor_mode scan-time -> none', 'pages_to_scan 4711 -> 4711'],
    },
    {
      name: 'the advisor is switched off first also when merging begins',
      state: { ...ADVISED, run: 0 },
      wanted: { run: 1, advisorMode: 'none', pagesToScan: 64 },
      writes: ['advisor_mode scan-time -> none', 'pages_to_scan 4711 -> 64', 'run 0 -> 1'],
    },
    {
      name: 'the advisor is switched on after the values',
      state: MERGING,
      wanted: { advisorMode: 'scan-time', advisorMaxCpu: 40, advisorTargetScanTime: 100, pagesToScan: 100 },
      writes: [
        'pages_to_scan 300 -> 100',
        'advisor_max_cpu 70 -> 40',
        'advisor_target_scan_time 200 -> 100',
        'advisor_mode none -> scan-time',
      ],
    },
    {
      name: 'the advisor is switched on before run=1',
      state: { ...MERGING, run: 0 },
      wanted: { run: 1, advisorMode: 'scan-time', sleepMillisecs: 20 },
      writes: ['sleep_millisecs 10 -> 20', 'advisor_mode none -> scan-time', 'run 0 -> 1'],
    },
    {
      name: 'pages are not written while the advisor stays on: the kernel answers EINVAL',
      state: ADVISED,
      wanted: { advisorMode: 'scan-time', pagesToScan: 100, sleepMillisecs: 20 },
      writes: ['sleep_millisecs 10 -> 20'],
    },
    {
      name: 'nothing is written when nothing differs',
      state: MERGING,
      wanted: { run: 1, pagesToScan: 300 },
      writes: [],
    },
    { name: 'nothing is written when nothing is wanted', state: MERGING, wanted: {}, writes: [] },
    {
      name: 'only what differs is written',
      state: MERGING,
      wanted: { run: 1, pagesToScan: 250, sleepMillisecs: 10, advisorMode: 'none' },
      writes: ['pages_to_scan 300 -> 250'],
    },
    {
      name: 'what this kernel lacks is not written',
      state: IDLE_KSM,
      wanted: { run: 1, advisorMode: 'none', mergeAcrossNodes: 0, smartScan: 1, maxKernelPages: 0 },
      writes: ['run 0 -> 1'],
    },
  ];
  for (const { name, state, wanted, writes } of rows) {
    test(`settings are written: ${name}`, () => {
      assert.deepEqual(ksmWrites(state, wanted).map(describeWrite), writes);
    });
  }
});

const value = fc.nat(4);
const optionalNumbers = {
  mergeAcrossNodes: fc.nat(1),
  maxPageSharing: value,
  useZeroPages: fc.nat(1),
  smartScan: fc.nat(1),
  stableNodeChainsPruneMillisecs: value,
  maxKernelPages: value,
  advisorMaxCpu: value,
  advisorMinPagesToScan: value,
  advisorMaxPagesToScan: value,
  advisorTargetScanTime: value,
  advisorMode: fc.constantFrom('none' as const, 'scan-time' as const),
};
const required = { run: fc.nat(2), pagesToScan: value, sleepMillisecs: value };
const state: fc.Arbitrary<KsmState> = fc.record(
  { ...required, pagesShared: value, pagesSharing: value, ...optionalNumbers },
  { requiredKeys: ['run', 'pagesToScan', 'sleepMillisecs', 'pagesShared', 'pagesSharing'] },
);
const wanted: fc.Arbitrary<KsmSettings> = fc.record({ ...required, ...optionalNumbers }, { requiredKeys: [] });

/** What the kernel does with the writes: it refuses some, and its advisor takes pages_to_scan over. */
function written(before: KsmState, settings: KsmSettings): KsmState {
  return ksmWrites(before, settings).reduce((ksm, { setting, from, to }) => {
    assert.ok(setting in before, `${setting} does not exist`);
    assert.equal(from, before[setting], `${setting} was ${before[setting]}`);
    assert.ok(setting !== 'pagesToScan' || ksm.advisorMode !== 'scan-time', 'EINVAL: the advisor is on');
    const reset = setting === 'advisorMode' ? { pagesToScan: 100 } : {};
    return { ...ksm, [setting]: to, ...reset };
  }, before);
}

/** Settings that the kernel can take all at once: pages_to_scan is the advisor's while that is on. */
function possible(before: KsmState, settings: KsmSettings): KsmSettings {
  const { pagesToScan, ...rest } = settings;
  const advised = (settings.advisorMode ?? before.advisorMode) === 'scan-time' && before.advisorMode !== undefined;
  return advised || pagesToScan === undefined ? rest : { ...rest, pagesToScan };
}

describe('for any kernel and any settings', () => {
  test('for any kernel and settings, the kernel accepts every write and ends up as wanted', () => {
    fc.assert(
      fc.property(state, wanted, (before, settings) => {
        const asked = possible(before, settings);
        const after = written(before, asked);
        for (const [setting, to] of Object.entries(asked) as [keyof KsmSettings, number | string][]) {
          assert.equal(after[setting], setting in before ? to : undefined, setting);
        }
        assert.deepEqual(Object.keys(after).sort(), Object.keys(before).sort());
      }),
    );
  });

  test('a setting that is not asked for stays, pages_to_scan excepted when the advisor is switched', () => {
    fc.assert(
      fc.property(state, wanted, (before, settings) => {
        const asked = possible(before, settings);
        const after = written(before, asked);
        const switched = after.advisorMode !== before.advisorMode;
        for (const setting of Object.keys(before) as (keyof KsmState)[]) {
          if (setting in asked || (switched && setting === 'pagesToScan')) continue;
          assert.equal(after[setting], before[setting], setting);
        }
      }),
    );
  });

  test('when the settings are as wanted there is nothing to write', () => {
    fc.assert(
      fc.property(state, wanted, (before, settings) => {
        const asked = possible(before, settings);
        assert.deepEqual(ksmWrites(written(before, asked), asked), []);
      }),
    );
  });

  test('run=1 is the last write, any other run the first, and nothing is written twice', () => {
    fc.assert(
      fc.property(state, wanted, (before, settings) => {
        const order = ksmWrites(before, settings).map(({ setting }) => setting);
        assert.equal(new Set(order).size, order.length);
        if (!order.includes('run')) return;
        assert.equal(settings.run === 1 ? order.at(-1) : order[0], 'run');
      }),
    );
  });
});
