import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Approach,
  isOnTheWay,
  lookAtApproach,
  nextApproach,
} from '../../../../../src/core/policies/adaptive/approach.js';
import type { Mark } from '../../../../../src/core/policies/shared/progress.js';
import { GIB, MIB, type PolicyHost, guestOf, started, watching } from '../../../../support/policies/policyHost.js';
import { markWith } from '../../../../support/policies/policyMark.js';

/** ksmd knows a million pages. */
const BEGIN = markWith({ pagesSeen: 1_000_000 });
const approach = (at: Approach['at'] = 'known'): Approach => ({ begin: BEGIN, at });
const later = (visited: number, parts: Partial<Mark> = {}) =>
  markWith({ pagesSeen: 1_000_000, monotonicMillis: 1000, pagesVisited: visited, ...parts });

describe('on the way to guests that fill their memory, ksmd', () => {
  const rows: { name: string; now: Mark; before?: Approach; isBusy?: boolean; at: Approach['at'] }[] = [
    { name: 'is fast over what it knows', now: later(899_999), at: 'known' },
    { name: 'is slow at the end of the lap', now: later(900_000), at: 'slow' },
    {
      name: 'stops where pages come that it does not know',
      now: later(500_000, { pagesSeen: 1_001_024 }),
      at: 'there',
    },
    { name: 'goes on when there are only a few of them', now: later(500_000, { pagesSeen: 1_001_023 }), at: 'known' },
    { name: 'stops after a lap in which there are none', now: later(1_050_000), at: 'there' },
    { name: 'stays there', now: later(0), before: approach('there'), at: 'there' },
    { name: 'waits while the CPUs are busy', now: later(1), isBusy: true, at: 'busy' },
    { name: 'goes on after that', now: later(1), before: approach('busy'), at: 'known' },
    {
      name: 'stays there while the CPUs are busy',
      now: later(0),
      before: approach('there'),
      isBusy: true,
      at: 'there',
    },
  ];
  for (const { name, now, before = approach(), isBusy = false, at } of rows) {
    test(name, () => {
      const next = nextApproach(before, now, isBusy);
      assert.deepEqual([next.at, next.begin], [at, BEGIN]);
      assert.equal(isOnTheWay(next), at === 'known' || at === 'slow');
    });
  }

  test('is looked at where it must become slow', () => {
    // 900,000 pages at 1000 in a millisecond, of which 800,000 are done.
    assert.equal(lookAtApproach(approach(), later(800_000, { monotonicMillis: 800 })), 100);
    assert.equal(lookAtApproach(approach(), later(700_000, { monotonicMillis: 700 })), 200);
    assert.equal(lookAtApproach(approach(), later(100_000, { monotonicMillis: 100 })), 250);
    assert.equal(lookAtApproach(approach(), later(0)), 100);
    assert.equal(lookAtApproach(approach('slow'), later(1)), 100);
  });
});

describe('while a guest fills its memory', () => {
  const four = { a: GIB, b: GIB, c: GIB, d: GIB };
  const comes = (host: PolicyHost, configuredBytes = 4 * GIB) => {
    const guests = Object.entries(four).map(([name, bytes]) => guestOf(name, bytes));
    host.change({ guests: [...guests, guestOf('e', 50 * MIB, configuredBytes)] });
    return host.look(1000, {}, started('e'));
  };
  const resting = () => {
    const host = watching();
    host.changeKsm({ pagesShared: 1000 });
    return host;
  };

  test('ksmd goes on to it over what it knows, with smart_scan, slowly at the end, and stops before it', () => {
    const host = resting();
    const begun = comes(host);
    assert.deepEqual([begun.reason, begun.settings.run, begun.settings.smartScan], ['guests-settling', 1, 1]);
    assert.match(begun.sentence, /; meanwhile ksmd goes over the memory that it knows, up to theirs$/);
    host.have({ ...four, e: 300 * MIB });
    const { pagesToScan = 0 } = host.look(250, { scanned: 200_000, cpuMillis: 60 }).settings;
    host.have({ ...four, e: 600 * MIB });
    const slow = host.look(250, { scanned: 800_000, cpuMillis: 125 });
    assert.deepEqual([slow.settings.run, slow.nextInMillis], [1, 100]);
    assert.ok((slow.settings.pagesToScan ?? 0) < pagesToScan);
    host.have({ ...four, e: 900 * MIB });
    const there = host.look(100, { scanned: 5000, cpuMillis: 20, volatile: 1100 });
    assert.deepEqual([there.reason, there.settings], ['guests-settling', { run: 0 }]);
    assert.doesNotMatch(there.sentence, /meanwhile/);
    assert.equal(host.look(3000).reason, 'burst');
  });

  const rows: { name: string; before: (host: PolicyHost) => void; configuredBytes?: number }[] = [
    { name: 'the CPUs are busy', before: (host) => void (host.busyPercent = 60) },
    { name: 'it can only be small', before: () => undefined, configuredBytes: 1 },
    {
      name: 'the kernel does not count the pages that it visits',
      before: (host) => {
        const { pagesScanned, ...ksm } = host.sample.ksm;
        assert.notEqual(pagesScanned, undefined);
        host.change({ ksm });
      },
    },
    {
      name: 'another came just before it',
      before: (host) => {
        comes(host);
        host.have(four);
        host.look(1000);
      },
    },
  ];
  for (const { name, before, configuredBytes } of rows) {
    test(`ksmd rests where ${name}`, () => {
      const host = resting();
      before(host);
      assert.deepEqual(comes(host, configuredBytes).settings, { run: 0 });
    });
  }
});
