import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { PageHolder } from '../../src/simulation/kernel/pages.js';
import { SharedContents } from '../../src/simulation/kernel/content.js';
import type { ScanRules } from '../../src/simulation/kernel/comparing.js';
import { MEASURED_COSTS } from '../../src/simulation/kernel/costs.js';
import { VirtualGuest } from '../../src/simulation/kernel/guest.js';
import { Scanner } from '../../src/simulation/kernel/scanner.js';
import { type ReferenceGuest, ReferenceKsm } from './simulationReference.js';
import { propertyRuns } from '../support/propertyRuns.js';

/** Both models of ksmd with the same guests. A MiB is one page here. */
class Pair {
  readonly contents = new SharedContents<PageHolder>();
  readonly scanner: Scanner;
  readonly reference: ReferenceKsm;
  readonly guests = new Map<
    string,
    { guest: VirtualGuest; own: number; reference: ReferenceGuest; aligned: boolean }
  >();
  private started = 0;
  private passes = 0;

  constructor(rules: Pick<ScanRules, 'smartScan' | 'checksumFirst'>) {
    this.scanner = new Scanner(this.contents, MEASURED_COSTS, {
      useZeroPages: false,
      maxPageSharing: 256,
      zeroPagesCounted: true,
      ...rules,
    });
    this.reference = new ReferenceKsm(rules.smartScan, rules.checksumFirst);
  }

  start(commonPages: number, ownPages: number): void {
    const name = `guest${(this.started += 1)}`;
    const guest = new VirtualGuest(
      name,
      { commonMiB: commonPages, ownMiB: ownPages, rewrittenMiBPerSecond: 0 },
      { commonMiB: 0, ownMiB: 0 },
      this.contents,
      1,
      { mayHoldGuests: false, splitFreesZeros: false },
    );
    this.scanner.enter(guest);
    guest.fill(guest.pages);
    const common = Array.from({ length: commonPages }, (_, index) => `common ${index}`);
    const own = Array.from({ length: ownPages }, (_, index) => `${name} ${index}`);
    const reference = this.reference.enter(name, [...common, ...own]);
    this.guests.set(name, { guest, own: ownPages, reference, aligned: false });
  }

  stop(index: number): void {
    const [name, found] = [...this.guests][index % Math.max(this.guests.size, 1)] ?? [];
    if (name === undefined || found === undefined) return;
    this.guests.delete(name);
    this.scanner.leave(found.guest);
    this.reference.leave(found.reference);
  }

  align(index: number): void {
    const found = [...this.guests.values()][index % Math.max(this.guests.size, 1)];
    if (found === undefined || found.aligned) return;
    found.aligned = true;
    found.guest.align();
    const contents = Array.from({ length: found.own }, (_, page) => `aligned ${page}`);
    this.reference.rewrite(found.reference, found.reference.pages.length - found.own, contents);
  }

  /** Looks at `pages` pages, or does so many other single things. */
  scan(pages: number): void {
    let left = pages;
    while (left > 0 && !this.scanner.isEmpty) {
      if (this.scanner.atHead) this.scanner.begin();
      const piece = this.scanner.next(0);
      const done = Math.min(left, piece?.pages ?? 1);
      if (piece === undefined) this.passes += 1;
      else piece.scan(done);
      for (let page = 0; page < done; page += 1) this.reference.step();
      left -= done;
    }
  }

  check(): void {
    const { items, unshared, skipped } = this.scanner;
    const { shared, sharing } = this.contents.totals;
    assert.deepEqual({ items, unshared, skipped, shared, sharing, passes: this.passes }, this.reference.counters());
  }
}

const action = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('start' as const), common: fc.nat(6), own: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop' as const), index: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('align' as const), index: fc.nat(20) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('scan' as const), pages: fc.integer({ min: 1, max: 60 }) }) },
);

describe('ksmd in runs of pages', () => {
  test('ksmd in runs of pages counts as the kernel does page by page, whatever guests do meanwhile', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.boolean(),
        fc.array(action, { maxLength: 60, size: 'max' }),
        (smartScan, checksumFirst, actions) => {
          const pair = new Pair({ smartScan, checksumFirst });
          for (const act of actions) {
            if (act.kind === 'start') pair.start(act.common, act.own);
            else if (act.kind === 'scan') pair.scan(act.pages);
            else pair[act.kind](act.index);
            pair.check();
          }
        },
      ),
      propertyRuns(500),
    );
  });
});
