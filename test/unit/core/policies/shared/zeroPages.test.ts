import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Decision } from '../../../../../src/core/decision.js';
import type { HugePages } from '../../../../../src/core/hugePages.js';
import type { KsmState } from '../../../../../src/core/ksm.js';
import type { Policy, PolicyMemory } from '../../../../../src/core/policy.js';
import { type ZeroPagesChoice, withZeroPages } from '../../../../../src/core/policies/shared/zeroPages.js';
import type { Sample } from '../../../../../src/core/sample.js';
import { IDLE_KSM, sampleOf, ksmtunedMemory, npagesOf } from '../../../../support/examples/examples.js';

const MIB = 1024 ** 2;
const PAGES = 25_000;

/** KSM of Linux 6.6 and newer, and before. */
const COUNTED: KsmState = { ...IDLE_KSM, run: 1, useZeroPages: 0, ksmZeroPages: 0, fullScans: 0, pagesSkipped: 0 };
const { ksmZeroPages, ...UNCOUNTED } = COUNTED;
assert.equal(ksmZeroPages, 0);

/** Huge pages as of Linux 6.12, and before. */
const FREEING: HugePages = { mayHoldGuests: true, splitFreesZeros: true };
const PLAIN: HugePages = { mayHoldGuests: true, splitFreesZeros: false };

function policyOf(run: 0 | 1): Policy {
  const working = { terms: [], comparisons: [], keys: ['KSM_WHEN'] };
  return {
    name: 'a policy',
    decide: (memory) => [memory, { reason: 'always', sentence: '', settings: { run }, working }],
  };
}

/** The decision after one look at each. */
function decided(choice: ZeroPagesChoice, looks: readonly Partial<Sample>[], run: 0 | 1 = 1): Decision {
  const policy = withZeroPages(policyOf(run), choice);
  let memory: PolicyMemory | undefined;
  let last: Decision | undefined;
  for (const [at, look] of looks.entries()) {
    [memory, last] = policy.decide(memory, sampleOf({ monotonicMillis: at * 1000, ...look }), [{ kind: 'timer' }]);
  }
  assert.ok(last !== undefined);
  return last;
}

/** What is set; `back` where it is given back to the host. */
function setting(decision: Decision): number | 'back' | undefined {
  return decision.settings.useZeroPages ?? (decision.released?.includes('useZeroPages') === true ? 'back' : undefined);
}

/** Looks at the ends of passes: the first sees pages for the first time, the others have these counts. */
function passes(count: number, parts: Partial<KsmState>, ksm: KsmState = COUNTED): readonly Partial<Sample>[] {
  return Array.from({ length: count + 1 }, (_, pass) => ({
    ksm: {
      ...ksm,
      fullScans: pass,
      ...(pass === 0 ? {} : { pagesUnshared: 0, pagesVolatile: PAGES }),
      ...(pass > 1 ? parts : {}),
    },
  }));
}

describe('use_zero_pages under KSM_USE_ZERO_PAGES=auto', () => {
  const rows: {
    name: string;
    ksm: KsmState;
    hugePages?: HugePages;
    value: number | 'back' | undefined;
    note: RegExp;
  }[] = [
    {
      name: 'is 1 where guests may be in huge pages that are freed by splits',
      ksm: COUNTED,
      hugePages: FREEING,
      value: 1,
      note: /=1: guests may be in huge pages/,
    },
    {
      name: 'is as the host has it without huge pages',
      ksm: COUNTED,
      hugePages: { ...FREEING, mayHoldGuests: false },
      value: 'back',
      note: /=0, as the host has it/,
    },
    {
      name: 'is as the host has it on a kernel without them',
      ksm: { ...COUNTED, useZeroPages: 1 },
      value: 'back',
      note: /=1, as the host has it/,
    },
    {
      name: 'is as the host has it where splits free nothing',
      ksm: COUNTED,
      hugePages: PLAIN,
      value: 'back',
      note: /=0, as/,
    },
    {
      name: 'is 0 before Linux 6.6',
      ksm: { ...UNCOUNTED, useZeroPages: 1 },
      hugePages: PLAIN,
      value: 0,
      note: /=0: before Linux 6.6/,
    },
  ];
  for (const { name, ksm, hugePages, value, note } of rows) {
    test(`use_zero_pages under KSM_USE_ZERO_PAGES=auto ${name}`, () => {
      const decision = decided('auto', [{ ksm, ...(hugePages === undefined ? {} : { hugePages }) }]);
      assert.equal(setting(decision), value);
      assert.match(decision.working?.notes?.join() ?? '', note);
      assert.deepEqual(decision.working?.keys, ['KSM_WHEN', 'KSM_USE_ZERO_PAGES']);
      assert.equal(decision.problems, undefined);
    });
  }

  test('KSM_USE_ZERO_PAGES=auto has nothing to decide on a kernel without the setting', () => {
    const decision = decided('auto', [{ ksm: IDLE_KSM, hugePages: FREEING }]);
    assert.deepEqual(
      [decision.settings, decision.released, decision.working?.notes],
      [{ run: 1 }, undefined, undefined],
    );
  });

  test('KSM_USE_ZERO_PAGES=auto waits for merging to begin, and stays as it is when it ends', () => {
    assert.equal(setting(decided('auto', [{ ksm: COUNTED, hugePages: FREEING }], 0)), undefined);
  });

  test('the explanation has what use_zero_pages has given back', () => {
    const ksm = { ...COUNTED, useZeroPages: 1, ksmZeroPages: 512 };
    const freedBySplits = {
      bytes: 5 * MIB,
      byGuest: new Map(),
      accounts: new Map(),
      splitCreditBytes: 0,
      reading: { guests: new Map(), splitBytes: 0, zeroBytes: 0 },
    };
    const decision = decided('auto', [{ ksm, hugePages: FREEING, freedBySplits }]);
    assert.match(
      decision.working?.notes?.join() ?? '',
      /given back so far: 2.0 MiB by the zero page, 5.0 MiB by splits/,
    );
  });
});

describe('ksmd that is blocked by zero pages', () => {
  const BLOCKED = { pagesUnshared: 1, pagesVolatile: PAGES };

  test('ksmd blocked by zero pages is seen at the end of the second pass, on a kernel of which nothing is known', () => {
    assert.equal(setting(decided('auto', passes(1, BLOCKED))), 'back');
    const decision = decided('auto', passes(2, BLOCKED));
    assert.equal(setting(decision), 1);
    assert.match(decision.working?.notes?.join() ?? '', /kept ksmd from merging/);
  });

  test('that zero pages blocked ksmd is remembered when the passes go better', () => {
    const later = { ksm: { ...COUNTED, fullScans: 9, pagesUnshared: PAGES, pagesVolatile: 0 } };
    assert.equal(setting(decided('auto', [...passes(2, BLOCKED), later])), 1);
  });

  const rows: { name: string; parts: Partial<KsmState> }[] = [
    { name: 'pages in the unstable tree', parts: { pagesUnshared: 400, pagesVolatile: PAGES } },
    { name: 'too little memory to tell', parts: { pagesUnshared: 0, pagesVolatile: 4000 } },
    {
      name: 'pages that smart_scan passed over',
      parts: { pagesUnshared: 0, pagesVolatile: PAGES, pagesSkipped: PAGES },
    },
  ];
  for (const { name, parts } of rows) {
    test(`no zero pages are blamed for ${name}`, () => {
      assert.equal(setting(decided('auto', passes(2, parts))), 'back');
    });
  }

  test('no zero pages are blamed while memory grows: its pages are seen for the first time', () => {
    const looks = [1, 2, 3].map((pass) => ({
      ksm: { ...COUNTED, fullScans: pass, pagesUnshared: 0, pagesVolatile: PAGES * 2 ** pass },
    }));
    assert.equal(setting(decided('auto', looks)), 'back');
  });

  for (const choice of [0, 'keep'] as const) {
    test(`ksmd blocked by zero pages is a problem with KSM_USE_ZERO_PAGES=${choice}, and nothing is set`, () => {
      const decision = decided(choice, passes(2, BLOCKED));
      assert.equal(decision.settings.useZeroPages, undefined);
      assert.deepEqual(decision.problems, [
        {
          subject: 'use_zero_pages blocks',
          sentence: `zero pages in huge pages keep ksmd from merging (pages_unshared 1, pages_volatile 25000): KSM_USE_ZERO_PAGES=${choice} leaves use_zero_pages at 0; auto or 1 ends that`,
        },
      ]);
    });
  }

  test('zero pages are no problem where the host itself has use_zero_pages=1', () => {
    assert.equal(decided('keep', passes(2, BLOCKED, { ...COUNTED, useZeroPages: 1 })).problems, undefined);
  });
});

describe("with Red Hat's redhat_only_zero_pages=1", () => {
  const ksm = { ...COUNTED, redhatOnlyZeroPages: 1 };

  test('with redhat_only_zero_pages=1 auto sets nothing, gives back what it had set, and says why', () => {
    const decision = decided('auto', [{ hugePages: FREEING, ksm }]);
    assert.equal(setting(decision), 'back');
    assert.match(
      decision.working?.notes?.join() ?? '',
      /^use_zero_pages is left as the host has it: .*zero pages only$/,
    );
  });

  test('with redhat_only_zero_pages=1 an empty unstable tree is no sign of a blocked one', () => {
    const decision = decided(0, passes(3, {}, ksm));
    assert.deepEqual([decision.settings, decision.problems], [{ run: 1 }, undefined]);
  });
});

describe('KSM_USE_ZERO_PAGES that was given', () => {
  test('KSM_USE_ZERO_PAGES=keep gives back what was set before', () => {
    assert.equal(setting(decided('keep', [{ ksm: COUNTED, hugePages: FREEING }])), 'back');
    assert.equal(setting(decided('keep', [{ ksm: COUNTED, hugePages: FREEING }], 0)), 'back');
  });

  test('KSM_USE_ZERO_PAGES=1 before Linux 6.6 is warned of', () => {
    const [problem] = decided(1, [{ ksm: UNCOUNTED }]).problems ?? [];
    assert.match(problem?.sentence ?? '', /^KSM_USE_ZERO_PAGES=1: before Linux 6.6 .* neither counted nor given back/);
  });

  test('KSM_USE_ZERO_PAGES=0 or 1 from Linux 6.6 on is left to the configuration', () => {
    for (const choice of [0, 1] as const) {
      const decision = decided(choice, [{ ksm: COUNTED, hugePages: FREEING }]);
      assert.deepEqual([decision.settings, decision.released, decision.problems], [{ run: 1 }, undefined, undefined]);
    }
  });
});

test('what the policy beneath KSM_USE_ZERO_PAGES decides, remembers and is asked stays as it is', () => {
  const seen: unknown[] = [];
  const inner: Policy = {
    name: 'inner',
    decide(memory, sample, triggers) {
      seen.push([memory, sample.ksm, triggers]);
      const npages = (npagesOf(memory) ?? 0) + 1;
      return [ksmtunedMemory(npages), { reason: 'always', sentence: 'so', settings: { run: 1, pagesToScan: npages } }];
    },
  };
  const policy = withZeroPages(inner, 'auto');
  const sample = sampleOf({ ksm: COUNTED, hugePages: FREEING });
  const [memory, first] = policy.decide(undefined, sample, [{ kind: 'start' }]);
  const [, second] = policy.decide(memory, sample, [{ kind: 'timer' }]);
  assert.equal(policy.name, 'inner');
  assert.deepEqual(first, { reason: 'always', sentence: 'so', settings: { run: 1, pagesToScan: 1, useZeroPages: 1 } });
  assert.equal(second.settings.pagesToScan, 2);
  assert.deepEqual(seen, [
    [undefined, COUNTED, [{ kind: 'start' }]],
    [ksmtunedMemory(1), COUNTED, [{ kind: 'timer' }]],
  ]);
});
