import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Decision } from '../../../../../src/core/decision.js';
import {
  GAIN,
  GIB,
  HALF,
  MIB,
  OLD_KSM,
  PolicyHost,
  ROOMY,
  START,
  bursting,
  guestOf,
  manual,
  started,
  watching,
} from '../../../../support/policies/policyHost.js';

const NEED = 'guests may use 16.0 GiB + 3.2 GiB reserve > 16.0 GiB';
/** The same with the quarter more of the reserve that would end merging. */
const STILL = 'guests may use 16.0 GiB + 4.0 GiB reserve > 16.0 GiB';

function with5(host: PolicyHost, mib: number, names: readonly string[] = ['e']): void {
  const there = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, GIB]));
  host.have({ ...there, ...Object.fromEntries(names.map((name) => [name, mib * MIB])) });
}

describe('each step explains itself', () => {
  const rows: { name: string; sentence: string; decision: () => Decision }[] = [
    {
      name: 'the rest with memory for all',
      decision: () => PolicyHost.adaptive(ROOMY).look(0, {}, START),
      sentence: 'guests may use 8.0 GiB + 3.2 GiB reserve <= 16.0 GiB and free 12.0 GiB >= 3.2 GiB: not merging',
    },
    {
      name: 'a burst at the start',
      decision: () => PolicyHost.adaptive().look(0, {}, START),
      sentence: `${NEED}; samepaged has just started: merging with up to 50 % of a core`,
    },
    {
      name: 'a burst with KSM_WHEN=always',
      decision: () => PolicyHost.adaptive(ROOMY, { when: 'always', cpuMaxPercent: 30 }).look(0, {}, manual('SIGUSR1')),
      sentence:
        'guests may use 8.0 GiB + 3.2 GiB reserve <= 16.0 GiB and free 12.0 GiB >= 3.2 GiB (KSM_WHEN=always); asked for by SIGUSR1: merging with up to 30 % of a core',
    },
    {
      name: 'a burst under the policy that was set just now',
      decision: () => PolicyHost.adaptive().look(0, {}, { kind: 'reload' }),
      sentence: `${NEED}; the policy adaptive has just begun: merging with up to 50 % of a core`,
    },
    {
      name: 'a burst after a pass',
      decision: () => {
        const host = PolicyHost.adaptive();
        host.look(0, {}, START);
        return host.look(250, GAIN);
      },
      sentence: `${STILL}; samepaged has just started: merging with up to 50 % of a core; 98.4 MiB gained in one pass for 0.1 s of CPU`,
    },
    {
      name: 'a burst that has brought something',
      decision: () => bursting().look(250, HALF),
      sentence: `${STILL}; samepaged has just started: merging with up to 50 % of a core; 135.8 MiB gained in 2 passes for 0.4 s of CPU`,
    },
    {
      name: 'rest after a burst',
      decision: () => watching().look(10_000),
      sentence: `${STILL}, but there is nothing more to gain (200.0 MiB saved for 64.2 MiB of bookkeeping, after 4 passes): resting, next probe in 50 s`,
    },
    {
      name: 'rest at a loss, the guests that only cost by name',
      decision: () => {
        const host = watching();
        const guests = ['a', 'b', 'c', 'd', 'e'].map((name) => guestOf(name, GIB, 3 * GIB));
        host.change({ guests: guests.map((guest, at) => ({ ...guest, ksmProfitBytes: at === 0 ? 1 : -MIB })) });
        return host.look(1000, { merged: -50_000 });
      },
      sentence:
        'guests may use 15.0 GiB + 4.0 GiB reserve > 16.0 GiB, but merging takes more memory than it saves (4.7 MiB saved for 61.1 MiB of bookkeeping, after 4 passes): resting, next probe in 59 s; b, c, d and 1 more only cost: hardly a page is shared',
    },
    {
      name: 'rest with one guest that only costs',
      decision: () => {
        const host = watching();
        host.change({
          guests: host.sample.guests.map((guest, at) => (at > 0 ? guest : { ...guest, ksmProfitBytes: -1 })),
        });
        return host.look(30_000);
      },
      sentence: `${STILL}, but there is nothing more to gain (200.0 MiB saved for 64.2 MiB of bookkeeping, after 4 passes): resting, next probe in 30 s; a only costs: hardly a page is shared`,
    },
    {
      name: 'rest where nothing can be merged',
      decision: () => {
        const host = PolicyHost.adaptive();
        host.look(0, {}, START);
        return host.look(10_000);
      },
      sentence: `${STILL}, but no memory is offered for merging (0 B saved for 0 B of bookkeeping): resting, next probe in 1 min`,
    },
    {
      name: 'a probe',
      decision: () =>
        watching()
          .lookUntil(({ reason }) => reason === 'probe')
          .at(-1) ?? assert.fail(),
      sentence: `${STILL}: ksmd scans a little memory to see whether anything has changed`,
    },
    {
      name: 'a guest that comes',
      decision: () => {
        const host = watching();
        with5(host, 10);
        return host.look(1000, {}, started('e'));
      },
      sentence:
        'guests may use 20.0 GiB + 4.0 GiB reserve > 16.0 GiB: merging is wanted, but e is still filling its memory, so it waits',
    },
    {
      name: 'guests that came',
      decision: () => {
        const host = watching();
        with5(host, 100, ['e', 'f']);
        host.look(1000, {}, started('e'), started('f'));
        return host.look(5000);
      },
      sentence:
        'guests may use 24.0 GiB + 4.0 GiB reserve > 16.0 GiB; guest e and 1 other started: merging with up to 50 % of a core',
    },
    {
      name: 'guests that came with little',
      decision: () => {
        const host = watching();
        with5(host, 10, ['e', 'f']);
        host.look(1000, {}, started('e'), started('f'));
        return host.look(5000);
      },
      sentence:
        'guests may use 24.0 GiB + 4.0 GiB reserve > 16.0 GiB, but there is nothing more to gain (200.0 MiB saved for 64.2 MiB of bookkeeping, after 4 passes): resting, next probe in 54 s; guest e and 1 other started (20.0 MiB), too little for a burst of its own (21.0 MiB)',
    },
    {
      name: 'memory that becomes short, and nearly runs out',
      decision: () => {
        const host = PolicyHost.adaptive(ROOMY);
        host.look(0, {}, START);
        host.change({ memory: { totalBytes: 16 * GIB, freeBytes: GIB, committedBytes: 0 } });
        return host.look(10_000);
      },
      sentence: 'free 1.0 GiB < 3.2 GiB; memory is nearly out: merging with up to 50 % of a core',
    },
    {
      name: 'memory that becomes short',
      decision: () => {
        const host = PolicyHost.adaptive(ROOMY);
        host.look(0, {}, START);
        host.change({ memory: { totalBytes: 16 * GIB, freeBytes: 3 * GIB, committedBytes: 0 } });
        return host.look(10_000);
      },
      sentence: 'free 3.0 GiB < 3.2 GiB; memory has become short: merging with up to 50 % of a core',
    },
  ];
  for (const { name, sentence, decision } of rows) {
    test(`adaptive explains ${name}`, () => {
      assert.equal(decision().sentence, sentence);
    });
  }

  test('adaptive explains its working: budget, profit and bookkeeping besides memory', () => {
    const working = (host: PolicyHost) => host.look(250, HALF).working ?? assert.fail();
    const { terms, keys } = working(bursting());
    assert.deepEqual(
      terms.slice(-4).map(({ name, value, source }) => [name, value, source]),
      [
        ['CPU budget', 50, 'KSM_CPU_MAX, of one core'],
        ['shared', 209_715_200, 'pages_sharing'],
        ['profit', 142_438_400, 'general_profit, and what splits freed'],
        ['bookkeeping', 67_276_800, 'the saved pages less general_profit'],
      ],
    );
    assert.deepEqual(keys.slice(-2), ['KSM_CPU_MAX', 'KSM_PROBE_MAX']);
    const reckoned = working(bursting({ ksm: OLD_KSM })).terms.find(({ name }) => name === 'profit');
    assert.deepEqual([reckoned?.value, reckoned?.source], [142_438_400, 'what is saved less its bookkeeping']);
  });

  const waiting = (host: PolicyHost, ...names: readonly string[]) => {
    with5(host, 10, names);
    host.look(1000, {}, ...names.map(started));
    return host.look(250).working ?? assert.fail();
  };
  const numbers = ({ terms }: ReturnType<typeof waiting>, ...names: readonly string[]) =>
    terms.filter(({ name }) => names.includes(name)).map(({ name, value, unit }) => [name, value, unit]);

  test('adaptive explains its working while guests fill their memory: how many, and what ends the wait', () => {
    const working = waiting(watching(), 'e', 'f');
    assert.deepEqual(numbers(working, 'filling guests'), [['filling guests', 2, 'count']]);
    assert.equal(working.change, 'merging begins when they stop growing');
  });

  test('adaptive explains its working while settled guests wait: their memory and the longest wait', () => {
    const host = watching();
    with5(host, 200);
    host.look(1000, {}, started('e'));
    host.look(2000);
    with5(host, 200, ['e', 'f']);
    const { terms, change } = host.look(1000, {}, started('f')).working ?? assert.fail();
    const found = Object.fromEntries(terms.map(({ name, value }) => [name, value]));
    assert.equal(found['settled'], 200 * MIB);
    assert.ok((found['longest wait'] ?? 0) > 0 && (found['longest wait'] ?? 0) < 2000, JSON.stringify(found));
    assert.match(change ?? '', /^merging begins when they stop growing, or in \d s$/);
  });

  test('adaptive explains its working while guests brought too little: what came against what is worth a burst', () => {
    const host = watching();
    with5(host, 10, ['e', 'f']);
    host.look(1000, {}, started('e'), started('f'));
    const working = host.look(5000).working ?? assert.fail();
    assert.deepEqual(numbers(working, 'new guests', 'next probe'), [
      ['new guests', 20 * MIB, 'bytes'],
      ['next probe', 54_000, 'milliseconds'],
    ]);
    assert.equal(working.comparisons.at(-1), 'new guests 20.0 MiB < 21.0 MiB worth a burst');
    assert.equal(working.change, 'merging begins when new guests bring 1.0 MiB more, or a probe finds changes');
  });
});
