import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Decision } from '../../src/core/decision.js';
import { type AdvisorOptions, advisorPolicy } from '../../src/core/policies/advisor.js';
import type { Sample } from '../../src/core/sample.js';
import {
  ADAPTIVE_DEFAULTS,
  GAIN,
  GIB,
  HALF,
  MIB,
  NEW_KSM,
  PASS,
  PROMISED,
  PolicyHost,
  ROOMY,
  START,
  type Work,
  manual,
  started,
  stopped,
} from './policyHost.js';

/** KSM of Linux 6.8 and newer. */
const ADVISED_KSM = {
  ...NEW_KSM,
  advisorMaxCpu: 70,
  advisorMinPagesToScan: 500,
  advisorMaxPagesToScan: 30_000,
  advisorTargetScanTime: 200,
};

function advised(parts: Partial<Sample> = {}, options: Partial<AdvisorOptions> = {}): PolicyHost {
  const policy = advisorPolicy({ ...ADAPTIVE_DEFAULTS, ...options });
  return new PolicyHost(policy, { ...PROMISED, ksm: ADVISED_KSM, ...parts });
}

const told = ({ reason, settings, nextInMillis, routine = false }: Decision) => [
  reason,
  settings.run,
  settings.advisorMode,
  nextInMillis,
  routine ? 'routine' : 'told',
];

/** A host whose passes have brought nothing more. */
function calm(...options: Parameters<typeof advised>): PolicyHost {
  const host = advised(...options);
  host.look(0, {}, START);
  for (const work of [GAIN, GAIN, PASS, PASS]) host.look(2000, work);
  return host;
}

describe('the advisor', () => {
  test('rests with memory for all, and is left as it is', () => {
    const decision = advised({ ...ROOMY, ksm: ADVISED_KSM }).look(0, {}, START);
    assert.deepEqual(told(decision), ['enough-memory', 0, undefined, 10_000, 'told']);
    assert.deepEqual(decision.settings, { run: 0 });
  });

  test('begins at the page count that the budget allows, with a target that the memory needs at that', () => {
    const decision = advised().look(0, {}, START);
    assert.deepEqual(told(decision), ['advised', 1, 'scan-time', 2000, 'told']);
    assert.deepEqual(decision.settings, {
      sleepMillisecs: 10,
      advisorMaxCpu: 50,
      advisorMinPagesToScan: 1000,
      advisorMaxPagesToScan: 1000,
      // 4 GiB, a million pages of 2 µs, at half a core.
      advisorTargetScanTime: 5,
      advisorMode: 'scan-time',
      run: 1,
    });
    const large = advised({ guests: [{ name: 'a', residentBytes: 256 * GIB, configuredBytes: 256 * GIB }] });
    assert.equal(large.look(0, {}, START).settings.advisorTargetScanTime, 269);
  });

  const budgets: [percent: number, sleepMillisecs: number, pages: number][] = [
    [1, 100, 101],
    [10, 90, 1000],
    [50, 10, 1000],
    [97, 1, 1000],
    [100, 0, 1000],
  ];
  for (const [percent, sleepMillisecs, pages] of budgets) {
    test(`keeps to ${percent} % of a core with the dearest pages`, () => {
      const { settings } = advised({}, { cpuMaxPercent: percent }).look(0, {}, START);
      assert.deepEqual(
        [settings.sleepMillisecs, settings.advisorMaxPagesToScan, settings.advisorMaxCpu],
        [sleepMillisecs, pages, percent],
      );
    });
  }

  test('that is on is switched off and on again, which makes it begin anew', () => {
    const host = advised({ ksm: { ...ADVISED_KSM, advisorMode: 'scan-time', run: 1 } });
    assert.deepEqual(told(host.look(0, {}, START)), ['advised', 1, 'none', 50, 'told']);
    assert.deepEqual(told(host.look(50)), ['advised', 1, 'scan-time', 2000, 'routine']);
  });

  test('is slowed down by each pass in vain after the second, up to an hour for a pass', () => {
    const host = calm();
    const targets = [...Array<Work>(13).fill(PASS)].map(
      (work) => host.look(10_000, work).settings.advisorTargetScanTime,
    );
    assert.deepEqual(targets, [20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600, 3600, 3600]);
    const decision = host.look(10_000);
    assert.deepEqual(told(decision), ['advised', 1, 'scan-time', 10_000, 'routine']);
    assert.equal(decision.settings.advisorMinPagesToScan, 16);
    assert.equal(decision.settings.advisorTargetScanTime, 3600, 'no pass has ended');
  });

  test('is quick again when passes bring something', () => {
    const host = calm();
    assert.equal(host.look(10_000).settings.advisorMinPagesToScan, 16);
    assert.equal(host.look(10_000, GAIN).settings.advisorMinPagesToScan, 1000);
  });

  test('takes smaller batches where pages were dearer than thought', () => {
    const host = advised();
    host.look(0, {}, START);
    assert.equal(
      host.look(2000, { cpuMillis: 1000, scanned: 9999 }).settings.advisorMaxPagesToScan,
      1000,
      'too few pages to tell',
    );
    assert.equal(host.look(2000, { cpuMillis: 1000, scanned: 50_000 }).settings.advisorMaxPagesToScan, 500);
    assert.equal(host.look(2000, { cpuMillis: 1000, scanned: 500_000 }).settings.advisorMaxPagesToScan, 500);
  });
});

describe('the advisor begins anew', () => {
  test('for a guest, once it has settled', () => {
    const host = calm();
    const have = (mib: number) => {
      host.have({ a: GIB, b: GIB, c: GIB, d: GIB, e: mib * MIB });
    };
    have(100);
    assert.deepEqual(told(host.look(1000, {}, started('e'))).slice(0, 3), ['advised', 1, 'scan-time']);
    for (const mib of [400, 900, 900]) {
      have(mib);
      assert.equal(host.look(2000).settings.advisorMode, 'scan-time');
    }
    const anew = host.look(2000);
    assert.deepEqual(told(anew), ['advised', 1, 'none', 50, 'told']);
    assert.match(anew.sentence, /; guest e has come: the kernel's advisor/);
    assert.equal(anew.settings.advisorTargetScanTime, 6);
  });

  test('at once when memory is nearly out', () => {
    const host = calm({ memory: { totalBytes: 16 * GIB, freeBytes: GIB, committedBytes: 0 } });
    host.have({ a: GIB, e: 0 });
    assert.equal(host.look(1000, {}, started('e')).settings.advisorMode, 'none');
  });

  test('when somebody asks, and when memory becomes short', () => {
    assert.equal(calm().look(1000, {}, manual('SIGUSR1')).settings.advisorMode, 'none');
    const host = advised({ ...ROOMY, ksm: ADVISED_KSM });
    host.look(0, {}, START);
    host.change({ memory: { totalBytes: 16 * GIB, freeBytes: 3 * GIB, committedBytes: 0 } });
    assert.deepEqual(told(host.look(10_000)), ['advised', 1, 'scan-time', 2000, 'told']);
  });

  test('under a reload from another policy', () => {
    assert.match(advised().look(0, {}, { kind: 'reload' }).sentence, /; memory is short: the kernel's advisor/);
  });

  test('not for a guest that goes: what went with it is no loss of the passes', () => {
    const host = calm();
    host.look(2000, { ...GAIN });
    host.have({ a: 5 * GIB, b: 4 * GIB, c: 4 * GIB });
    host.changeKsm({ pagesSharing: 0 });
    assert.equal(host.look(2000, PASS, stopped('d')).settings.advisorMinPagesToScan, 1000);
  });
});

describe('each step of the advisor explains itself', () => {
  const NEED = 'guests may use 16.0 GiB + 4.0 GiB reserve > 16.0 GiB';
  const TARGET = "the kernel's advisor aims at a pass in";
  const rows: { name: string; sentence: string; decision: () => Decision }[] = [
    {
      name: 'rest',
      decision: () => advised({ ...ROOMY, ksm: ADVISED_KSM }).look(0, {}, START),
      sentence: 'guests may use 8.0 GiB + 3.2 GiB reserve <= 16.0 GiB and free 12.0 GiB >= 3.2 GiB: not merging',
    },
    {
      name: 'an event',
      decision: () => {
        const host = advised();
        host.look(0, {}, START);
        return host.look(2000, HALF);
      },
      sentence: `${NEED}; samepaged has just started: ${TARGET} 5 s, at most 50 % of a core`,
    },
    {
      name: 'calm',
      decision: () => calm().look(10_000, PASS),
      sentence: `${NEED}; nothing more to gain, 200.0 MiB saved: ${TARGET} 20 s, at most 50 % of a core`,
    },
    {
      name: 'a guest that comes up',
      decision: () => {
        const host = calm();
        host.have({ a: 4 * GIB, b: 4 * GIB, c: 4 * GIB, d: 0 });
        return host.look(1000, {}, started('d'));
      },
      sentence: `${NEED}; d is still filling its memory: ${TARGET} 10 s, at most 50 % of a core`,
    },
    {
      name: 'guests with which merging begins',
      decision: () => {
        const host = advised({ ...ROOMY, ksm: ADVISED_KSM });
        host.look(0, {}, START);
        host.have({ a: GIB, b: GIB, c: 0, d: 0 });
        return host.look(1000, {}, started('c'), started('d'));
      },
      sentence: `guests may use 16.0 GiB + 3.2 GiB reserve > 16.0 GiB; c, d are still filling their memory: ${TARGET} 5 s, at most 50 % of a core`,
    },
  ];
  for (const { name, sentence, decision } of rows) {
    test(name, () => {
      assert.equal(decision().sentence, sentence);
    });
  }

  test('worked through', () => {
    const working = advised().look(0, {}, START).working ?? assert.fail();
    assert.deepEqual(
      working.terms.slice(-2).map(({ name, value, unit }) => [name, value, unit]),
      [
        ['CPU budget', 50, 'percent'],
        ['target', 5000, 'milliseconds'],
      ],
    );
    assert.equal(working.keys.at(-1), 'KSM_CPU_MAX');
  });
});
