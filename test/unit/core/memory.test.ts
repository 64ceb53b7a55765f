import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Guest } from '../../../src/core/guest.js';
import {
  type HostMemory,
  type MemoryAccounting,
  type MemoryFigures,
  estimatedProportionalBytes,
  hostMemory,
} from '../../../src/core/memory.js';

const GIB = 1024 ** 3;
const GUESTS: readonly Guest[] = [
  { name: 'a', residentBytes: 3 * GIB, configuredBytes: 8 * GIB },
  { name: 'b', residentBytes: GIB, configuredBytes: 8 * GIB },
];

/** A host of 32 GiB with 10 GiB in each of MemFree and the page cache. */
function figures(parts: Partial<MemoryFigures> = {}): MemoryFigures {
  return {
    memTotalBytes: 32 * GIB,
    memFreeBytes: 10 * GIB,
    memAvailableBytes: 19 * GIB,
    buffersBytes: GIB,
    cachedBytes: 9 * GIB,
    shmemBytes: 0,
    swapTotalBytes: 8 * GIB,
    swapFreeBytes: 8 * GIB,
    hugetlbBytes: 0,
    reclaimableArcBytes: 0,
    ...parts,
  };
}

describe('hostMemory', () => {
  const rows: {
    name: string;
    parts?: Partial<MemoryFigures>;
    legacy: Omit<HostMemory, 'committedBytes'>;
    corrected: Omit<HostMemory, 'committedBytes'>;
  }[] = [
    {
      name: 'a plain host is the same to legacy and corrected accounting',
      legacy: { totalBytes: 32 * GIB, freeBytes: 20 * GIB },
      corrected: { totalBytes: 32 * GIB, freeBytes: 20 * GIB },
    },
    {
      name: 'hugepage pools are no part of the total',
      parts: { hugetlbBytes: 12 * GIB },
      legacy: { totalBytes: 32 * GIB, freeBytes: 20 * GIB },
      corrected: { totalBytes: 20 * GIB, freeBytes: 20 * GIB },
    },
    {
      name: "ZFS's reclaimable ARC is free",
      parts: { reclaimableArcBytes: 5 * GIB },
      legacy: { totalBytes: 32 * GIB, freeBytes: 20 * GIB },
      corrected: { totalBytes: 32 * GIB, freeBytes: 25 * GIB },
    },
    {
      name: 'shared memory is not free although it is counted as cached',
      parts: { shmemBytes: 4 * GIB },
      legacy: { totalBytes: 32 * GIB, freeBytes: 20 * GIB },
      corrected: { totalBytes: 32 * GIB, freeBytes: 16 * GIB },
    },
    {
      name: 'more shared memory than page cache takes nothing from MemFree',
      parts: { shmemBytes: 30 * GIB },
      legacy: { totalBytes: 32 * GIB, freeBytes: 20 * GIB },
      corrected: { totalBytes: 32 * GIB, freeBytes: 10 * GIB },
    },
    {
      name: 'a host that is all hugepages has a total that can be divided by',
      parts: { hugetlbBytes: 32 * GIB },
      legacy: { totalBytes: 32 * GIB, freeBytes: 20 * GIB },
      corrected: { totalBytes: 1024, freeBytes: 20 * GIB },
    },
    {
      name: 'hugepages beyond the total (a figure read in between) leave one to divide by',
      parts: { hugetlbBytes: 33 * GIB },
      legacy: { totalBytes: 32 * GIB, freeBytes: 20 * GIB },
      corrected: { totalBytes: 1024, freeBytes: 20 * GIB },
    },
    {
      name: 'swap and MemAvailable do not count',
      parts: { swapTotalBytes: 0, swapFreeBytes: 0, memAvailableBytes: 0 },
      legacy: { totalBytes: 32 * GIB, freeBytes: 20 * GIB },
      corrected: { totalBytes: 32 * GIB, freeBytes: 20 * GIB },
    },
  ];
  for (const { name, parts, legacy, corrected } of rows) {
    test(`the host’s memory: ${name}`, () => {
      const committedBytes = 4 * GIB;
      assert.deepEqual(hostMemory(figures(parts), GUESTS, 'legacy'), { ...legacy, committedBytes });
      assert.deepEqual(hostMemory(figures(parts), GUESTS, 'corrected'), { ...corrected, committedBytes });
    });
  }

  test('pss accounting counts the guests by their PSS, and by what is resident where their PSS is unknown', () => {
    const corrected = hostMemory(figures({ hugetlbBytes: GIB, shmemBytes: GIB }), GUESTS, 'corrected');
    const proportional = new Map([['a', 2 * GIB]]);
    const pss = hostMemory(figures({ hugetlbBytes: GIB, shmemBytes: GIB }), GUESTS, 'pss', proportional);
    assert.deepEqual(pss, { ...corrected, committedBytes: 3 * GIB });
    assert.equal(hostMemory(figures(), GUESTS, 'corrected', proportional).committedBytes, 4 * GIB);
  });

  test('on a host without guests nothing is committed', () => {
    for (const accounting of ['legacy', 'corrected', 'pss'] as const) {
      assert.equal(hostMemory(figures(), [], accounting).committedBytes, 0);
    }
  });

  test('the host’s memory has whole kB above 0 as total and nothing negative, whatever the figures', () => {
    const bytes = fc.nat(2 ** 36).map((kb) => kb * 1024);
    const any = fc.record({
      memTotalBytes: bytes.map((each) => each + 1024),
      memFreeBytes: bytes,
      buffersBytes: bytes,
      cachedBytes: bytes,
      shmemBytes: bytes,
      swapTotalBytes: bytes,
      swapFreeBytes: bytes,
      hugetlbBytes: bytes,
      reclaimableArcBytes: bytes,
    });
    const accounting = fc.constantFrom<MemoryAccounting[]>('legacy', 'corrected', 'pss');
    fc.assert(
      fc.property(any, accounting, (chosen, how) => {
        const { totalBytes, freeBytes, committedBytes } = hostMemory(chosen, GUESTS, how);
        assert.ok(totalBytes >= 1024 && totalBytes % 1024 === 0, String(totalBytes));
        assert.ok(freeBytes >= chosen.memFreeBytes, String(freeBytes));
        assert.equal(committedBytes, 4 * GIB);
      }),
    );
  });
});

test('the estimated PSS of all guests is what they have in memory less what merging saves', () => {
  // Three guests with 100 pages in common, and two of them with 50 more.
  const ksm = { pagesShared: 150, pagesSharing: 250 };
  const estimated = [150, 150, 100].map((merged) => estimatedProportionalBytes(GIB, merged * 4096, ksm));
  assert.deepEqual(estimated, [GIB - 93.75 * 4096, GIB - 93.75 * 4096, GIB - 62.5 * 4096]);
  const sum = estimated.reduce((all, bytes) => all + bytes, 0);
  assert.equal(sum, 3 * GIB - ksm.pagesSharing * 4096);
  assert.equal(estimatedProportionalBytes(GIB, 0, { pagesShared: 0, pagesSharing: 0 }), GIB);
  assert.equal(estimatedProportionalBytes(4096, GIB, ksm), 0, 'figures that were read one after another');
});
