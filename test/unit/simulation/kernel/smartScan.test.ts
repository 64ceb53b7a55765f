import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Pages, smartScan, unseen } from '../../../../src/simulation/kernel/pages.js';
import { counted, host, mib, passes, start } from '../../../support/simulation/simulationPasses.js';

describe('smart scan', () => {
  test('smart scan leaves a page out ever longer: at first never, then for 1, 2, 4 and 8 passes', () => {
    let pages: Pages = unseen({ kind: 'own', rewritten: false });
    const seen: boolean[] = [];
    for (let pass = 0; pass < 50; pass += 1) {
      const { skip, ...aged } = smartScan(pages);
      pages = { ...pages, ...aged };
      seen.push(!skip);
    }
    const distances = seen
      .flatMap((was, pass) => (was ? [pass] : []))
      .map((pass, index, all) => pass - (all[index - 1] ?? -1));
    assert.deepEqual(distances, [1, 1, 1, 1, 2, 3, 5, 9, 9, 9, 9]);
  });

  test('smart scan counts what it leaves out, and takes it out of the unstable tree', () => {
    const made = host([{ ownMiB: 4 }]);
    const fourth = passes(made, 4);
    assert.deepEqual([fourth.pagesScanned, fourth.pagesSkipped, ...counted(fourth)], [mib(16), 0, 0, 0, 4, 0]);
    const fifth = passes(made, 1);
    assert.deepEqual([fifth.pagesScanned, fifth.pagesSkipped, ...counted(fifth)], [mib(16), mib(4), 0, 0, 0, 4]);
  });

  test('smart scan finds that the more has changed, the longer it has left a page out', () => {
    const made = host([{ ownMiB: 10, rewrittenMiBPerSecond: 1 }]);
    passes(made, 30);
    const unsharedMiB = Array.from({ length: 9 }, () => (passes(made, 1).pagesUnshared ?? NaN) / mib(1));
    const found = unsharedMiB.filter((mebibytes) => mebibytes > 0);
    assert.equal(found.length, 1);
    // A pass is a second, in which a tenth is rewritten.
    assert.ok(Math.abs((found[0] ?? NaN) - 1) < 0.2, `${found.join()} MiB`);
  });

  test('smart scan never leaves out what is merged', () => {
    const made = host([{ commonMiB: 4 }, { commonMiB: 4 }]);
    const { pagesScanned } = passes(made, 20);
    assert.equal(pagesScanned, mib(8 * 20));
  });

  test('smart scan keeps pages apart that it never looks at in the same pass', () => {
    const met = (pause: number, smart: number) => {
      const made = host([{ commonMiB: 4 }], { smartScan: smart });
      passes(made, pause);
      start(made, 'late', { commonMiB: 4 });
      return passes(made, 200).pagesSharing > 0;
    };
    const pauses = Array.from({ length: 9 }, (_, index) => 20 + index);
    assert.ok(pauses.some((pause) => !met(pause, 1)));
    assert.ok(pauses.every((pause) => met(pause, 0)));
  });
});
