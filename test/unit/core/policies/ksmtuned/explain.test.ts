import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { KEYS } from '../../../../../src/config/keys.js';
import type { Decision } from '../../../../../src/core/decision.js';
import { formatBytes } from '../../../../../src/core/format.js';
import { freedBySplitsOf } from '../../../../../src/core/freedBySplits.js';
import { ksmtunedPolicy } from '../../../../../src/core/policies/ksmtuned/policy.js';
import { type KsmtunedOptions } from '../../../../../src/core/policies/ksmtuned/options.js';
import {
  IDLE_KSM,
  KSMTUNED_DEFAULTS,
  hostOf,
  sampleOf,
  ksmtunedMemory,
} from '../../../../support/examples/examples.js';
import { type Host, cases, reserveOf } from '../../../../support/examples/ksmtunedCases.js';

const MIB_KB = 1024;
const GIB_KB = 1024 ** 2;

function decide(
  { totalKb, freeKb, committedKb }: Host,
  options: KsmtunedOptions = KSMTUNED_DEFAULTS,
  npages = 0,
): Decision {
  const sample = sampleOf({ memory: hostOf(totalKb, freeKb, committedKb) });
  return ksmtunedPolicy(options).decide(ksmtunedMemory(npages), sample, [])[1];
}

function workingOf(...parameters: Parameters<typeof decide>): NonNullable<Decision['working']> {
  const { working } = decide(...parameters);
  assert.ok(working);
  return working;
}

/** Terms by their names. */
function termsOf(...parameters: Parameters<typeof decide>): Record<string, number> {
  return Object.fromEntries(workingOf(...parameters).terms.map(({ name, value }) => [name, value]));
}

describe('the terms', () => {
  test('the terms of ksmtuned’s explanation are the figures that decided, and with them the decision can be done again', () => {
    fc.assert(
      fc.property(cases, fc.nat(10_000), ({ chosen, host }, npages) => {
        const { settings, reason } = decide(host, chosen, npages);
        const terms = termsOf(host, chosen, npages);
        const { total = 0, free = 0, guests = 0, reserve = 0 } = terms;
        assert.deepEqual(
          [total, free, guests],
          [host.totalKb, host.freeKb, host.committedKb].map((kb) => kb * 1024),
        );
        assert.equal(reserve, Number(reserveOf(host.totalKb, chosen)) * 1024);
        assert.equal(reason === 'enough-memory', guests + reserve < total && free > reserve);
        assert.equal('step' in terms, settings.run === 1);
        if (settings.run !== 1) return;
        const wanted = npages + (terms['step'] ?? 0);
        assert.equal(settings.pagesToScan, Math.min(Math.max(wanted, chosen.pagesMin), chosen.pagesMax));
        assert.equal(terms['step'], free < reserve ? chosen.pagesBoost : chosen.pagesDecay);
        assert.equal(terms['sleep'], settings.sleepMillisecs);
      }),
    );
  });

  test('the terms of ksmtuned’s explanation end with what merging gave back, by its kinds, whether it goes on or not', () => {
    const savings = (freeKb: number, committedKb: number) => {
      const ksm = { ...IDLE_KSM, pagesShared: 1, pagesSharing: 256, ksmZeroPages: 512 };
      const accounts = new Map([['a', { freedBytes: 4 * GIB_KB, returnedBytes: 0 }]]);
      const reading = { guests: new Map<string, never>(), splitBytes: 0, zeroBytes: 0 };
      const freedBySplits = freedBySplitsOf({ accounts, reading, splitCreditBytes: 0 });
      const sample = sampleOf({ memory: hostOf(16 * GIB_KB, freeKb, committedKb), ksm, freedBySplits });
      const [, { working }] = ksmtunedPolicy(KSMTUNED_DEFAULTS).decide(undefined, sample, []);
      return working?.terms.slice(-3).map(({ name, value }) => [name, value / GIB_KB]);
    };
    const kinds = [
      ['shared', 1],
      ['zero pages', 2],
      ['freed', 4],
    ];
    assert.deepEqual(savings(0, 15 * GIB_KB), kinds);
    assert.deepEqual(savings(12 * GIB_KB, 2 * GIB_KB), kinds);
  });

  test('the terms of ksmtuned’s explanation say the key that a step comes from, also where both are alike', () => {
    const options = { ...KSMTUNED_DEFAULTS, pagesBoost: 5, pagesDecay: 5 };
    const sourceOf = (freeKb: number) =>
      workingOf({ totalKb: 16 * GIB_KB, freeKb, committedKb: 15 * GIB_KB }, options).terms.find(
        ({ name }) => name === 'step',
      )?.source;
    assert.deepEqual([sourceOf(0), sourceOf(8 * GIB_KB)], ['KSM_NPAGES_BOOST', 'KSM_NPAGES_DECAY']);
  });
});

describe('the comparisons', () => {
  const rows: { name: string; host: Host; npages?: number; lines: readonly string[] }[] = [
    {
      name: 'enough',
      host: { totalKb: 16 * GIB_KB, freeKb: 8 * GIB_KB, committedKb: 6 * GIB_KB },
      lines: [
        'guests 6.0 GiB + reserve 3.2 GiB = 9.2 GiB < total 16.0 GiB: they fit',
        'free 8.0 GiB > reserve 3.2 GiB: memory is not short',
      ],
    },
    {
      name: 'short, with the pace',
      host: { totalKb: 16 * GIB_KB, freeKb: GIB_KB, committedKb: 15 * GIB_KB },
      npages: 1100,
      lines: [
        'guests 15.0 GiB + reserve 3.2 GiB = 18.2 GiB > total 16.0 GiB: they do not fit',
        'free 1.0 GiB < reserve 3.2 GiB: memory is short',
        '1100 + 300 = 1400 pages, kept between 64 and 1250: 1250',
      ],
    },
    {
      name: 'both by little, with as many decimals as tell them apart',
      host: { totalKb: 16 * GIB_KB, freeKb: 3355443 - 2458, committedKb: 13421772 - 2458 },
      lines: [
        'guests 12.798 GiB + reserve 3.200 GiB = 15.998 GiB < total 16.000 GiB: they fit',
        'free 3.198 GiB < reserve 3.200 GiB: memory is short',
        '0 + 300 = 300 pages, kept between 64 and 1250: 300',
      ],
    },
    {
      name: 'just at both',
      host: { totalKb: 1000, freeKb: 200, committedKb: 800 },
      npages: 100,
      lines: [
        'guests 800.0 KiB + reserve 200.0 KiB = 1000.0 KiB = total 1000.0 KiB: they do not fit',
        'free 200.0 KiB = reserve 200.0 KiB: just the reserve is free',
        '100 - 50 = 50 pages, kept between 64 and 1250: 64',
      ],
    },
  ];
  for (const { name, host, npages, lines } of rows) {
    test(`the comparisons of ksmtuned’s explanation: ${name}`, () => {
      const options = { ...KSMTUNED_DEFAULTS, thresholdBytes: 0 };
      assert.deepEqual(workingOf(host, options, npages).comparisons, lines);
    });
  }
});

describe('what would change it', () => {
  const total = 16 * GIB_KB;
  const rows: { name: string; host: Host; options?: Partial<KsmtunedOptions>; change: string }[] = [
    {
      name: 'one more guest, of a size that there is',
      host: { totalKb: total, freeKb: 5 * GIB_KB, committedKb: 6 * GIB_KB },
      change: 'guests may use 1.8 GiB more: start one more 2 GiB guest that uses its memory, and merging begins',
    },
    {
      name: 'a small one',
      host: { totalKb: total, freeKb: Math.trunc(total / 5) + MIB_KB, committedKb: 0 },
      change: 'guests may use 1.0 MiB more: start one more 256 MiB guest that uses its memory, and merging begins',
    },
    {
      name: 'more free, where the guests fit',
      host: { totalKb: total, freeKb: GIB_KB, committedKb: 2 * GIB_KB },
      change: 'merging stops when 2.2 GiB more are free, which merging itself may bring about',
    },
    {
      name: 'fewer guests, where only they are too many',
      host: { totalKb: total, freeKb: 8 * GIB_KB, committedKb: 14 * GIB_KB },
      change: 'merging stops when guests use 1.2 GiB less; merged pages count as used, so guests must end or shrink',
    },
    {
      name: 'both',
      host: { totalKb: total, freeKb: GIB_KB, committedKb: 14 * GIB_KB },
      change:
        'merging stops when guests use 1.2 GiB less and 2.2 GiB more are free; merged pages count as used, so guests must end or shrink',
    },
    {
      name: 'the key, where memory is enough and it merges anyway',
      host: { totalKb: total, freeKb: 8 * GIB_KB, committedKb: 0 },
      options: { when: 'always' },
      change: 'with KSM_WHEN=needed merging would stop now',
    },
    {
      name: 'nothing',
      host: { totalKb: total, freeKb: 0, committedKb: 0 },
      options: { when: 'always' },
      change: 'nothing: with KSM_WHEN=always it never stops',
    },
  ];
  for (const { name, host, options, change } of rows) {
    test(`what would change the decision of ksmtuned: ${name}`, () => {
      assert.equal(workingOf(host, { ...KSMTUNED_DEFAULTS, ...options }).change, change);
    });
  }

  test('what would begin the merging is true to the kB: a guest that uses so much more, and not one kB less', () => {
    fc.assert(
      fc.property(cases, ({ chosen, host }) => {
        const { reason, working } = decide(host, chosen);
        if (reason !== 'enough-memory') return;
        const reserveKb = Number(reserveOf(host.totalKb, chosen));
        const neededKb = Math.min(host.totalKb - host.committedKb - reserveKb, host.freeKb - reserveKb);
        assert.ok(working?.change?.startsWith(`guests may use ${formatBytes(neededKb * 1024)} more`), working?.change);
        const grownBy = (kb: number) =>
          decide({ ...host, committedKb: host.committedKb + kb, freeKb: host.freeKb - kb }, chosen).settings.run;
        assert.deepEqual([grownBy(neededKb), grownBy(neededKb - 1)], [1, 0]);
      }),
    );
  });

  test('what would end the merging is true: both figures moved by so much end it', () => {
    fc.assert(
      fc.property(cases, ({ chosen, host }) => {
        const { settings } = decide(host, chosen);
        const reserveKb = Number(reserveOf(host.totalKb, chosen));
        // Where the reserve is all of memory nothing ends it.
        if (settings.run !== 1 || reserveKb >= host.totalKb) return;
        const lessKb = Math.max(host.committedKb + reserveKb - host.totalKb + 1, 0);
        const moreKb = Math.max(reserveKb - host.freeKb + 1, 0);
        const { change = '' } = workingOf(host, chosen);
        for (const kb of [lessKb, moreKb]) if (kb > 0) assert.ok(change.includes(formatBytes(kb * 1024)), change);
        const moved = { ...host, committedKb: host.committedKb - lessKb, freeKb: host.freeKb + moreKb };
        assert.equal(decide(moved, chosen).settings.run, 0);
      }),
    );
  });
});

test('the keys of ksmtuned’s explanation are keys, those of the pace only where there is one', () => {
  const resting = workingOf({ totalKb: 16 * GIB_KB, freeKb: 8 * GIB_KB, committedKb: 0 }).keys;
  const merging = workingOf({ totalKb: 16 * GIB_KB, freeKb: 0, committedKb: 0 }).keys;
  for (const key of merging) assert.ok(Object.hasOwn(KEYS, key), key);
  assert.deepEqual(
    merging.filter((key) => !resting.includes(key)),
    ['KSM_NPAGES_BOOST', 'KSM_NPAGES_DECAY', 'KSM_NPAGES_MIN', 'KSM_NPAGES_MAX', 'KSM_SLEEP_MSEC'],
  );
});

test('a reserve of half of memory or more is explained as KSM_WHEN=always', () => {
  const host = { totalKb: 16 * GIB_KB, freeKb: GIB_KB, committedKb: 2 * GIB_KB };
  const lines = (thresholdPercent: number) => workingOf(host, { ...KSMTUNED_DEFAULTS, thresholdPercent }).comparisons;
  assert.ok(lines(50).includes('KSM_THRES_COEF=50 merges until 50 % of memory is free: in effect always'));
  assert.ok(!lines(49).some((line) => line.includes('in effect always')));
});
