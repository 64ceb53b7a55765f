import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Reason } from '../../../../../src/core/decision.js';
import { compareBytes } from '../../../../../src/core/format.js';
import { ksmtunedPolicy } from '../../../../../src/core/policies/ksmtuned/policy.js';
import type { PolicyMemory } from '../../../../../src/core/policy.js';
import {
  IDLE_KSM,
  KSMTUNED_DEFAULTS,
  hostOf,
  sampleOf,
  npagesOf,
  ksmtunedMemory,
} from '../../../../support/examples/examples.js';
import { type Host, cases, reserveOf } from '../../../../support/examples/ksmtunedCases.js';

const GIB_KB = 1024 ** 2;
type Sizes = [number, number, number];
/** The reasons of this policy. */
const REASONS: Readonly<Partial<Record<Reason, true>>> = {
  'enough-memory': true,
  'free-below-reserve': true,
  'free-at-reserve': true,
  'committed-above-total': true,
  always: true,
};

function decide({ totalKb, freeKb, committedKb }: Host, npages = 0, options = KSMTUNED_DEFAULTS) {
  const sample = sampleOf({ memory: hostOf(totalKb, freeKb, committedKb) });
  const [memory, decision] = ksmtunedPolicy(options).decide(ksmtunedMemory(npages), sample, []);
  return { memory, decision };
}

describe('the sentence of a decision', () => {
  const total = Math.round(23.5 * GIB_KB);
  const rows: {
    name: string;
    host: Host;
    npages?: number;
    sentence: string;
    chosen?: Partial<typeof KSMTUNED_DEFAULTS>;
  }[] = [
    {
      name: 'short of memory',
      host: { totalKb: total, freeKb: Math.round(3.1 * GIB_KB), committedKb: Math.round(19.5 * GIB_KB) },
      sentence:
        'guests use 19.5 GiB + 4.7 GiB reserve > 23.5 GiB: merging; free 3.1 GiB < 4.7 GiB: faster by 300 (300 pages every 10 ms)',
    },
    {
      name: 'promised too much, but still free',
      host: { totalKb: total, freeKb: 8 * GIB_KB, committedKb: 20 * GIB_KB },
      npages: 600,
      sentence:
        'guests use 20.0 GiB + 4.7 GiB reserve > 23.5 GiB: merging; free 8.0 GiB > 4.7 GiB: slower by 50 (550 pages every 10 ms)',
    },
    {
      name: 'guests fit, something else took the memory',
      host: { totalKb: 16 * GIB_KB, freeKb: GIB_KB, committedKb: 2 * GIB_KB },
      npages: 1100,
      sentence:
        'guests use 2.0 GiB + 3.2 GiB reserve < 16.0 GiB, but free 1.0 GiB < 3.2 GiB: merging, faster by 150, the maximum (1250 pages every 10 ms)',
    },
    {
      name: 'at the maximum already',
      host: { totalKb: 16 * GIB_KB, freeKb: 0, committedKb: 2 * GIB_KB },
      npages: 1250,
      sentence:
        'guests use 2.0 GiB + 3.2 GiB reserve < 16.0 GiB, but free 0 B < 3.2 GiB: merging, at the same pace, the maximum (1250 pages every 10 ms)',
    },
    {
      name: 'decaying down to the minimum on a small host',
      host: { totalKb: 8 * GIB_KB, freeKb: 4 * GIB_KB, committedKb: 8 * GIB_KB },
      npages: 100,
      sentence:
        'guests use 8.0 GiB + 1.6 GiB reserve > 8.0 GiB: merging; free 4.0 GiB > 1.6 GiB: slower by 36, the minimum (64 pages every 20 ms)',
    },
    {
      name: 'allowed no page',
      host: { totalKb: 16 * GIB_KB, freeKb: 0, committedKb: 2 * GIB_KB },
      npages: 0,
      chosen: { pagesMin: 0, pagesMax: 0 },
      sentence:
        'guests use 2.0 GiB + 3.2 GiB reserve < 16.0 GiB, but free 0 B < 3.2 GiB: merging, at the same pace, the maximum (0 pages every 10 ms), ksmd scans nothing',
    },
    {
      name: 'short of memory by little',
      host: { totalKb: 16 * GIB_KB, freeKb: 3355443 - 2458, committedKb: 13421772 - 2458 },
      sentence:
        'guests use 12.798 GiB + 3.200 GiB reserve < 16.000 GiB, but free 3.198 GiB < 3.200 GiB: merging, faster by 300 (300 pages every 10 ms)',
    },
    {
      name: 'memory is enough',
      host: { totalKb: 16 * GIB_KB, freeKb: 15 * GIB_KB, committedKb: 512 * 1024 },
      npages: 500,
      sentence: 'guests use 512.0 MiB + 3.2 GiB reserve < 16.0 GiB and free 15.0 GiB > 3.2 GiB: not merging',
    },
  ];
  for (const { name, host, npages, sentence, chosen } of rows) {
    test(`the sentence of a decision of ksmtuned: ${name}`, () => {
      assert.equal(decide(host, npages, { ...KSMTUNED_DEFAULTS, ...chosen }).decision.sentence, sentence);
    });
  }

  test('the sentence of a decision always has the numbers in it, and the reason is one of the list', () => {
    fc.assert(
      fc.property(cases, ({ chosen, host }) => {
        const { decision } = decide(host, 0, chosen);
        const { pagesToScan, sleepMillisecs, run } = decision.settings;
        const [committed, free, total] = [host.committedKb, host.freeKb, host.totalKb].map((kb) => kb * 1024) as Sizes;
        const reserve = Number(reserveOf(host.totalKb, chosen)) * 1024;
        const use = compareBytes([committed, reserve], total);
        const spare = compareBytes([free], reserve);
        for (const part of [
          `guests use ${use.size(committed)} + ${use.size(reserve)} reserve ${use.sign} ${use.size(total)}`,
          `free ${spare.size(free)} ${spare.sign} ${spare.size(reserve)}`,
          run === 1 ? `(${pagesToScan} pages every ${sleepMillisecs} ms)` : ': not merging',
        ]) {
          assert.ok(decision.sentence.includes(part), `${part} in ${decision.sentence}`);
        }
        assert.ok(Object.hasOwn(REASONS, decision.reason), decision.reason);
      }),
    );
  });
});

describe('the rule', () => {
  test('ksmtuned stops iff guests and the reserve fit and more than the reserve is free', () => {
    fc.assert(
      fc.property(cases, ({ chosen, host }) => {
        const reserveKb = reserveOf(host.totalKb, chosen);
        const enough = BigInt(host.committedKb) + reserveKb < BigInt(host.totalKb) && BigInt(host.freeKb) > reserveKb;
        const { decision } = decide(host, 0, chosen);
        assert.equal(decision.settings.run, enough ? 0 : 1);
        assert.equal(decision.reason === 'enough-memory', enough);
      }),
    );
  });

  test('ksmtuned gives a reason that is true', () => {
    fc.assert(
      fc.property(cases, ({ chosen, host }) => {
        const { decision } = decide(host, 0, chosen);
        const reserveKb = Number(reserveOf(host.totalKb, chosen));
        if (decision.reason === 'free-below-reserve') assert.ok(host.freeKb < reserveKb, decision.sentence);
        if (decision.reason === 'free-at-reserve') assert.equal(host.freeKb, reserveKb, decision.sentence);
        if (decision.reason === 'committed-above-total') {
          assert.ok(host.committedKb + reserveKb >= host.totalKb, decision.sentence);
        }
      }),
    );
  });

  test('ksmtuned does not blame guests that fit when exactly the reserve is free', () => {
    const { decision } = decide({ totalKb: 16777216, freeKb: 3355443, committedKb: 0 });
    assert.equal(decision.settings.run, 1);
    assert.equal(decision.reason, 'free-at-reserve', decision.sentence);
  });

  test('ksmtuned keeps pages_to_scan within minimum and maximum, whatever the page count was', () => {
    fc.assert(
      fc.property(cases, fc.nat(4294967295), ({ chosen, host }, npages) => {
        const { pagesToScan } = decide(host, npages, { ...KSMTUNED_DEFAULTS, ...chosen }).decision.settings;
        if (pagesToScan === undefined) return;
        assert.ok(pagesToScan >= chosen.pagesMin && pagesToScan <= chosen.pagesMax, String(pagesToScan));
      }),
    );
  });

  test('ksmtuned sleeps a whole number of milliseconds, 10 at least, in proportion to the host', () => {
    fc.assert(
      fc.property(cases, ({ chosen, host }) => {
        const { sleepMillisecs } = decide(host, 0, chosen).decision.settings;
        if (sleepMillisecs === undefined) return;
        const scaled = (BigInt(chosen.sleepMillisecs) * 16777216n) / BigInt(host.totalKb);
        assert.equal(BigInt(sleepMillisecs), scaled > 10n ? scaled : 10n);
      }),
    );
  });

  test('ksmtuned keeps the page count through a stop, and leaves pages and sleep of a stopped ksmd alone', () => {
    fc.assert(
      fc.property(cases, fc.nat(4294967295), ({ chosen, host }, npages) => {
        const { memory, decision } = decide(host, npages, chosen);
        if (decision.reason === 'enough-memory') {
          assert.equal(npagesOf(memory), npages);
          assert.deepEqual(decision.settings, { run: 0 });
        } else {
          assert.equal(npagesOf(memory), decision.settings.pagesToScan);
        }
      }),
    );
  });
});

describe('the kernel and the memory that it is handed', () => {
  const short = { memory: hostOf(16 * GIB_KB, GIB_KB, 15 * GIB_KB) };
  const settings = { pagesToScan: 300, sleepMillisecs: 10, run: 1 } as const;
  const policy = ksmtunedPolicy(KSMTUNED_DEFAULTS);
  const decideOn = (sample: Partial<Parameters<typeof sampleOf>[0]>, memory?: PolicyMemory) =>
    policy.decide(memory, sampleOf({ ...short, ...sample }), [])[1].settings;

  const rows = [
    { name: 'a kernel without the advisor', ksm: IDLE_KSM, expected: settings },
    {
      name: 'a kernel whose advisor is off',
      ksm: { ...IDLE_KSM, advisorMode: 'none' as const },
      expected: { advisorMode: 'none', ...settings },
    },
    {
      name: 'a kernel whose advisor is on',
      ksm: { ...IDLE_KSM, advisorMode: 'scan-time' as const },
      expected: { advisorMode: 'none', ...settings },
    },
  ];
  for (const { name, ksm, expected } of rows) {
    test(`ksmtuned decides on ${name}`, () => {
      assert.deepEqual(decideOn({ ksm }), expected);
    });
  }

  test('ksmtuned without memory of a policy has a page count of 0', () => {
    assert.deepEqual(decideOn({}, undefined), decideOn({}, ksmtunedMemory(0)));
  });
});
