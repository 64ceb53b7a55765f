import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Mark, canAnotherPassPay, progressBetween } from '../../src/core/policies/progress.js';
import { GAIN, PAGES_PER_MIB, PASS, PolicyHost, START } from './policyHost.js';
import { markWith } from './policyMark.js';

/** A pass of 10 s over a million pages, of which so many are volatile at its end. */
function afterPass(end: Partial<Mark>): boolean | undefined {
  const from = markWith({ pagesSeen: 1_000_000, pagesVisited: 0 });
  const now = markWith({ pagesSeen: 1_000_000, fullScans: 11, pagesVisited: 1_000_000, cpuNanos: 10e9, ...end });
  const pass = progressBetween(from, now);
  assert.ok(pass !== undefined);
  return canAnotherPassPay(pass, now);
}

describe('whether another pass can pay', () => {
  // A million pages that stay in the unstable tree cost 6 s of CPU time, which must bring 24 MiB.
  const limit = 24 * PAGES_PER_MIB;
  const rows: { name: string; end: Partial<Mark>; pays: boolean | undefined }[] = [
    { name: 'not when no page had changed', end: {}, pays: false },
    { name: 'when as many had as a pass must bring', end: { pagesVolatile: limit }, pays: true },
    { name: 'not when one less had', end: { pagesVolatile: limit - 1 }, pays: false },
    {
      name: 'for less where most is merged and a pass is cheap',
      end: { pagesVolatile: 512, pagesMerged: 950_000 },
      pays: false,
    },
    { name: 'and there for this much', end: { pagesVolatile: 3 * PAGES_PER_MIB, pagesMerged: 950_000 }, pays: true },
    { name: 'for less where the pass itself was cheaper', end: { pagesVolatile: 256, cpuNanos: 0.2e9 }, pays: true },
    {
      name: 'not for the pages that were mapped to the zero page, whose records are still there',
      end: { pagesVolatile: limit + 5000, zeroPages: 5001 },
      pays: false,
    },
    { name: 'is not known where smart_scan passed pages over', end: { pagesSkipped: 1 }, pays: undefined },
    { name: 'is not known where no page was visited', end: { pagesVisited: 0 }, pays: undefined },
    { name: 'is known on a kernel that does not count visits', end: { pagesVisited: undefined }, pays: false },
  ];
  for (const { name, end, pays } of rows) {
    test(name, () => {
      assert.equal(afterPass(end), pays);
    });
  }
});

describe('a burst under adaptive', () => {
  test('ends after the first whole pass that leaves nothing, whatever it brought', () => {
    const host = PolicyHost.adaptive();
    host.look(0, {}, START);
    // Seen for the first time: all is volatile.
    assert.equal(host.look(250, { ...PASS, volatile: 1_000_000 }).reason, 'burst');
    const end = host.look(250, { ...GAIN, volatile: -1_000_000, unshared: 900_000 });
    assert.equal(end.reason, 'nothing-to-gain');
    assert.match(end.sentence, /after 2 passes/);
  });

  test('goes on while many pages change, until two passes bring nothing', () => {
    const host = PolicyHost.adaptive();
    host.look(0, {}, START);
    host.look(250, { ...PASS, volatile: 1_000_000 });
    assert.deepEqual(
      [GAIN, PASS, PASS].map((work) => host.look(250, work).reason),
      ['burst', 'burst', 'nothing-to-gain'],
    );
  });

  test('does not take a race of full_scans for passes', () => {
    const host = PolicyHost.adaptive();
    host.look(0, {}, START);
    host.look(250, { ...GAIN, volatile: 1_000_000 });
    for (let look = 0; look < 20; look += 1) {
      assert.equal(host.look(250, { passes: 16, cpuMillis: 10 }).reason, 'burst', String(look));
    }
  });
});
