import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Decision } from '../../../../../src/core/decision.js';
import { adaptivePolicy } from '../../../../../src/core/policies/adaptive/policy.js';
import { firstPace } from '../../../../../src/core/policies/shared/pace.js';
import {
  ADAPTIVE_DEFAULTS,
  GAIN,
  GIB,
  HALF,
  NEW_KSM,
  PASS,
  PolicyHost,
  START,
  type Work,
  bursting,
  manual,
  stopped,
  watching,
} from '../../../../support/policies/policyHost.js';

const reasons = (decisions: readonly Decision[]) => decisions.map(({ reason }) => reason);
const pace = ({ settings }: Decision) => [settings.pagesToScan, settings.sleepMillisecs];
const FIRST = [firstPace(0.5).pagesToScan, firstPace(0.5).sleepMillisecs];

describe('adaptive survives', () => {
  for (const [name, begun] of Object.entries({ 'a burst': bursting, 'a rest': watching })) {
    test(`adaptive survives an unmerge during ${name}: it begins anew`, () => {
      const host = begun();
      host.changeKsm({ fullScans: 0, pagesShared: 0, pagesSharing: 0, pagesUnshared: 0 });
      const decision = host.look(500, { cpuMillis: 100 });
      assert.match(decision.sentence, /; what was merged has been unmerged: merging/);
      assert.deepEqual([...pace(decision), decision.settings.run], [...FIRST, 1]);
      assert.deepEqual(reasons([GAIN, GAIN, PASS, PASS].map((work) => host.look(250, work))), [
        ...Array<string>(3).fill('burst'),
        'nothing-to-gain',
      ]);
    });
  }

  test('adaptive survives all counters beginning anew, in every phase', () => {
    const probing = watching();
    probing.lookUntil(({ reason }) => reason === 'probe');
    for (const host of [bursting(), watching(), probing]) {
      host.change({ ksm: { ...NEW_KSM, run: host.sample.ksm.run } });
      host.cpuNanos = 0;
      const decision = host.look(250, { cpuMillis: 10 });
      assert.equal(decision.settings.run, 1);
      assert.deepEqual(pace(decision), FIRST);
    }
  });

  test('adaptive survives a guest that migrates away in mid-burst: the pass that lost what it saved counts for half', () => {
    const host = bursting();
    const sharing = host.sample.ksm.pagesSharing;
    host.have({ a: GIB, b: GIB, c: GIB, e: 4 * GIB });
    host.changeKsm({ pagesSharing: Math.trunc(sharing / 2) });
    const looks = [host.look(250, PASS, stopped('d')), host.look(250, PASS), host.look(250, PASS)];
    assert.deepEqual(reasons(looks), ['burst', 'burst', 'nothing-to-gain']);
  });

  test('adaptive survives the last guest that goes in mid-burst', () => {
    const host = bursting();
    host.have({});
    host.changeKsm({ pagesShared: 0, pagesSharing: 0, pagesUnshared: 0 });
    const decision = host.look(250, HALF, ...['a', 'b', 'c', 'd'].map(stopped));
    assert.deepEqual([decision.reason, decision.settings], ['enough-memory', { run: 0 }]);
  });

  test('adaptive survives a guest that goes unseen: one pass at a loss is not the end', () => {
    const host = bursting();
    host.changeKsm({ pagesSharing: 0 });
    assert.equal(host.look(250, PASS).reason, 'burst');
    assert.equal(host.look(250, GAIN).reason, 'burst');
  });

  test('adaptive survives the clock of the wall being set: nothing depends on it', () => {
    const run = (jump: number) => {
      const host = watching();
      return [...Array<undefined>(100)].map((_, look) => {
        if (look === 10) host.change({ takenAtMillis: host.sample.takenAtMillis + jump });
        return host.look(2000, host.phase.name === 'probe' ? HALF : {});
      });
    };
    assert.deepEqual(run(86_400_000), run(0));
    assert.deepEqual(run(-86_400_000), run(0));
  });

  test('adaptive survives a long sleep of its own in mid-burst: at most half a second is made up for', () => {
    const host = bursting();
    host.changeKsm({ run: 1 });
    const [pages = 0] = pace(host.look(3_600_000, HALF));
    assert.ok(pages <= 4 * 4000, String(pages));
    const after = [1, 2, 3].map(() => host.look(250, { ...HALF, cpuMillis: 125 }));
    assert.ok(after.every(({ settings }) => (settings.pagesToScan ?? 0) <= 32_768));
  });

  test('adaptive survives a hold in mid-burst: afterwards it goes on at the first pace', () => {
    const host = bursting();
    host.changeKsm({ run: 0 });
    assert.deepEqual(pace(host.look(3_600_000, {}, manual('D-Bus Resume'))), FIRST);
  });

  test('adaptive survives a budget changed by a reload in mid-burst', () => {
    const host = bursting();
    host.reload(adaptivePolicy({ ...ADAPTIVE_DEFAULTS, cpuMaxPercent: 10 }));
    const slower = host.look(250, HALF, { kind: 'reload' });
    const { pagesToScan, sleepMillisecs } = firstPace(0.1);
    assert.deepEqual(pace(slower), [pagesToScan, sleepMillisecs]);
    assert.match(
      slower.sentence,
      /^.*; samepaged has just started: merging with up to 10 % of a core; 135.8 MiB gained in 2 passes/,
    );
    host.reload(adaptivePolicy({ ...ADAPTIVE_DEFAULTS, cpuMaxPercent: 100 }));
    assert.deepEqual(pace(host.look(250, HALF, { kind: 'reload' })), [1000, 0]);
    assert.equal(host.look(250, PASS).reason, 'burst');
    assert.equal(host.look(250, PASS).reason, 'nothing-to-gain');
  });
});

describe('adaptive does not go on for nothing', () => {
  test('adaptive ends the burst where no memory is offered to ksmd, since no pass ever would', () => {
    const host = PolicyHost.adaptive();
    host.look(0, {}, START);
    const end = host.lookUntil(({ reason }) => reason !== 'burst').at(-1);
    assert.ok(host.counters.monotonicMillis < 11_000);
    assert.deepEqual([end?.reason, end?.settings.run, end?.routine], ['nothing-to-gain', 0, false]);
  });

  test('in a dry run, in which ksmd does not run, adaptive does not take it for starved', () => {
    const host = PolicyHost.adaptive();
    host.look(0, {}, START);
    for (let look = 0; look < 100; look += 1) {
      host.changeKsm({ run: 0 });
      const decision = host.look(500);
      assert.deepEqual([decision.reason, ...pace(decision)], ['burst', ...FIRST]);
    }
  });

  test('adaptive has few bursts and few looks when pressure comes and goes', () => {
    const host = watching({ memory: { totalBytes: 16 * GIB, freeBytes: 2.5 * GIB, committedBytes: 0 } });
    let [looks, bursts, next] = [0, 0, 250];
    const from = host.counters.monotonicMillis;
    for (; host.counters.monotonicMillis - from < 3_600_000; looks += 1) {
      const seconds = (host.counters.monotonicMillis - from) / 1000;
      host.change({ memoryPressurePercent: seconds % 20 < 10 ? 40 : 1 });
      const { name } = host.phase;
      const work = { burst: PASS, probe: HALF, watch: {}, rest: {}, settle: {} }[name];
      const decision = host.look(next, work);
      if (decision.reason === 'burst' && name !== 'burst') bursts += 1;
      next = decision.nextInMillis ?? 0;
    }
    assert.equal(bursts, 5, 'after 1, 2, 4, 8 and 16 minutes: the first was worth it, no other was');
    assert.ok(looks < 3000, `${looks} looks in an hour`);
  });

  for (const [second, reason] of [
    [59, 'nothing-to-gain'],
    [60, 'burst'],
  ] as const) {
    test(`the decision of adaptive when pressure comes ${second} s after a burst is ${reason}`, () => {
      const host = watching({ memory: { totalBytes: 16 * GIB, freeBytes: 2.5 * GIB, committedBytes: 0 } });
      host.change({ memoryPressurePercent: 40 });
      assert.equal(host.look(second * 1000).reason, reason);
    });
  }

  test('adaptive does not begin the burst again when pressure comes in mid-burst', () => {
    const host = bursting({ memory: { totalBytes: 16 * GIB, freeBytes: 2.5 * GIB, committedBytes: 0 } });
    for (let look = 0; look < 20; look += 1) {
      host.change({ memoryPressurePercent: look % 2 === 0 ? 40 : 1 });
      host.look(250, HALF);
    }
    assert.deepEqual(
      [PASS, PASS].map((work) => host.look(250, work).reason),
      ['burst', 'nothing-to-gain'],
    );
  });

  test('adaptive calls a pass long from ten minutes on', () => {
    const after = (millis: number, work: Work) => {
      const host = PolicyHost.adaptive();
      host.look(0, {}, START);
      return host.look(millis, { cpuMillis: millis / 2, scanned: 1000, unshared: 1000, ...work }).sentence;
    };
    const pass: Work = { passes: 1 };
    assert.match(after(599_999, {}), /; samepaged has just started: merging with up to 50 % of a core$/);
    assert.match(after(600_000, {}), /; the first pass has taken 10 min so far, KSM_CPU_MAX makes it shorter$/);
    assert.match(after(599_998, pass), /one pass for 300.0 s of CPU$/);
    assert.match(after(600_000, pass), /; a pass takes 10 min, KSM_CPU_MAX makes it shorter$/);
    assert.match(
      after(3_600_000, { cpuMillis: 300_000 }),
      / has taken 10 min so far, /,
      'ksmd was held for 50 of 60 min',
    );
    assert.match(after(3_600_000, { ...pass, cpuMillis: 300_000 }), /; a pass takes 10 min, /);
    assert.doesNotMatch(after(3_600_000, { cpuMillis: 0 }), /pass/, 'a dry run');
  });

  test('on a host that ksmd cannot keep up with, adaptive reports passes that take an hour, and they end', () => {
    const host = PolicyHost.adaptive();
    host.look(0, {}, START);
    const hour = (work: Work) => {
      for (let look = 0; look < 1800; look += 1) host.look(2000, { cpuMillis: 1000, scanned: 100_000, volatile: 5000 });
      return host.look(2000, work);
    };
    assert.match(hour({}).sentence, /; the first pass has taken 1 h so far, KSM_CPU_MAX makes it shorter$/);
    assert.match(hour(PASS).sentence, /gained in one pass for .*; a pass takes 2 h, KSM_CPU_MAX makes it shorter$/);
    assert.deepEqual([hour(PASS).reason, hour(PASS).reason], ['burst', 'costs-more-than-it-saves']);
  });
});
