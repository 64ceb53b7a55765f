import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, parseDuration } from '../../../src/core/duration.js';
import { type RestingHold, holdPolicy, unmergeObstacle } from '../../../src/core/hold.js';
import type { MemoryFigures } from '../../../src/core/memory.js';
import { ksmtunedPolicy } from '../../../src/core/policies/ksmtuned/policy.js';
import type { PolicyMemory } from '../../../src/core/policy.js';
import type { Trigger } from '../../../src/core/trigger.js';
import { savingsOf } from '../../../src/core/savings.js';
import { IDLE_KSM, KSMTUNED_DEFAULTS, hostOf, sampleOf, ksmtunedMemory } from '../../support/examples/examples.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('parseDuration', () => {
  const rows: [string, number | undefined][] = [
    ['90s', 90_000],
    ['10m', 10 * MINUTE],
    ['2h30m', 2 * HOUR + 30 * MINUTE],
    ['1d', DAY],
    ['1d2h3m4s', DAY + 2 * HOUR + 3 * MINUTE + 4000],
    ['45', 45_000],
    ['007', 7000],
    ['999999999', 999_999_999_000],
    ['0', undefined],
    ['0s', undefined],
    ['0h0m', undefined],
    ['', undefined],
    [' 5s', undefined],
    ['5 s', undefined],
    ['5S', undefined],
    ['-5s', undefined],
    ['+5', undefined],
    ['1.5h', undefined],
    ['5ms', undefined],
    ['m', undefined],
    ['5m3', undefined],
    ['3 5m', undefined],
    ['1w', undefined],
    ['1e3', undefined],
    ['0x10', undefined],
    ['٣s', undefined],
    ['5s\n', undefined],
    ['1234567890', undefined],
    ['1234567s', undefined],
    ['nonsense', undefined],
    ['Infinity', undefined],
  ];
  for (const [text, millis] of rows) {
    test(`the duration ${JSON.stringify(text)} ${millis === undefined ? 'is refused' : `is ${millis} ms`}`, () => {
      assert.equal(parseDuration(text), millis);
    });
  }

  test('parseDuration adds up the parts, in whatever order', () => {
    const part = fc.tuple(fc.nat(999_999), fc.constantFrom<('d' | 'h' | 'm' | 's')[]>('d', 'h', 'm', 's'));
    const unit = { d: DAY, h: HOUR, m: MINUTE, s: 1000 };
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const text = parts.map(([count, letter]) => `${count}${letter}`).join('');
        const sum = parts.reduce((total, [count, letter]) => total + count * unit[letter], 0);
        assert.equal(parseDuration(text), sum === 0 ? undefined : sum);
      }),
    );
  });

  test('parseDuration gives whole seconds above 0 or nothing, for any text', () => {
    const shaped = fc.string({ unit: fc.constantFrom(...Array.from('0123456789dhms .-+e')), maxLength: 12 });
    fc.assert(
      fc.property(fc.oneof(shaped, fc.string({ unit: 'binary' })), (text) => {
        const millis = parseDuration(text);
        assert.ok(millis === undefined || (millis > 0 && Number.isSafeInteger(millis / 1000)), String(millis));
      }),
    );
  });
});

describe('formatDuration', () => {
  const rows: [number, string][] = [
    [0, '0 s'],
    [1, '1 s'],
    [1000, '1 s'],
    [1001, '2 s'],
    [45_000, '45 s'],
    [59_000, '59 s'],
    [59_001, '1 min'],
    [MINUTE, '1 min'],
    [10 * MINUTE, '10 min'],
    [59 * MINUTE, '59 min'],
    [90_000, '1 min 30 s'],
    [HOUR - 1000, '59 min 59 s'],
    [HOUR, '1 h'],
    [2 * HOUR + 30 * MINUTE, '2 h 30 min'],
    [26 * HOUR + MINUTE, '1 d 2 h'],
  ];
  for (const [millis, text] of rows) {
    test(`${millis} ms are shown as ${text}`, () => {
      assert.equal(formatDuration(millis), text);
    });
  }

  test('formatDuration can be read back, and its two largest units are true', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 * DAY }), (millis) => {
        const text = formatDuration(millis);
        const back = parseDuration(text.replace('min', 'm').replaceAll(' ', ''));
        assert.ok(
          back !== undefined && Math.abs(back - millis) < (millis > DAY ? HOUR : millis > HOUR ? MINUTE : 1000),
          `${millis} ms is not ${text}`,
        );
      }),
    );
  });
});

describe('unmergeObstacle', () => {
  const PAGE = 4096;
  const figures: MemoryFigures = {
    memTotalBytes: 2 ** 34,
    memFreeBytes: 500 * PAGE,
    memAvailableBytes: 1000 * PAGE,
    buffersBytes: 0,
    cachedBytes: 0,
    shmemBytes: 0,
    swapTotalBytes: 2 ** 40,
    swapFreeBytes: 2 ** 40,
    hugetlbBytes: 0,
    reclaimableArcBytes: 0,
  };
  const sharing = (pagesSharing: number, ksmZeroPages?: number) => ({
    ...IDLE_KSM,
    pagesSharing,
    ...(ksmZeroPages === undefined ? {} : { ksmZeroPages }),
  });
  const { memAvailableBytes, ...old } = figures;

  const rows = [
    { name: 'nothing is shared', ksm: sharing(0), memory: figures, fits: true },
    {
      name: 'nothing is shared and nothing is available',
      ksm: sharing(0),
      memory: { ...old, memFreeBytes: 0 },
      fits: true,
    },
    { name: 'nine tenths of what is available', ksm: sharing(900), memory: figures, fits: true },
    { name: 'one page more, with swap to spare', ksm: sharing(901), memory: figures, fits: false },
    { name: 'with pages mapped to the zero page, just so', ksm: sharing(400, 500), memory: figures, fits: true },
    { name: 'with pages mapped to the zero page, one too many', ksm: sharing(401, 500), memory: figures, fits: false },
    { name: 'an old kernel: nine tenths of what is free', ksm: sharing(450), memory: old, fits: true },
    { name: 'an old kernel: one page more', ksm: sharing(451), memory: old, fits: false },
    { name: 'one page, nothing available', ksm: sharing(1), memory: { ...figures, memAvailableBytes: 0 }, fits: false },
    {
      name: 'with what ZFS would give back of its cache (MemAvailable does not have it)',
      ksm: sharing(1800),
      memory: { ...figures, reclaimableArcBytes: 1000 * PAGE },
      fits: true,
    },
  ];
  for (const { name, ksm, memory, fits } of rows) {
    test(`an unmerge ${fits ? 'fits' : 'does not fit'}: ${name}`, () => {
      assert.equal(unmergeObstacle(savingsOf(ksm, PAGE), memory) === undefined, fits);
    });
  }

  test('whether an unmerge fits is counted in pages of the host', () => {
    assert.equal(unmergeObstacle(savingsOf(sharing(225), 4 * PAGE), figures), undefined);
    assert.notEqual(unmergeObstacle(savingsOf(sharing(226), 4 * PAGE), figures), undefined);
  });

  test('what splits freed counts for an unmerge too: guests may use it again', () => {
    assert.equal(unmergeObstacle(savingsOf(sharing(400), PAGE, { freedBytes: 500 * PAGE }), figures), undefined);
    assert.equal(
      unmergeObstacle(savingsOf(sharing(401), PAGE, { freedBytes: 500 * PAGE }), figures),
      'unmerging needs 1.6 MiB, and guests may use 2.0 MiB again that splits of huge pages freed; 3.9 MiB are available, of which a tenth must stay free',
    );
  });

  test('the refusal of an unmerge has the figures', () => {
    assert.equal(memAvailableBytes, 1000 * PAGE);
    assert.equal(
      unmergeObstacle(savingsOf(sharing(2_500_000), PAGE), { ...figures, memAvailableBytes: 10 * 1024 ** 3 }),
      'unmerging needs 9.5 GiB; 10.0 GiB are available, of which a tenth must stay free',
    );
  });
});

describe('holdPolicy', () => {
  const policy = ksmtunedPolicy(KSMTUNED_DEFAULTS);
  const memory: PolicyMemory = ksmtunedMemory(700);
  const triggers: readonly Trigger[] = [{ kind: 'timer' }];
  const at = (takenAtMillis: number) => sampleOf({ takenAtMillis, memory: hostOf(16777216, 1000, 16000000) });
  const held = (hold: RestingHold, millis: number) => holdPolicy(policy, hold).decide(memory, at(millis), triggers);

  const rows: { hold: RestingHold; run: number; sentence: RegExp }[] = [
    { hold: { kind: 'paused' }, run: 0, sentence: /^paused by hand: not merging until somebody resumes$/ },
    { hold: { kind: 'stopped' }, run: 0, sentence: /^stopped by hand, shared pages stay shared: not merging until/ },
    { hold: { kind: 'unmerged' }, run: 2, sentence: /^everything is unmerged by hand: not merging until/ },
  ];
  for (const { hold, run, sentence } of rows) {
    test(`${hold.kind} sets run to ${run} and nothing else, whatever memory says, and looks by the timer only`, () => {
      const [next, decision] = held(hold, 0);
      assert.equal(next, memory, 'its memory is left as it is');
      assert.deepEqual({ ...decision, sentence: '' }, { reason: hold.kind, sentence: '', settings: { run } });
      assert.match(decision.sentence, sentence);
    });
  }

  test('a hold goes by the name of the policy that it keeps from deciding', () => {
    assert.equal(holdPolicy(policy, { kind: 'paused' }).name, 'ksmtuned');
  });

  test('a hold has no memory where the policy had none', () => {
    assert.equal(holdPolicy(policy, { kind: 'stopped' }).decide(undefined, at(0), triggers)[0], undefined);
  });

  test('a hold with an end looks again when it ends, and says how long that is', () => {
    const [next, decision] = held({ kind: 'paused', untilMillis: 100_000 }, 55_000);
    assert.equal(next, memory);
    assert.equal(decision.nextInMillis, 45_000);
    assert.equal(decision.sentence, 'paused by hand: not merging for another 45 s, or until somebody resumes');
  });

  test('a hold rests until its last millisecond, and then until there is another plan', () => {
    const hold: RestingHold = { kind: 'paused', untilMillis: 100_000 };
    assert.equal(held(hold, 99_999)[1].nextInMillis, 1);
    for (const millis of [100_000, 100_001, 10 ** 12]) {
      const sentence = 'paused by hand: not merging until now';
      assert.deepEqual(held(hold, millis), [memory, { reason: 'paused', sentence, settings: { run: 0 } }]);
    }
  });

  test('a hold never asks for a look later than a timer can wait: setTimeout takes 31 bits of milliseconds', () => {
    const longest = parseDuration('999999d') ?? Number.NaN;
    const { nextInMillis } = held({ kind: 'paused', untilMillis: longest }, 0)[1];
    assert.ok(nextInMillis !== undefined && nextInMillis <= 2 ** 31 - 1, String(nextInMillis));
  });
});
