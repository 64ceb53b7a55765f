import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Decision } from '../../../../../src/core/decision.js';
import { simulate } from '../../../../support/simulation/simulate.js';
import { DEFAULT_SIZES, scenario } from '../../../../../src/simulation/step.js';
import { planFrom } from '../../../../support/examples/examples.js';
import { ADVISED_KSM, advise, advised, calm, inLongCalm } from '../../../../support/policies/advisorHost.js';
import {
  GAIN,
  GIB,
  HALF,
  MIB,
  PAGES_PER_MIB,
  PASS,
  ROOMY,
  START,
  manual,
  started,
  stopped,
  type Work,
} from '../../../../support/policies/policyHost.js';

const told = ({ reason, settings, nextInMillis, routine = false }: Decision) => [
  reason,
  settings.run,
  settings.advisorMode,
  nextInMillis,
  routine ? 'routine' : 'told',
];

describe('the advisor', () => {
  test('the policy advisor rests with memory for all, and is left as it is', () => {
    const decision = advised({ ...ROOMY, ksm: ADVISED_KSM }).look(0, {}, START);
    assert.deepEqual(told(decision), ['enough-memory', 0, undefined, 10_000, 'told']);
    assert.deepEqual(decision.settings, { run: 0 });
  });

  test('the policy advisor begins at the page count that the budget allows, with a target that the memory needs at that', () => {
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
    test(`the policy advisor keeps to ${percent} % of a core with the dearest pages`, () => {
      const { settings } = advised({}, { cpuMaxPercent: percent }).look(0, {}, START);
      assert.deepEqual(
        [settings.sleepMillisecs, settings.advisorMaxPagesToScan, settings.advisorMaxCpu],
        [sleepMillisecs, pages, percent],
      );
    });
  }

  test('an advisor that is on is switched off and on again, so that it restarts', () => {
    const host = advised({ ksm: { ...ADVISED_KSM, advisorMode: 'scan-time', run: 1 } });
    assert.deepEqual(told(host.look(0, {}, START)), ['advised', 1, 'none', 50, 'told']);
    assert.deepEqual(told(host.look(50)), ['advised', 1, 'scan-time', 2000, 'routine']);
  });

  test('the advisor is slowed down by each pass in vain after the second, up to an hour for a pass', () => {
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

  test('the advisor is left alone while its page count is about right, and begins anew where it is far from that', () => {
    const modeAt = (pagesToScan: number) => {
      const host = calm();
      host.changeKsm({ pagesToScan });
      return host.look(10_000).settings.advisorMode;
    };
    // A raised minimum comes into force at the end of a pass only.
    assert.deepEqual([1, 17, 18, 72, 73].map(modeAt), ['none', 'none', 'scan-time', 'scan-time', 'none']);
    const modeAfterAnEvent = (pagesToScan: number) => {
      const host = advised();
      host.look(0, {}, START);
      host.changeKsm({ pagesToScan });
      return host.look(2000, HALF).settings.advisorMode;
    };
    assert.deepEqual([499, 500, 2000, 2001].map(modeAfterAnEvent), ['none', 'scan-time', 'scan-time', 'none']);
  });

  test('the advisor is quick again, with a short target, when a slow pass brings something, before its end too', () => {
    for (const work of [GAIN, { ...GAIN, passes: 0 }]) {
      const host = inLongCalm();
      const anew = host.look(10_000, work);
      assert.deepEqual(told(anew), ['advised', 1, 'none', 50, 'told']);
      const { settings } = host.look(50);
      assert.deepEqual([settings.advisorMinPagesToScan, settings.advisorTargetScanTime], [1000, 5]);
      for (const target of [5, 5, 20, 80])
        assert.equal(advise(host, 10_000, PASS).settings.advisorTargetScanTime, target);
    }
  });

  test('the advisor stays slow for what is not worth two fast passes: 4 MiB of profit for a CPU second', () => {
    // Two passes over 64 GiB, 16.8 million pages of 2 µs, are 67 CPU seconds; a page costs 64 bytes.
    const guests = [{ name: 'a', residentBytes: 64 * GIB, configuredBytes: 64 * GIB }];
    const targetAfter = (merged: number) =>
      inLongCalm({ guests }).look(10_000, { ...PASS, merged }).settings.advisorTargetScanTime;
    assert.deepEqual(
      [270, 275].map((mib) => targetAfter(mib * PAGES_PER_MIB)),
      [3600, 68],
    );
  });

  test('the advisor is quick for half as much up to Linux 6.10, as one pass merges what equals shared pages', () => {
    const guests = [{ name: 'a', residentBytes: 64 * GIB, configuredBytes: 64 * GIB }];
    const targetOn = (minor: number, merged: number) => {
      const host = inLongCalm({ guests, kernel: { major: 6, minor } });
      host.changeKsm({ pagesShared: 1 });
      return host.look(10_000, { ...PASS, merged: merged * PAGES_PER_MIB }).settings.advisorTargetScanTime;
    };
    assert.deepEqual([targetOn(10, 133), targetOn(10, 138), targetOn(11, 138)], [3600, 68, 3600]);
  });

  test('the advisor is quick when a slow pass brings less than a guest that has gone took with it', () => {
    const host = inLongCalm();
    host.have({ a: 5 * GIB, b: 5 * GIB, c: 5 * GIB });
    host.changeKsm({ pagesSharing: 0 });
    host.look(2000, {}, stopped('d'));
    assert.match(host.look(10_000, GAIN).sentence, /a slow pass found pages to merge/);
  });

  test('the advisor stays slow for a guest that is still coming up, whatever passes bring', () => {
    const host = inLongCalm();
    host.have({ a: GIB, b: GIB, c: GIB, d: GIB, e: 0 });
    host.look(1000, {}, started('e'));
    host.have({ a: GIB, b: GIB, c: GIB, d: GIB, e: GIB });
    assert.equal(host.look(2000, GAIN).settings.advisorTargetScanTime, 3600);
  });

  test('the advisor waits as slowly for a guest with which merging begins again', () => {
    const host = advised();
    host.look(0, {}, START);
    host.look(2000, { ...HALF, volatile: 1_000_000 });
    host.have({ a: GIB });
    assert.equal(host.look(2000, {}, stopped('b')).reason, 'enough-memory');
    host.have({ a: GIB, b: 0, c: 0, d: 0 });
    const { settings } = host.look(2000, {}, ...['b', 'c', 'd'].map(started));
    assert.deepEqual([settings.advisorMinPagesToScan, settings.advisorTargetScanTime], [4, 3600]);
  });

  test('the advisor takes smaller batches where pages were dearer than thought', () => {
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
  test('the advisor begins anew for a guest, once it has settled', () => {
    const host = calm();
    const have = (mib: number) => {
      host.have({ a: GIB, b: GIB, c: GIB, d: GIB, e: mib * MIB });
    };
    have(100);
    const first = host.look(1000, {}, started('e'));
    assert.deepEqual(told(first).slice(0, 3), ['advised', 1, 'scan-time']);
    assert.deepEqual(first.stage, { name: 'waiting', endInMillis: 180_000 }, 'three minutes at most');
    for (const mib of [400, 900, 900]) {
      have(mib);
      assert.equal(host.look(2000).settings.advisorMode, 'scan-time');
    }
    const anew = host.look(2000);
    assert.deepEqual(told(anew), ['advised', 1, 'none', 50, 'told']);
    assert.match(anew.sentence, /; guest e started: the kernel's advisor/);
    assert.equal(anew.settings.advisorTargetScanTime, 6);
  });

  test('the advisor begins anew for a guest of the first retune that turns out to grow, once it has settled', () => {
    const host = advised();
    const have = (mib: number) => {
      host.have({ a: 4 * GIB, b: 4 * GIB, c: 4 * GIB, d: mib * MIB });
    };
    have(100);
    assert.match(host.look(0, {}, START).sentence, /; samepaged has just started: /, 'nobody is known to grow');
    have(400);
    assert.match(host.look(2000, GAIN).sentence, /; samepaged has just started: /);
    const settling = [PASS, PASS].map((work) => advise(host, 1200, work));
    assert.match(settling.at(-1)?.sentence ?? '', /; d is still filling its memory: /);
    assert.match(host.look(2000).sentence, /; guest d started: /);
  });

  test('the advisor begins anew at once when memory is nearly out', () => {
    const host = calm({ memory: { totalBytes: 16 * GIB, freeBytes: GIB, committedBytes: 0 } });
    host.have({ a: GIB, e: 0 });
    assert.equal(host.look(3000, {}, started('e')).settings.advisorMode, 'none');
  });

  test('the advisor begins anew when somebody asks, and when memory becomes short', () => {
    assert.equal(calm().look(3000, {}, manual('SIGUSR1')).settings.advisorMode, 'none');
    assert.equal(calm().look(1000, {}, manual('SIGUSR1')).settings.advisorMode, 'scan-time', 'switched a second ago');
    const host = advised({ ...ROOMY, ksm: ADVISED_KSM });
    host.look(0, {}, START);
    host.change({ memory: { totalBytes: 16 * GIB, freeBytes: 3 * GIB, committedBytes: 0 } });
    assert.deepEqual(told(host.look(10_000)), ['advised', 1, 'scan-time', 2000, 'told']);
  });

  test('the advisor begins anew when tasks wait for memory, but not again and again for nothing', () => {
    const waitedAfter = (vainBursts: number): boolean[] => {
      const isAnewAfter = (millis: number) => {
        const host = calm();
        for (let bursts = 0; bursts < vainBursts; bursts += 1) {
          host.look(10_000, {}, manual('SIGUSR1'));
          for (const work of [PASS, PASS, PASS]) advise(host, 2000, work);
        }
        host.change({ memoryPressurePercent: 60 });
        return host.look(millis).settings.advisorTargetScanTime === 5;
      };
      const waitMillis = 60_000 * 2 ** vainBursts;
      return [waitMillis - 1000, waitMillis].map(isAnewAfter);
    };
    for (const vainBursts of [0, 1, 5]) assert.deepEqual(waitedAfter(vainBursts), [false, true], String(vainBursts));
  });

  test('a guest that stops does not restart the advisor', () => {
    const host = calm();
    host.look(2000, { ...GAIN });
    host.have({ a: 5 * GIB, b: 4 * GIB, c: 4 * GIB });
    host.changeKsm({ pagesSharing: 0 });
    assert.equal(host.look(2000, PASS, stopped('d')).settings.advisorMinPagesToScan, 1000);
  });
});

test('pages that begin to be alike without an event are found by the advisor, and reported as such', () => {
  const { trace, figures } = simulate({
    story: scenario('quiet-change', DEFAULT_SIZES),
    plan: planFrom({ KSM_POLICY: 'advisor', KSM_CPU_MAX: '70' }),
    durationMillis: 4 * 3_600_000,
  });
  assert.ok(figures.reachedShare > 0.99, String(figures.reachedShare));
  assert.ok(trace.retunes.some(({ decision }) => decision.sentence.includes('a slow pass found pages to merge')));
});
