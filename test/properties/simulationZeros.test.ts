// Empty pages in huge pages: the simulation's rule for the unstable tree's lost nodes against the tree itself.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { PageHolder } from '../../src/simulation/kernel/pages.js';
import { SharedContents } from '../../src/simulation/kernel/content.js';
import { MEASURED_COSTS } from '../../src/simulation/kernel/costs.js';
import { VirtualGuest } from '../../src/simulation/kernel/guest.js';
import { Scanner } from '../../src/simulation/kernel/scanner.js';
import { type ZeroPage, ZeroReference } from './simulationZeroReference.js';
import { propertyRuns } from '../support/propertyRuns.js';

const PAGES_PER_MIB = 16;
const HUGE_PAGE_PAGES = 2 * PAGES_PER_MIB;

interface Guest {
  readonly commonMiB: number;
  readonly zeroMiB: number;
  readonly ownMiB: number;
}

const guests: fc.Arbitrary<readonly Guest[]> = fc.array(
  fc.record({ commonMiB: fc.nat(6), zeroMiB: fc.nat(9), ownMiB: fc.nat(4) }),
  { minLength: 1, maxLength: 4 },
);

/** Contents compare by chance. */
function contentOf(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

function reference(of: readonly Guest[], useZeroPages: boolean, hugePages: boolean): ZeroReference {
  let block = 0;
  const pages = of.flatMap(({ commonMiB, zeroMiB, ownMiB }, guest) => {
    const area = (mebibytes: number, content: (page: number) => string): ZeroPage[] => {
      const first = block;
      block += Math.ceil(mebibytes / 2);
      return Array.from({ length: mebibytes * PAGES_PER_MIB }, (_, page) => {
        const huge = hugePages ? first + Math.trunc(page / HUGE_PAGE_PAGES) : undefined;
        return {
          content: content(page),
          huge,
          freed: false,
          zeroed: false,
          checksum: undefined,
          shared: false,
        };
      });
    };
    return [
      ...area(commonMiB, (page) => contentOf(`common ${page}`)),
      ...area(zeroMiB, () => ''),
      ...area(ownMiB, (page) => contentOf(`own ${guest} ${page}`)),
    ];
  });
  return new ZeroReference(pages, useZeroPages);
}

class Simulated {
  readonly contents = new SharedContents<PageHolder>();
  readonly scanner: Scanner;

  constructor(of: readonly Guest[], useZeroPages: boolean, hugePages: boolean) {
    const rules = { smartScan: false, maxPageSharing: 1e9, checksumFirst: true, zeroPagesCounted: true };
    this.scanner = new Scanner(this.contents, MEASURED_COSTS, { ...rules, useZeroPages });
    for (const [index, content] of of.entries()) {
      const guest = new VirtualGuest(
        `guest${index}`,
        { ...content, rewrittenMiBPerSecond: 0 },
        { commonMiB: 0, ownMiB: 0 },
        this.contents,
        PAGES_PER_MIB,
        { mayHoldGuests: hugePages, splitFreesZeros: true },
      );
      this.scanner.enter(guest);
      guest.fill(guest.pages);
    }
  }

  get savedPages(): number {
    return this.contents.totals.saved + this.scanner.zeroPages + this.scanner.freedPages;
  }

  pass(): void {
    this.scanner.begin();
    for (let piece = this.scanner.next(0); piece !== undefined; piece = this.scanner.next(0)) piece.scan(piece.pages);
  }
}

/** The pages that a lost node keeps out of a tree with others in it, which the simulation lets in: at most this share of all. */
const NEGLECTED_SHARE = 0.1;

describe('empty pages in huge pages (Linux 6.12)', () => {
  test('empty pages in huge pages are freed, and keep others out of the unstable tree, as page by page', () => {
    fc.assert(
      fc.property(guests, fc.boolean(), fc.boolean(), (of, useZeroPages, hugePages) => {
        const [fast, slow] = [new Simulated(of, useZeroPages, hugePages), reference(of, useZeroPages, hugePages)];
        const all = slow.pages.length;
        for (let pass = 1; pass <= 6; pass += 1) {
          fast.pass();
          slow.pass();
          const savedOff = Math.abs(fast.savedPages - slow.savedPages);
          assert.ok(
            savedOff <= 1 + 0.02 * all,
            `pass ${pass}: ${fast.savedPages} pages saved, ${slow.savedPages} page by page`,
          );
          const unsharedOff = Math.abs(fast.scanner.unshared - slow.unsharedPages);
          assert.ok(
            unsharedOff <= 1 + NEGLECTED_SHARE * all,
            `pass ${pass}: ${fast.scanner.unshared} pages unshared, ${slow.unsharedPages} page by page`,
          );
        }
      }),
      propertyRuns(300),
    );
  });
});
