// Cases of other tuners' own tests, with the values that are right by ksmtuned's rule.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ksmtunedPolicy } from '../../../../../src/core/policies/ksmtuned/policy.js';
import type { KsmtunedOptions } from '../../../../../src/core/policies/ksmtuned/options.js';
import { KSMTUNED_DEFAULTS, hostOf, ksmtunedMemory, sampleOf } from '../../../../support/examples/examples.js';

const GIB_KB = 1024 ** 2;

/** What is set on a host that is short of memory. */
function settingsOf(options: Partial<KsmtunedOptions>, { npages = 0, totalGiB = 16 } = {}) {
  const sample = sampleOf({ memory: hostOf(totalGiB * GIB_KB, 1024, totalGiB * GIB_KB) });
  const [, decision] = ksmtunedPolicy({ ...KSMTUNED_DEFAULTS, ...options }).decide(ksmtunedMemory(npages), sample, []);
  const { pagesToScan, sleepMillisecs } = decision.settings;
  return { pagesToScan, sleepMillisecs };
}

describe('tp-libvirt node_memtune: what is asked for under pressure is what is set', () => {
  const rows = [
    { pages: 80, asked: 90, sleep: 90 },
    { pages: 0, asked: 0, sleep: 10 },
    { pages: 60, asked: 120, sleep: 120 },
    { pages: 200, asked: 10, sleep: 10 },
  ];
  for (const { pages, asked, sleep } of rows) {
    test(`tp-libvirt node_memtune: pages ${pages} and sleep ${asked} are set as ${pages} and ${sleep}`, () => {
      const options = { pagesMin: pages, pagesMax: pages, sleepMillisecs: asked };
      assert.deepEqual(settingsOf(options), { pagesToScan: pages, sleepMillisecs: sleep });
    });
  }
});

describe("Harvester's node manager: pages, step, bounds", () => {
  const rows = [
    { pages: 100, step: 400, least: 100, most: 99_999, then: 500 },
    { pages: 200, step: 400, least: 100, most: 500, then: 500 },
    { pages: 100, step: 400, least: 100, most: 500, then: 500 },
    { pages: 1000, step: -200, least: 100, most: 99_999, then: 800 },
    { pages: 150, step: -200, least: 100, most: 99_999, then: 100 },
    { pages: 150, step: -50, least: 100, most: 99_999, then: 100 },
  ];
  for (const { pages, step, least, most, then } of rows) {
    test(`Harvester's node manager: ${pages} pages, step ${step}, ${least} to ${most} gives ${then}`, () => {
      const { pagesToScan } = settingsOf({ pagesBoost: step, pagesMin: least, pagesMax: most }, { npages: pages });
      assert.equal(pagesToScan, then);
    });
  }
});

describe("RHEL's boot scripts: sleep_millisecs of large hosts with KSM_SLEEP_MSEC=1600", () => {
  // RHEL itself never sleeps longer than 50 ms; a host below 512 GiB sleeps longer here.
  for (const [totalGiB, sleep] of [
    [512, 50],
    [600, 42],
    [1024, 25],
    [4096, 10],
  ] as const) {
    test(`RHEL’s boot scripts: with KSM_SLEEP_MSEC=1600 a host of ${totalGiB} GiB sleeps ${sleep} ms`, () => {
      const options = { sleepMillisecs: 1600, pagesMin: 1000, pagesMax: 1000 };
      assert.deepEqual(settingsOf(options, { totalGiB }), { pagesToScan: 1000, sleepMillisecs: sleep });
    });
  }
});
