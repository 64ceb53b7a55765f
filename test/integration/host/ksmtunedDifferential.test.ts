import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hostMemory } from '../../../src/core/memory.js';
import type { KsmState } from '../../../src/core/ksm.js';
import { ksmtunedPolicy } from '../../../src/core/policies/ksmtuned/policy.js';
import type { PolicyMemory } from '../../../src/core/policy.js';
import { type ScriptCase, type ScriptStep, obtainKsmtuned, runKsmtuned } from '../../support/ksmtunedScript.js';

const CASES = 30;
const STEPS = 8;

/** Totals from 512 MiB to 1.5 TiB: mawk, which the script adds with, fails from 2 TiB on. */
const totalKb = fc.oneof(
  fc.integer({ min: 512 * 1024, max: 64 * 1024 * 1024 }),
  fc.integer({ min: 64 * 1024 * 1024, max: 1536 * 1024 * 1024 }),
  fc.constantFrom(1048576, 8388608, 16777216, 65680332),
);

const conf = fc.record(
  {
    KSM_NPAGES_BOOST: fc.integer({ min: -100, max: 2000 }),
    KSM_NPAGES_DECAY: fc.integer({ min: -2000, max: 100 }),
    KSM_NPAGES_MIN: fc.integer({ min: 1, max: 3000 }),
    KSM_NPAGES_MAX: fc.integer({ min: 1, max: 3000 }),
    KSM_SLEEP_MSEC: fc.integer({ min: 1, max: 500 }),
    KSM_THRES_COEF: fc.integer({ min: 0, max: 110 }),
    KSM_THRES_CONST: fc.integer({ min: 0, max: 8 * 1024 * 1024 }),
  },
  { requiredKeys: [] },
);

/** Shares of the total, gathered around the reserve of 20 %, where the decision turns. */
const share = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0.17, max: 0.23, noNaN: true }));
const step = fc.record({
  committed: fc.oneof(
    share,
    share.map((part) => 1 - part),
  ),
  free: share,
  split: share,
});

const randomCase: fc.Arbitrary<ScriptCase> = fc
  .tuple(totalKb, conf, fc.array(step, { minLength: STEPS, maxLength: STEPS }))
  .map(([total, keys, steps]) => ({
    conf: { ...keys },
    totalKb: total,
    steps: steps.map(({ committed, free, split }) => {
      const freeKb = Math.round(total * free);
      const memFreeKb = Math.round(freeKb * split);
      const buffersKb = Math.trunc((freeKb - memFreeKb) / 2);
      return {
        committedKb: Math.round(total * committed),
        memFreeKb,
        buffersKb,
        cachedKb: freeKb - memFreeKb - buffersKb,
      };
    }),
  }));

test(`on ${String(CASES)} random hosts the policy writes what the real ksmtuned script writes`, async (t) => {
  const script = await obtainKsmtuned().catch((error: unknown) => {
    t.skip(`Debian's ksmtuned cannot be had: ${String(error)}`);
    return undefined;
  });
  if (script === undefined) return;
  const seed = Date.now() % 2 ** 31;
  t.diagnostic(`seed ${String(seed)}`);
  const cases = fc.sample(randomCase, { numRuns: CASES, seed });
  const results = await runKsmtuned(script, cases);
  assert.equal(results.length, CASES);
  for (const [index, theirs] of results.entries()) {
    const given = cases[index];
    assert.ok(given);
    assert.equal(theirs.stderr, '', `the script complained about ${JSON.stringify(given)}`);
    assert.deepEqual(ourSteps(given), theirs.steps, `seed ${String(seed)}: ${JSON.stringify(given)}`);
  }
});

/** What our policy writes for the same host, from the same beginning. */
function ourSteps({ conf: keys, totalKb: total, steps }: ScriptCase): ScriptStep[] {
  const policy = ksmtunedPolicy({
    pagesBoost: keys['KSM_NPAGES_BOOST'] ?? 300,
    pagesDecay: keys['KSM_NPAGES_DECAY'] ?? -50,
    pagesMin: keys['KSM_NPAGES_MIN'] ?? 64,
    pagesMax: keys['KSM_NPAGES_MAX'] ?? 1250,
    sleepMillisecs: keys['KSM_SLEEP_MSEC'] ?? 10,
    thresholdPercent: keys['KSM_THRES_COEF'] ?? 20,
    thresholdBytes: (keys['KSM_THRES_CONST'] ?? 2048) * 1024,
    when: 'needed',
  });
  let memory: PolicyMemory | undefined;
  let ksm: KsmState = { run: 0, pagesToScan: 100, sleepMillisecs: 20, pagesShared: 0, pagesSharing: 0 };
  return steps.map(({ committedKb, memFreeKb, buffersKb, cachedKb }) => {
    const guests = [{ name: 'all', residentBytes: committedKb * 1024, configuredBytes: 0 }];
    const figures = {
      memTotalBytes: total * 1024,
      memFreeBytes: memFreeKb * 1024,
      buffersBytes: buffersKb * 1024,
      cachedBytes: cachedKb * 1024,
      shmemBytes: 0,
      swapTotalBytes: 0,
      swapFreeBytes: 0,
      hugetlbBytes: 0,
      reclaimableArcBytes: 0,
    };
    const sample = {
      takenAtMillis: 0,
      monotonicMillis: 0,
      memory: hostMemory(figures, guests, 'legacy'),
      guests,
      ksm,
      pageSizeBytes: 4096,
      problems: [],
    };
    const [nextMemory, decision] = policy.decide(memory, sample, []);
    memory = nextMemory;
    ksm = { ...ksm, ...decision.settings };
    return {
      run: ksm.run,
      pagesToScan: ksm.pagesToScan,
      sleepMillisecs: ksm.sleepMillisecs,
      started: decision.settings.run === 1,
    };
  });
}
