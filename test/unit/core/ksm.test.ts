import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type KsmSetting,
  type KsmSettings,
  type KsmState,
  changedByOthers,
  describeWrite,
  ksmFile,
  ksmWrites,
  settingsOf,
} from '../../../src/core/ksm.js';
import { KsmDirectory } from '../../../src/host/ksm.js';
import { HostTree } from '../../support/hostTree.js';
import { IDLE_KSM } from '../../support/examples/examples.js';

const KERNEL_6_12: KsmState = {
  ...IDLE_KSM,
  mergeAcrossNodes: 1,
  maxPageSharing: 256,
  useZeroPages: 0,
  smartScan: 1,
  stableNodeChainsPruneMillisecs: 2000,
  advisorMode: 'none',
  advisorMaxCpu: 70,
  advisorMinPagesToScan: 500,
  advisorMaxPagesToScan: 30000,
  advisorTargetScanTime: 200,
  fullScans: 12,
  pagesUnshared: 5,
  pagesVolatile: 6,
  generalProfit: -4096,
};

test('every file of the kernels in fixtures/hosts is known by its name', () => {
  for (const host of ['kernel-5.10', 'kernel-6.1', 'kernel-6.12', 'numa', 'no-ksm']) {
    assert.deepEqual(new KsmDirectory(`fixtures/hosts/${host}`).unknownFiles(), []);
  }
});

test("files that nobody here has heard of are unknown, Red Hat's redhat_only_zero_pages is not", () => {
  using tree = HostTree.create();
  for (const file of ['pages_dreamt', 'redhat_only_zero_pages', 'merge_faster']) tree.setKsm(file, 1);
  const ksm = new KsmDirectory(tree.root);
  assert.deepEqual(ksm.unknownFiles(), ['merge_faster', 'pages_dreamt']);
  assert.equal(ksm.read().redhatOnlyZeroPages, 1);
});

test('a setting has the name of its file', () => {
  const rows: [KsmSetting, string][] = [
    ['run', 'run'],
    ['pagesToScan', 'pages_to_scan'],
    ['sleepMillisecs', 'sleep_millisecs'],
    ['mergeAcrossNodes', 'merge_across_nodes'],
    ['advisorMode', 'advisor_mode'],
    ['khugepagedMaxPtesNone', 'transparent_hugepage/khugepaged/max_ptes_none'],
  ];
  for (const [setting, file] of rows) assert.equal(ksmFile(setting), file);
});

test('a write is described with the name of its file, from and to', () => {
  assert.equal(describeWrite({ setting: 'pagesToScan', from: 100, to: 364 }), 'pages_to_scan 100 -> 364');
  assert.equal(
    describeWrite({ setting: 'advisorMode', from: 'scan-time', to: 'none' }),
    'advisor_mode scan-time -> none',
  );
});

describe('changedByOthers', () => {
  const rows: { name: string; set: KsmSettings; state: KsmState; found: unknown[] }[] = [
    { name: 'nothing was set', set: {}, state: KERNEL_6_12, found: [] },
    { name: 'everything is as it was set', set: { run: 0, pagesToScan: 100 }, state: KERNEL_6_12, found: [] },
    {
      name: 'a number',
      set: { run: 1, pagesToScan: 100 },
      state: KERNEL_6_12,
      found: [{ setting: 'run', set: 1, found: 0 }],
    },
    {
      name: 'the advisor',
      set: { advisorMode: 'none' },
      state: { ...KERNEL_6_12, advisorMode: 'scan-time' },
      found: [{ setting: 'advisorMode', set: 'none', found: 'scan-time' }],
    },
    {
      name: 'several',
      set: { pagesToScan: 364, sleepMillisecs: 10 },
      state: KERNEL_6_12,
      found: [
        { setting: 'pagesToScan', set: 364, found: 100 },
        { setting: 'sleepMillisecs', set: 10, found: 20 },
      ],
    },
    { name: 'a file that is not there', set: { smartScan: 1 }, state: IDLE_KSM, found: [] },
  ];
  for (const { name, set, state, found } of rows) {
    test(`settings that others changed: ${name}`, () => {
      assert.deepEqual(changedByOthers(set, state), found);
    });
  }
});

describe('settingsOf', () => {
  test('settingsOf has what can be set and no counter', () => {
    assert.deepEqual(settingsOf(KERNEL_6_12), {
      run: 0,
      pagesToScan: 100,
      sleepMillisecs: 20,
      mergeAcrossNodes: 1,
      maxPageSharing: 256,
      useZeroPages: 0,
      smartScan: 1,
      stableNodeChainsPruneMillisecs: 2000,
      advisorMode: 'none',
      advisorMaxCpu: 70,
      advisorMinPagesToScan: 500,
      advisorMaxPagesToScan: 30000,
      advisorTargetScanTime: 200,
    });
  });

  test('settingsOf has nothing that the kernel lacks', () => {
    assert.deepEqual(settingsOf(IDLE_KSM), { run: 0, pagesToScan: 100, sleepMillisecs: 20 });
  });

  test('settingsOf brings the kernel back, and leaves alone what is already so', () => {
    const tuned = { ...KERNEL_6_12, run: 1, pagesToScan: 364, sleepMillisecs: 10 };
    const back = ksmWrites(tuned, settingsOf(KERNEL_6_12)).map(describeWrite);
    assert.deepEqual(back, ['run 1 -> 0', 'pages_to_scan 364 -> 100', 'sleep_millisecs 10 -> 20']);
    assert.deepEqual(ksmWrites(KERNEL_6_12, settingsOf(KERNEL_6_12)), []);
  });
});
