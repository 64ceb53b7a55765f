import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type KsmdCounters,
  mostOfNextPass,
  nextPassNanos,
  progressBetween,
} from '../../../../../src/core/policies/shared/progress.js';
import { GAIN, NEW_KSM, OLD_KSM, PASS, PolicyHost, START } from '../../../../support/policies/policyHost.js';
import { markWith } from '../../../../support/policies/policyMark.js';

/** A pass of 10 s over a million pages, of which so many had changed by its end; and by the end of the pass before. */
function afterPass(end: Partial<KsmdCounters>, before?: number): number | undefined {
  const from = markWith({ pagesSeen: 1_000_000, pagesVisited: 0 });
  const now = markWith({
    ...{ pagesSeen: 1_000_000, pagesUnshared: 500_000, fullScans: 11, pagesVisited: 1_000_000, cpuNanos: 10e9 },
    monotonicMillis: BEFORE_MILLIS,
    ...end,
  });
  const pass = progressBetween(from, now);
  assert.ok(pass !== undefined);
  const bytes = mostOfNextPass(
    pass,
    now,
    before === undefined ? undefined : { pages: before, elapsedMillis: BEFORE_MILLIS },
  );
  return bytes === undefined ? undefined : Math.round(bytes / 4096);
}

const BEFORE_MILLIS = 10_000;
const gained = (pages: number) => ({ profitBytes: pages * 4096, savedBytes: pages * 4096 });

describe('the pages that another pass can merge at most', () => {
  const rows: { name: string; end: Partial<KsmdCounters>; before?: number; pages: number | undefined }[] = [
    { name: 'are none when no page had changed', end: {}, pages: 0 },
    { name: 'are those that had changed', end: { pagesVolatile: 700 }, pages: 700 },
    { name: 'are not those that smart_scan skipped', end: { pagesVolatile: 700, pagesSkipped: 600 }, pages: 100 },
    {
      name: 'are not those that were mapped to the zero page',
      end: { pagesVolatile: 700, zeroPages: 600 },
      pages: 100,
    },
    { name: 'are never below none', end: { pagesVolatile: 5, zeroPages: 9 }, pages: 0 },
    { name: 'are not known where no page was visited', end: { pagesVisited: 0 }, pages: undefined },
    {
      name: 'are known on a kernel that does not count visits',
      end: { pagesVisited: undefined, pagesVolatile: 9 },
      pages: 9,
    },
    {
      name: 'are the part that merged of those that had changed before: a tenth did',
      end: { pagesVolatile: 700, ...gained(70) },
      before: 700,
      pages: 70,
    },
    { name: 'are none of what changes all the time', end: { pagesVolatile: 700 }, before: 700, pages: 0 },
    {
      name: 'are none of a quarter more of the pages that change all the time',
      end: { pagesVolatile: 875 },
      before: 700,
      pages: 0,
    },
    {
      name: 'are none of twice as many changing pages in twice the time',
      end: { pagesVolatile: 1400, monotonicMillis: 20_000 },
      before: 700,
      pages: 0,
    },
    {
      name: 'are all of what came to the pages that change all the time',
      end: { pagesVolatile: 900, ...gained(140) },
      before: 700,
      pages: 25 + 175,
    },
    {
      name: 'are the same part of fewer pages that had changed',
      end: { pagesVolatile: 350, ...gained(70) },
      before: 700,
      pages: 35,
    },
    { name: 'are no more than there are', end: { pagesVolatile: 350, ...gained(9000) }, before: 700, pages: 350 },
    { name: 'are not judged by a loss', end: { pagesVolatile: 350, ...gained(-50) }, before: 700, pages: 0 },
    {
      name: 'are all where zero pages block the tree: the pass shows nothing',
      end: { pagesVolatile: 400_000, pagesUnshared: 1 },
      before: 400_000,
      pages: 400_000,
    },
  ];
  for (const { name, end, before, pages } of rows) {
    test(`the pages that another pass can merge ${name}`, () => {
      assert.equal(afterPass(end, before), pages);
    });
  }
});

describe('what the next pass costs', () => {
  const pass = progressBetween(markWith({}), markWith({ fullScans: 12, cpuNanos: 10e9 }));
  assert.ok(pass !== undefined);
  test('a next pass costs on average what the last did', () => {
    assert.equal(nextPassNanos(pass, markWith({ pagesSeen: 5_000_000 })), 5e9);
  });
  test('a next pass costs no more than its pages do: 6 µs in the unstable tree, 0.4 µs merged', () => {
    assert.equal(nextPassNanos(pass, markWith({ pagesSeen: 500_000 })), 3e9);
    assert.equal(nextPassNanos(pass, markWith({ pagesSeen: 5_000_000, pagesMerged: 5_000_000 })), 2e9);
  });
});

describe('a burst under adaptive', () => {
  test('a burst under adaptive ends after the first whole pass that leaves nothing, whatever it brought', () => {
    const host = PolicyHost.adaptive();
    host.look(0, {}, START);
    // Seen for the first time: all is volatile.
    assert.equal(host.look(250, { ...PASS, volatile: 1_000_000 }).reason, 'burst');
    const end = host.look(250, { ...GAIN, volatile: -1_000_000, unshared: 900_000 });
    assert.equal(end.reason, 'nothing-to-gain');
    assert.match(end.sentence, /after 2 passes/);
  });

  test('a burst under adaptive goes on while many pages change, until two passes bring nothing', () => {
    const host = PolicyHost.adaptive();
    host.look(0, {}, START);
    host.look(250, { ...PASS, volatile: 1_000_000 });
    assert.deepEqual(
      [GAIN, PASS, PASS].map((work) => host.look(250, work).reason),
      ['burst', 'burst', 'nothing-to-gain'],
    );
  });

  test('a burst under adaptive ends when what had changed before brings nothing', () => {
    const host = PolicyHost.adaptive();
    host.look(0, {}, START);
    host.look(250, { ...PASS, volatile: 400_000, unshared: 600_000 });
    assert.deepEqual(
      [GAIN, PASS].map((work) => host.look(250, work).reason),
      ['burst', 'nothing-to-gain'],
    );
  });

  test('a burst under adaptive goes on where more has changed than before', () => {
    const host = PolicyHost.adaptive();
    host.look(0, {}, START);
    host.look(250, { ...PASS, volatile: 400_000, unshared: 600_000 });
    assert.deepEqual(
      [GAIN, { ...PASS, volatile: 200_000, unshared: -200_000 }, PASS].map((work) => host.look(250, work).reason),
      ['burst', 'burst', 'nothing-to-gain'],
    );
  });

  for (const [kernel, ksm] of [
    ['Linux 6.8', NEW_KSM],
    ['Linux 6.1, which does not count visits,', OLD_KSM],
  ] as const) {
    test(`a burst under adaptive on ${kernel} does not take a race of full_scans for passes`, () => {
      const host = PolicyHost.adaptive({ ksm });
      host.look(0, {}, START);
      host.look(250, { ...GAIN, volatile: 1_000_000 });
      for (let look = 0; look < 20; look += 1) {
        assert.equal(host.look(250, { passes: 16, cpuMillis: 10 }).reason, 'burst', String(look));
      }
    });
  }
});
