// Empty pages by kernel: what was measured with 384 MiB of them, and what the virtual host makes of it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KsmSettings } from '../../../../src/core/ksm.js';
import type { KernelVersion } from '../../../../src/core/kernelVersion.js';
import { Simulation, fixedPlan } from '../../../../src/simulation/run.js';
import { planFrom } from '../../../support/examples/examples.js';
import { counted, host, mib, passes, set, start } from '../../../support/simulation/simulationPasses.js';

const MIB = 1024 ** 2;
const [V6_1, V6_5] = [of6(1), of6(5)];
const [V6_8, V6_12, V6_18] = [of6(8), of6(12), of6(18)];

function of6(minor: number): KernelVersion {
  return { major: 6, minor };
}

/** At most a fifth off. */
function near(simulated: number, measured: number, what: string): void {
  assert.ok(Math.abs(simulated / measured - 1) <= 0.2, `${what}: ${simulated} simulated, ${measured} measured`);
}

describe('384 MiB of zeros', () => {
  const rows: readonly {
    readonly kernel: KernelVersion;
    readonly useZeroPages: number;
    readonly hugePages?: boolean;
    readonly passes: number;
    /** Memory freed, and what of it the counters show and run=2 gives back, in MiB. */
    readonly freed: number;
    readonly sharing?: number;
    readonly zero?: number;
  }[] = [
    // 8 MiB in the four passes after the first, which takes the checksums.
    { kernel: V6_12, useZeroPages: 0, passes: 5, freed: 8 },
    { kernel: V6_18, useZeroPages: 0, passes: 5, freed: 8 },
    { kernel: V6_12, useZeroPages: 1, passes: 2, freed: 375 },
    { kernel: V6_18, useZeroPages: 1, passes: 2, freed: 375 },
    { kernel: V6_12, useZeroPages: 0, hugePages: false, passes: 3, freed: 356, sharing: 356 },
    { kernel: V6_12, useZeroPages: 1, hugePages: false, passes: 3, freed: 356, zero: 356 },
    { kernel: V6_8, useZeroPages: 0, passes: 3, freed: 356, sharing: 356 },
    { kernel: V6_8, useZeroPages: 1, passes: 3, freed: 356, zero: 356 },
    { kernel: V6_1, useZeroPages: 0, passes: 3, freed: 356, sharing: 356 },
    { kernel: V6_5, useZeroPages: 0, passes: 3, freed: 356, sharing: 356 },
    { kernel: V6_1, useZeroPages: 1, passes: 3, freed: 356 },
    { kernel: V6_5, useZeroPages: 1, passes: 3, freed: 356 },
  ];
  for (const { kernel, useZeroPages, hugePages = true, passes: count, freed, sharing, zero } of rows) {
    const name = `Linux ${kernel.major}.${kernel.minor}, use_zero_pages=${useZeroPages}${hugePages ? '' : ', no huge pages'}`;
    test(`384 MiB of zeros are ${freed} MiB less after ${count} passes (${name})`, () => {
      const made = host([{ zeroMiB: 384 }], { useZeroPages, smartScan: 0 }, kernel, hugePages);
      const { pagesSharing, ksmZeroPages = 0 } = passes(made, count);
      near(made.savedBytes / MIB, freed, 'MiB freed');
      if (sharing === undefined) assert.equal(pagesSharing, 0);
      else near(pagesSharing / mib(1), sharing, 'MiB sharing');
      if (zero === undefined) assert.equal(ksmZeroPages, 0);
      else near(ksmZeroPages / mib(1), zero, 'MiB of ksm_zero_pages');
      set(made, { run: 2 });
      const left = made.savedBytes / MIB;
      if (sharing === undefined && zero === undefined) near(left, freed, 'MiB that run=2 does not give back');
      else assert.equal(left, 0);
    });
  }

  test('384 MiB of zeros are 384 pages shared and 97920 sharing after two passes of Linux 6.1: a page takes 256 users', () => {
    const { pagesShared, pagesSharing } = passes(host([{ zeroMiB: 384 }], {}, V6_1), 2);
    assert.deepEqual([pagesShared, pagesSharing], [384, 97920]);
  });
});

describe('zeros in huge pages of Linux 6.12, before what else there is', () => {
  const contents = [{ zeroMiB: 384 }, { commonMiB: 64, ownMiB: 32 }, { commonMiB: 64, ownMiB: 32 }];
  const settings = { smartScan: 0 };

  test('zeros in huge pages keep everything from merging with use_zero_pages=0, and free a huge page a pass', () => {
    const made = host(contents, settings, V6_12);
    passes(made, 2);
    for (const freedMiB of [4, 6, 8]) {
      const { pagesShared, pagesUnshared = NaN, pagesVolatile = NaN } = passes(made, 1);
      assert.deepEqual([pagesShared, pagesUnshared], [0, 0]);
      assert.ok(pagesVolatile > mib(384 + 192 - 10));
      assert.equal(made.savedBytes, freedMiB * MIB);
    }
  });

  test('zeros in huge pages keep everything else from merging for one more pass with use_zero_pages=1', () => {
    const made = host(contents, { ...settings, useZeroPages: 1 }, V6_12);
    assert.deepEqual(counted(passes(made, 2)).slice(0, 3), [0, 0, 0]);
    assert.equal(made.savedBytes, 384 * MIB);
    assert.deepEqual(counted(passes(made, 1)), [64, 64, 64, 0]);
    assert.equal(made.savedBytes, (384 + 64) * MIB);
  });

  test('zeros keep nothing else from merging on a kernel before 6.12, or when nothing is in huge pages', () => {
    for (const made of [host(contents, settings, V6_8), host(contents, settings, V6_12, false)]) {
      assert.deepEqual(counted(passes(made, 2)), [64 + 1.5, 64 + 382.5, 64, 0]);
    }
  });

  test('zeros in huge pages keep nothing else from merging when much of it is in the unstable tree already', () => {
    const [zeros, ...others] = contents;
    const made = host([...others, ...(zeros === undefined ? [] : [zeros])], settings, V6_12);
    passes(made, 3);
    assert.equal(made.savedBytes, (64 + 4) * MIB);
  });

  test('zeros in huge pages are gone at once when an empty page is shared already', () => {
    const made = host([{ zeroMiB: 2, rewrittenZeroMiBPerSecond: 1 }], { ...settings, useZeroPages: 0 }, V6_12);
    // Split and freed, the first guest's zeros are written to: in pages for themselves they are merged.
    passes(made, 8);
    assert.ok(made.ksmd.contents.totals.shared > 0);
    start(made, 'late', { zeroMiB: 384 });
    passes(made, 3);
    assert.ok(made.savedBytes >= 384 * MIB);
  });
});

describe('a guest that empties its pages over and over', () => {
  const content = { zeroMiB: 64, rewrittenZeroMiBPerSecond: 16 };
  for (const [kernel, useZeroPages] of [
    [V6_1, 1],
    [V6_8, 1],
    [V6_18, 0],
    [V6_18, 1],
  ] as const) {
    test(`what a guest emptied stays in memory until ksmd has come by (Linux 6.${kernel.minor}, use_zero_pages=${useZeroPages})`, () => {
      const made = host([content], { useZeroPages, sleepMillisecs: 500 }, kernel);
      passes(made, 20);
      const saved = Array.from({ length: 8 }, () => {
        made.advanceTo(made.nowMillis + 700);
        return made.savedBytes / MIB;
      });
      // It empties 16 MiB at each full second, and ksmd needs a pass or two to find them again.
      assert.ok(Math.max(...saved) > 64 - 0.5 && Math.min(...saved) < 64 - 15, `${saved.join()} MiB`);
      assert.ok(Math.min(...saved) >= 64 - 3 * 16 - 1, `${saved.join()} MiB`);
    });
  }

  test('a guest that empties its pages takes what it emptied with it when it ends', () => {
    const made = host([content], { useZeroPages: 1 }, V6_18);
    passes(made, 5);
    made.take({ kind: 'stop', guest: 'guest1' }, true);
    assert.equal(made.savedBytes, 0);
    made.advanceTo(made.nowMillis + 2000);
    assert.equal(made.ksmd.bookkeepingBytes, 0);
  });
});

describe('a sample of the virtual host', () => {
  const of = (settings: KsmSettings, kernel: KernelVersion, hugePages = true) => {
    const made = host([{ zeroMiB: 64 }], settings, kernel, hugePages);
    passes(made, 3);
    return made;
  };

  test('a sample of the virtual host has the kernel, and whether its splits free zeros that guests may have', () => {
    const told = (kernel: KernelVersion, hugePages: boolean) => {
      const { kernel: version, hugePages: found } = of({}, kernel, hugePages).sample();
      return [version, found];
    };
    assert.deepEqual(told(V6_18, true), [V6_18, { mayHoldGuests: true, splitFreesZeros: true }]);
    assert.deepEqual(told(V6_8, true), [V6_8, { mayHoldGuests: true, splitFreesZeros: false }]);
    assert.deepEqual(told(V6_18, false), [V6_18, { mayHoldGuests: false, splitFreesZeros: true }]);
  });

  test('a sample of the virtual host has what splits freed, which is in no counter', () => {
    const seen: (number | undefined)[] = [];
    const plan = fixedPlan({ run: 1, pagesToScan: 1e6, useZeroPages: 1 });
    const simulation = new Simulation({ memoryMiB: 1024 }, (retune) => {
      if ('decision' in retune) seen.push(retune.sample.freedBySplits?.bytes);
    });
    simulation.take(
      { kind: 'start', guest: 'a', content: { commonMiB: 0, ownMiB: 4, zeroMiB: 64, rewrittenMiBPerSecond: 0 } },
      true,
    );
    simulation.start({ ...plan, intervalMillis: 60_000 });
    simulation.pass(130_000);
    assert.deepEqual([seen[0], seen.at(-1)], [0, 64 * MIB]);
    assert.equal(simulation.host.savedBytes, 64 * MIB);
  });

  test('a sample of the virtual host lets every policy set use_zero_pages where it matters', () => {
    for (const policy of ['ksmtuned', 'adaptive', 'advisor']) {
      const simulation = new Simulation({ memoryMiB: 2048 });
      for (const guest of ['a', 'b']) {
        const content = { zeroMiB: 384, commonMiB: 256, ownMiB: 64, rewrittenMiBPerSecond: 0 };
        simulation.take({ kind: 'start', guest, content }, true);
      }
      simulation.start(planFrom({ KSM_POLICY: policy, KSM_WHEN: 'always' }));
      simulation.pass(1_200_000);
      assert.ok(
        simulation.host.savedBytes >= 0.99 * (2 * 384 + 256) * MIB,
        `${policy}: ${simulation.host.savedBytes / MIB} MiB`,
      );
    }
  });
});
