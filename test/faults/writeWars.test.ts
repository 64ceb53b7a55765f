import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Decision } from '../../src/core/decision.js';
import type { OnConflict } from '../../src/core/conflicts.js';
import type { KsmSettings } from '../../src/core/ksm.js';
import { Tuner } from '../../src/daemon/tuner.js';
import { KsmDirectory } from '../../src/host/ksm.js';
import { Ledger } from '../../src/state/ledger.js';
import { planFrom, sampleOf } from '../support/examples/examples.js';
import { faultRuns } from '../support/faultRuns.js';
import { HostTree } from '../support/hostTree.js';

const MINUTE = 60_000;
/** What the rule of src/core/conflicts.ts allows in a row. */
const MOST_REWRITES = 5;
const FORGET_MILLIS = 60 * MINUTE;
/** What samepaged wants all the time, and what the other writer puts there. */
const OURS = { run: 1, pagesToScan: 1000, sleepMillisecs: 20, smartScan: 0 } as const;
const FILES = { run: [0, 2], pages_to_scan: [64, 4096], sleep_millisecs: [500, 700], smart_scan: [1] } as const;
type FileName = keyof typeof FILES;
const DECISION: Decision = { reason: 'always', sentence: 'always the same', settings: OURS };

interface Change {
  readonly file: FileName;
  readonly which: number;
  /** Since the change before. */
  readonly afterMillis: number;
}

const change: fc.Arbitrary<Change> = fc.record({
  file: fc.constantFrom(...(Object.keys(FILES) as FileName[])),
  which: fc.nat(1),
  afterMillis: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 10 * MINUTE }) },
    fc.integer({ min: 0, max: 3 * FORGET_MILLIS }),
  ),
});

/** Which dispute a file is part of: the pace is one. */
function matterOf(setting: string): string {
  return /pages_?to_?scan|sleep_?millisecs/i.test(setting) ? 'pace' : setting.replace('_', '').toLowerCase();
}

/** samepaged retunes each minute on a virtual clock, and another writer does as it likes. */
async function war(onConflict: OnConflict, changes: readonly Change[]) {
  using tree = HostTree.create();
  const ksm = new KsmDirectory(tree.root);
  const before = ksm.readSettings();
  const ledger = new Ledger(join(tree.root, 'state'), tree.root, before);
  const tuner = new Tuner({
    ksm,
    ledger,
    libvirt: () => Promise.resolve(undefined),
    unmergeObstacle: () => undefined,
    others: () => Promise.resolve([]),
  });
  const plan = { ...planFrom(), onConflict };
  const rewrites = new Map<string, number[]>();
  let now = 0;
  const retune = async () => {
    const { writes } = await tuner.apply(DECISION, sampleOf({ monotonicMillis: now, ksm: ksm.read() }), plan);
    return new Set(writes.map(({ setting }) => matterOf(setting)));
  };
  await retune();
  for (const { file, which, afterMillis } of changes) {
    for (const end = now + afterMillis; now < end; now = Math.min(now + MINUTE, end)) {
      for (const matter of await retune()) rewrites.set(matter, [...(rewrites.get(matter) ?? []), now]);
    }
    tree.setKsm(file, FILES[file][which] ?? FILES[file][0]);
  }
  for (let turn = 0; turn < 30; turn += 1, now += MINUTE) {
    for (const matter of await retune()) rewrites.set(matter, [...(rewrites.get(matter) ?? []), now]);
  }
  const atEnd = ksm.readSettings();
  await tuner.restore('restore');
  return { rewrites, before, atEnd, after: ksm.readSettings() };
}

describe('another writer at random instants, for days', () => {
  const changes = fc.array(change, { minLength: 1, maxLength: 40, size: 'max' });

  test('in a war of writes under reassert samepaged sets a setting again at most five times within an hour', async () => {
    await fc.assert(
      fc.asyncProperty(changes, async (made) => {
        const { rewrites, before, atEnd, after } = await war('reassert', made);
        for (const [matter, times] of rewrites) {
          assert.ok(times.length <= made.filter(({ file }) => matterOf(file) === matter).length, matter);
          for (const [index, time] of times.entries()) {
            const sixth = times[index + MOST_REWRITES] ?? Infinity;
            assert.ok(sixth - time >= FORGET_MILLIS, `${matter}: six times in ${String(sixth - time)} ms`);
          }
        }
        expectGivenBack(before, atEnd, after);
      }),
      faultRuns(1000, 20),
    );
  });

  test('in a war of writes under yield samepaged never sets a setting again', async () => {
    await fc.assert(
      fc.asyncProperty(changes, async (made) => {
        const { rewrites, before, atEnd, after } = await war('yield', made);
        assert.deepEqual([...rewrites], []);
        expectGivenBack(before, atEnd, after);
      }),
      faultRuns(1000, 20),
    );
  });
});

/** What is samepaged's at the end is as it was before; what is another's stays. */
function expectGivenBack(before: KsmSettings, atEnd: KsmSettings, after: KsmSettings): void {
  for (const setting of Object.keys(OURS) as (keyof typeof OURS)[]) {
    assert.ok(after[setting] === before[setting] || after[setting] === atEnd[setting], setting);
    if (atEnd[setting] === OURS[setting]) continue;
    assert.ok([before[setting], atEnd[setting]].includes(after[setting]), setting);
  }
}
