import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Decision } from '../../src/core/decision.js';
import { ADVISED_KSM, advise, advised, calm } from './advisorHost.js';
import { GAIN, GIB, HALF, MIB, PASS, ROOMY, START, manual, started, stopped, type Work } from './policyHost.js';

const told = ({ reason, settings, nextInMillis, routine = false }: Decision) => [
  reason,
  settings.run,
  settings.advisorMode,
  nextInMillis,
  routine ? 'routine' : 'told',
];

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
    const paces = [...Array<Work>(5).fill(PASS)].map((work) => {
      const { advisorTargetScanTime, advisorMinPagesToScan, advisorMaxPagesToScan } = advise(
        host,
        10_000,
        work,
      ).settings;
      assert.equal(advisorMinPagesToScan, advisorMaxPagesToScan);
      return [advisorTargetScanTime, advisorMinPagesToScan];
    });
    // 51200 pages within the target, a batch every 14 ms.
    assert.deepEqual(paces, [
      [80, 9],
      [320, 3],
      [1280, 1],
      [3600, 1],
      [3600, 1],
    ]);
    const decision = host.look(10_000);
    assert.deepEqual(told(decision), ['advised', 1, 'scan-time', 10_000, 'routine']);
    assert.equal(decision.settings.advisorTargetScanTime, 3600, 'no pass has ended');
  });

  test('is left alone while its page count is about what it should be, and in calm while it is less', () => {
    const modeAt = (pagesToScan: number) => {
      const host = calm();
      host.changeKsm({ pagesToScan });
      return host.look(10_000).settings.advisorMode;
    };
    assert.deepEqual([1, 36, 72, 73].map(modeAt), ['scan-time', 'scan-time', 'scan-time', 'none']);
    const modeAfterAnEvent = (pagesToScan: number) => {
      const host = advised();
      host.look(0, {}, START);
      host.changeKsm({ pagesToScan });
      return host.look(2000, HALF).settings.advisorMode;
    };
    assert.deepEqual([499, 500, 2000, 2001].map(modeAfterAnEvent), ['none', 'scan-time', 'scan-time', 'none']);
  });

  test('is quick again when passes bring something', () => {
    const host = calm();
    assert.equal(host.look(10_000).settings.advisorMinPagesToScan, 36);
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
    assert.equal(host.look(2000, { cpuMillis: 200, scanned: 10_000 }).settings.advisorMaxPagesToScan, 500);
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
    assert.equal(host.look(3000, {}, started('e')).settings.advisorMode, 'none');
  });

  test('when somebody asks, and when memory becomes short', () => {
    assert.equal(calm().look(3000, {}, manual('SIGUSR1')).settings.advisorMode, 'none');
    assert.equal(calm().look(1000, {}, manual('SIGUSR1')).settings.advisorMode, 'scan-time', 'switched a second ago');
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
