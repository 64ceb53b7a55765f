import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Guest } from '../../../../../src/core/guest.js';
import { type Need, type NeedOptions, needOf } from '../../../../../src/core/policies/shared/need.js';
import { sampleOf } from '../../../../support/examples/examples.js';
import { GIB, MIB, guestOf } from '../../../../support/policies/policyHost.js';

const OPTIONS: NeedOptions = { thresholdPercent: 20, thresholdBytes: 2 * MIB, when: 'needed' };
const CALM = { needed: false, urgent: false };
const MERGING = { needed: true, urgent: false };
const URGENT = { needed: true, urgent: true };

interface Host {
  readonly totalGib?: number;
  readonly freeGib: number;
  /** The guests' configured memory. */
  readonly gib?: readonly number[];
  readonly pressure?: number;
}

/** A host of 10 GiB, whose reserve is then 2 GiB, unless told otherwise. */
function need(
  { totalGib = 10, freeGib, gib = [], pressure }: Host,
  before?: Pick<Need, 'needed' | 'urgent'>,
  options = {},
) {
  return needOfGuests(
    { totalGib, freeGib, ...(pressure === undefined ? {} : { pressure }) },
    gib.map((size, at) => guestOf(`g${at}`, 0, size * GIB)),
    before,
    options,
  );
}

function needOfGuests(
  { totalGib = 10, freeGib, pressure }: Host,
  guests: readonly Guest[],
  before?: Pick<Need, 'needed' | 'urgent'>,
  options: Partial<NeedOptions> = {},
): Need {
  const sample = sampleOf({
    memory: { totalBytes: totalGib * GIB, freeBytes: freeGib * GIB, committedBytes: 0 },
    guests,
    ...(pressure === undefined ? {} : { memoryPressurePercent: pressure }),
  });
  return needOf(sample, before, { ...OPTIONS, ...options });
}

describe('merging is needed', () => {
  const rows: { name: string; host: Host; before?: typeof CALM; needed: boolean }[] = [
    { name: 'not while guests and the reserve fit and the reserve is free', host: { freeGib: 9 }, needed: false },
    { name: 'not at the very limits', host: { freeGib: 2, gib: [4, 4] }, needed: false },
    { name: 'when less than the reserve is free', host: { freeGib: 1.99 }, needed: true },
    {
      name: 'when more is promised than fits, however much is free',
      host: { freeGib: 9, gib: [4, 4.1] },
      needed: true,
    },
    { name: 'still, a little below the limit', host: { freeGib: 9, gib: [4, 3.9] }, before: MERGING, needed: true },
    { name: 'still, a little more free than the reserve', host: { freeGib: 2.4 }, before: MERGING, needed: true },
    {
      name: 'until a quarter of the reserve more fits',
      host: { freeGib: 9, gib: [4, 3.5] },
      before: MERGING,
      needed: false,
    },
    { name: 'until a quarter of the reserve more is free', host: { freeGib: 2.5 }, before: MERGING, needed: false },
    { name: 'not again before the first limits are passed', host: { freeGib: 2.4 }, before: CALM, needed: false },
  ];
  for (const { name, host, before, needed } of rows) {
    test(`whether merging is needed: ${name}`, () => {
      assert.equal(need(host, before).needed, needed);
    });
  }

  test('a guest that uses more than it is said to have, or of unknown size, makes merging needed by what it uses', () => {
    assert.equal(needOfGuests({ freeGib: 5 }, [guestOf('a', 8.1 * GIB, 4 * GIB)]).needed, true);
    assert.equal(needOfGuests({ freeGib: 5 }, [guestOf('a', 8.1 * GIB, 0)]).needed, true);
    assert.equal(needOfGuests({ freeGib: 5 }, [guestOf('a', 7.9 * GIB, 0)]).needed, false);
  });

  test('merging is needed by the reserve of KSM_THRES_COEF, KSM_THRES_CONST at least', () => {
    const reserve = (options: Partial<NeedOptions>) => {
      const { working } = need({ freeGib: 9 }, CALM, options);
      return working.terms.find(({ name }) => name === 'reserve')?.value;
    };
    assert.equal(reserve({}), 2 * GIB);
    assert.equal(reserve({ thresholdPercent: 35 }), 3.5 * GIB);
    assert.equal(reserve({ thresholdBytes: 3 * GIB }), 3 * GIB);
    assert.equal(reserve({ thresholdPercent: 0, thresholdBytes: 0 }), 0);
  });

  test('merging is always needed with KSM_WHEN=always', () => {
    assert.equal(need({ freeGib: 9 }, CALM, { when: 'always' }).needed, true);
  });

  test('no host goes to and fro while its memory wobbles by less than a quarter of the reserve', () => {
    const wobble = fc.array(fc.double({ min: 0, max: 0.499, noNaN: true }), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(fc.double({ min: 0, max: 9, noNaN: true }), fc.boolean(), wobble, (base, ofGuests, steps) => {
        let before: Need | undefined;
        let changes = 0;
        for (const step of steps) {
          const host = ofGuests ? { freeGib: 9.9, gib: [base + step] } : { freeGib: base + step };
          const next = need(host, before);
          if (before !== undefined && before.needed !== next.needed) changes += 1;
          before = next;
        }
        assert.ok(changes <= 1, `${changes} changes`);
      }),
    );
  });
});

describe('merging is urgent', () => {
  const rows: { name: string; host: Host; before?: typeof CALM; urgent: boolean }[] = [
    { name: 'not when the reserve is touched', host: { freeGib: 1.9 }, urgent: false },
    { name: 'when less than half of the reserve is free', host: { freeGib: 0.99 }, urgent: true },
    { name: 'not when just half of the reserve is free', host: { freeGib: 1 }, urgent: false },
    { name: 'still, up to six tenths of the reserve', host: { freeGib: 1.19 }, before: URGENT, urgent: true },
    { name: 'not above six tenths of the reserve', host: { freeGib: 1.2 }, before: URGENT, urgent: false },
    { name: 'when tasks wait for memory', host: { freeGib: 1.9, pressure: 10.01 }, urgent: true },
    { name: 'not when tasks wait a little', host: { freeGib: 1.9, pressure: 10 }, urgent: false },
    {
      name: 'still, until tasks wait half of that',
      host: { freeGib: 1.9, pressure: 5.01 },
      before: URGENT,
      urgent: true,
    },
    {
      name: 'not when tasks wait less than half of that',
      host: { freeGib: 1.9, pressure: 5 },
      before: URGENT,
      urgent: false,
    },
    {
      name: 'not when tasks wait where there is memory: they wait for something else',
      host: { freeGib: 9, pressure: 90 },
      urgent: false,
    },
  ];
  for (const { name, host, before, urgent } of rows) {
    test(`whether merging is urgent: ${name}`, () => {
      assert.equal(need(host, before).urgent, urgent);
    });
  }

  test('urgency of merging is named, with nearly nothing free before waiting tasks', () => {
    const urgencies = [{ freeGib: 1.9 }, { freeGib: 0.5, pressure: 60 }, { freeGib: 1.9, pressure: 60.4 }].map(
      (host) => need(host).urgency,
    );
    assert.deepEqual(urgencies, [undefined, 'memory is nearly out', 'tasks wait for memory 60 % of the time']);
  });

  test('merging is urgent by free memory alone where the kernel has no pressure to tell', () => {
    assert.deepEqual([need({ freeGib: 1.5 }).urgent, need({ freeGib: 0.5 }).urgent], [false, true]);
  });
});

describe('the need for memory is described', () => {
  const rows: { name: string; host: Host; before?: typeof CALM; when?: 'always'; sentence: string; change?: string }[] =
    [
      {
        name: 'why merging is not needed',
        host: { freeGib: 9, gib: [4] },
        sentence: 'guests may use 4.0 GiB + 2.0 GiB reserve <= 10.0 GiB and free 9.0 GiB >= 2.0 GiB',
        change: 'one more guest of 4.0 GiB, or 7.0 GiB less free, and merging begins',
      },
      {
        name: 'why merging is not needed, at the very limits',
        host: { freeGib: 2, gib: [4, 4] },
        sentence: 'guests may use 8.0 GiB + 2.0 GiB reserve <= 10.0 GiB and free 2.0 GiB >= 2.0 GiB',
        change: 'one more guest of 0 B, or 0 B less free, and merging begins',
      },
      {
        name: 'that too little is free, where what is promised just fits',
        host: { freeGib: 1, gib: [8] },
        sentence: 'free 1.0 GiB < 2.0 GiB',
        change: "1.0 GiB less of guests' memory and merging is no longer needed",
      },
      {
        name: 'that too much is promised, where exactly the reserve is free',
        host: { freeGib: 2, gib: [9] },
        sentence: 'guests may use 9.0 GiB + 2.0 GiB reserve > 10.0 GiB',
        change: "1.0 GiB less of guests' memory and merging is no longer needed",
      },
      {
        name: 'that too much is promised',
        host: { freeGib: 9, gib: [4, 5] },
        sentence: 'guests may use 9.0 GiB + 2.0 GiB reserve > 10.0 GiB',
        change: "1.0 GiB less of guests' memory and merging is no longer needed",
      },
      {
        name: 'that too little is free',
        host: { freeGib: 0.5 },
        sentence: 'free 512.0 MiB < 2.0 GiB',
        change: "1.5 GiB less of guests' memory and merging is no longer needed",
      },
      {
        name: 'that too little is free and too much promised, and what would change both',
        host: { freeGib: 1, gib: [12] },
        sentence: 'guests may use 12.0 GiB + 2.0 GiB reserve > 10.0 GiB and free 1.0 GiB < 2.0 GiB',
        change: "4.0 GiB less of guests' memory and merging is no longer needed",
      },
      {
        name: 'with the quarter more of the reserve that ends it',
        host: { freeGib: 2.25 },
        before: MERGING,
        sentence: 'free 2.3 GiB < 2.5 GiB',
        change: "256.0 MiB less of guests' memory and merging is no longer needed",
      },
      {
        name: 'with as many decimals as tell the figures apart',
        host: { freeGib: 1.998, gib: [8.01] },
        sentence: 'guests may use 8.01 GiB + 2.00 GiB reserve > 10.00 GiB and free 1.998 GiB < 2.000 GiB',
        change: "10.2 MiB less of guests' memory and merging is no longer needed",
      },
      {
        name: 'that it is the configuration and not memory; then nothing would change it',
        host: { freeGib: 9, gib: [4] },
        when: 'always',
        sentence: 'guests may use 4.0 GiB + 2.0 GiB reserve <= 10.0 GiB and free 9.0 GiB >= 2.0 GiB (KSM_WHEN=always)',
      },
      {
        name: 'with KSM_WHEN=always too, that memory is short',
        host: { freeGib: 1 },
        when: 'always',
        sentence: 'free 1.0 GiB < 2.0 GiB',
      },
    ];
  for (const { name, host, before, when = 'needed', sentence, change } of rows) {
    test(`the need for merging is described: ${name}`, () => {
      const { working, ...told } = need(host, before, { when });
      assert.equal(told.sentence, sentence);
      assert.equal(working.change, change);
    });
  }

  test('with KSM_WHEN=always no quarter more than the reserve: nothing ends the merging', () => {
    const { sentence, working } = need({ freeGib: 2.25 }, MERGING, { when: 'always' });
    assert.match(sentence, /free 2\.3 GiB >= 2\.0 GiB \(KSM_WHEN=always\)$/);
    assert.equal(working.terms.at(-1)?.source, 'KSM_THRES_COEF 20 %, at least KSM_THRES_CONST');
  });

  test('the need for memory is worked through with the pressure, where the kernel tells it', () => {
    const source = '/proc/pressure/memory, some avg10';
    assert.deepEqual(need({ freeGib: 9, pressure: 12.34 }).working.terms.at(-1), {
      ...{ name: 'pressure', value: 12.34, unit: 'percent', source },
    });
  });

  test('the need for memory is worked through: the numbers, where they come from, and the keys', () => {
    const { working } = need({ freeGib: 9, gib: [4, 2] }, MERGING);
    const numbers = working.terms.map(({ name, value, unit }) => [name, value / GIB, unit]);
    assert.deepEqual(numbers, [
      ['total', 10, 'bytes'],
      ['free', 9, 'bytes'],
      ['promised', 6, 'bytes'],
      ['reserve', 2.5, 'bytes'],
    ]);
    assert.match(working.terms[2]?.source ?? '', /2 running guests/);
    assert.match(working.terms[3]?.source ?? '', /KSM_THRES_COEF 20 %.*a quarter more/);
    assert.equal(working.comparisons.length, 2);
    assert.deepEqual(working.keys, ['KSM_THRES_COEF', 'KSM_THRES_CONST', 'KSM_WHEN', 'KSM_MEMORY_ACCOUNTING']);
  });
});
