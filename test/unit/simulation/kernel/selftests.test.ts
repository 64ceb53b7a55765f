// The counts that the kernel's own tests expect (tools/testing/selftests/mm/ksm_tests.c, ksm_functional_tests.c).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KsmState } from '../../../../src/core/ksm.js';
import { host, mib, passes } from '../../../support/simulation/simulationPasses.js';

/** A page in MiB. */
const PAGE = 1 / mib(1);

/** After so many passes that nothing changes any more. */
function settled(contents: Parameters<typeof host>[0], settings: Parameters<typeof host>[1]): KsmState {
  return passes(host(contents, settings, undefined, false), 6);
}

describe('ksm_tests -M: equal pages, of which max_page_sharing may be one', () => {
  for (const most of [256, 10]) {
    for (const pages of [2, 10, 255, 256, 257, 512]) {
      const full = Math.floor(pages / most);
      const shared = pages % most > 1 ? full + 1 : full;
      const sharing = pages % most > 1 ? pages - shared : full * (most - 1);
      test(`ksm_tests -M with ${pages} equal pages, ${most}: ${shared} shared, ${sharing} sharing`, () => {
        const alike = Array.from({ length: pages }, () => ({ commonMiB: PAGE }));
        const { pagesShared, pagesSharing } = settled(alike, { maxPageSharing: most });
        assert.deepEqual({ pagesShared, pagesSharing }, { pagesShared: shared, pagesSharing: sharing });
      });
    }
  }
});

describe('ksm_tests -Z: zero pages', () => {
  for (const [useZeroPages, counts] of [
    [0, { pagesShared: 1, pagesSharing: 9, ksmZeroPages: 0 }],
    [1, { pagesShared: 0, pagesSharing: 0, ksmZeroPages: 10 }],
  ] as const) {
    test(`ksm_tests -Z: zero pages merge as the kernel does it with use_zero_pages=${useZeroPages}`, () => {
      const { pagesShared, pagesSharing, ksmZeroPages } = settled([{ zeroMiB: 10 * PAGE }], { useZeroPages });
      assert.deepEqual({ pagesShared, pagesSharing, ksmZeroPages }, counts);
    });
  }
});
