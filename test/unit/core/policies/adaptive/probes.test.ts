import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { adaptivePolicy } from '../../../../../src/core/policies/adaptive/policy.js';
import {
  ADAPTIVE_DEFAULTS,
  GIB,
  HALF,
  PAGES_PER_MIB,
  PASS,
  PolicyHost,
  START,
  TIMER,
  type Work,
  manual,
  started,
  stopped,
  watching,
} from '../../../../support/policies/policyHost.js';

/** A little of a probe, and all of the memory that `watching` has. */
const NOTHING: Work = { cpuMillis: 60, scanned: 5000 };
const LAP: Work = { cpuMillis: 60, scanned: 1_100_000 };

const isProbe = ({ reason }: { reason: string }) => reason === 'probe';
const isNoProbe = ({ reason }: { reason: string }) => reason !== 'probe';

/** Seconds until the next probe begins. */
function secondsToProbe(host: PolicyHost): number {
  const from = host.counters.monotonicMillis;
  host.lookUntil(isProbe);
  return Math.round((host.counters.monotonicMillis - from) / 1000);
}

describe('a probe', () => {
  test('a probe comes a minute after the burst, for a moment, over every page, and has no line in the log', () => {
    const host = watching();
    const looks = host.lookUntil(isProbe);
    const probe = looks.at(-1) ?? assert.fail();
    assert.equal(Math.round(host.counters.monotonicMillis / 10_000), 6);
    assert.deepEqual([probe.settings.run, probe.settings.smartScan, probe.nextInMillis], [1, 0, 250]);
    assert.ok([...looks, probe].every(({ routine }) => routine === true));
    const end = host.lookUntil(isNoProbe, NOTHING).at(-1);
    assert.deepEqual([end?.reason, end?.settings, end?.routine], ['nothing-to-gain', { run: 0 }, true]);
  });

  test('a probe costs what ksmd earned by resting: less than one percent of a core', () => {
    const host = watching();
    const [from, used] = [host.counters.monotonicMillis, host.cpuNanos ?? 0];
    let next = 250;
    while (host.counters.monotonicMillis - from < 3 * 3_600_000) {
      const scans = host.phase.name === 'probe' ? { cpuMillis: next / 2, scanned: next * 50 } : {};
      next = host.look(next, scans).nextInMillis ?? 0;
    }
    const share = ((host.cpuNanos ?? 0) - used) / 1e6 / (host.counters.monotonicMillis - from);
    assert.ok(share > 0.004 && share < 0.009, String(share));
  });

  test('a probe is further away after each lap that finds nothing, up to KSM_PROBE_MAX', () => {
    const host = watching();
    const gaps: number[] = [];
    for (let lap = 0; lap < 6; lap += 1) {
      gaps.push(secondsToProbe(host));
      host.lookUntil(isNoProbe, LAP);
    }
    assert.deepEqual(gaps, [60, 120, 240, 480, 600, 600]);
  });

  test('a probe that does not finish its lap continues half a minute later', () => {
    const host = watching();
    secondsToProbe(host);
    host.lookUntil(isNoProbe, NOTHING);
    assert.equal(secondsToProbe(host), 30);
  });

  test('a probe comes sooner when KSM_PROBE_MAX was made shorter', () => {
    const host = watching({}, { probeMaxMillis: 86_400_000 });
    for (let lap = 0; lap < 8; lap += 1) {
      secondsToProbe(host);
      host.lookUntil(isNoProbe, LAP);
    }
    host.reload(adaptivePolicy({ ...ADAPTIVE_DEFAULTS, probeMaxMillis: 30_000 }));
    host.look(1000, {}, { kind: 'reload' });
    assert.ok(secondsToProbe(host) <= 30);
  });

  test('a probe is not begun while there is enough memory', () => {
    const host = watching();
    host.have({ a: 0 });
    for (let look = 0; look < 100; look += 1) assert.equal(host.look(10_000).reason, 'enough-memory');
  });
});

describe('a guest that goes while ksmd rests', () => {
  test('a guest that goes while ksmd rests is forgotten by ksmd in a probe as soon as there is credit for it', () => {
    const early = watching();
    early.look(3000);
    early.have({ a: 4 * GIB, b: 4 * GIB, c: 8 * GIB });
    assert.equal(early.look(1000, {}, stopped('d')).reason, 'nothing-to-gain');
    assert.equal(secondsToProbe(early), 23, '0.2 s of CPU are earned in 27 s');
    const late = watching();
    late.look(3000);
    late.have({ a: 4 * GIB, b: 4 * GIB, c: 8 * GIB });
    assert.equal(late.look(40_000, {}, stopped('d')).reason, 'probe');
  });
});

describe('a probe that finds pages that changed', () => {
  const hint: Work = { ...NOTHING, volatile: 3000 };

  test('a probe that finds changed pages begins a burst over every page, which ends after one pass in vain', () => {
    const host = watching();
    secondsToProbe(host);
    const burst = host.look(250, hint);
    assert.deepEqual([burst.reason, burst.settings.smartScan, burst.routine], ['burst', 0, false]);
    assert.match(burst.sentence, /; a probe found 3000 pages that had changed: merging/);
    assert.equal(host.look(250, PASS).reason, 'burst');
    assert.equal(host.look(250, PASS).reason, 'nothing-to-gain');
  });

  test('a burst in vain after a probe makes the next probe later and paid for, and it needs a stronger hint', () => {
    const host = watching();
    secondsToProbe(host);
    host.look(250, { ...hint, scanned: 30_000 });
    host.look(250, { ...PASS, cpuMillis: 10_000 });
    const end = host.look(250, { ...PASS, cpuMillis: 1000 });
    // 11 s of CPU are what 1375 s of rest may cost.
    assert.match(end.sentence, /next probe in 2[23] min/);
    const seconds = secondsToProbe(host);
    assert.ok(seconds > 1300 && seconds < 1500, `${seconds} s`);
    assert.equal(host.look(250, { ...NOTHING, scanned: 30_000, volatile: 5900 }).reason, 'probe', 'of 6000 needed');
  });

  test('a lap that gained something starts again with the shortest gap between probes', () => {
    const host = watching();
    for (let lap = 0; lap < 4; lap += 1) {
      secondsToProbe(host);
      host.lookUntil(isNoProbe, LAP);
    }
    secondsToProbe(host);
    host.look(250, hint);
    host.look(250, { ...PASS, merged: 50 * PAGES_PER_MIB });
    host.look(250, { ...PASS, merged: 50 * PAGES_PER_MIB });
    assert.equal(host.look(250, PASS).reason, 'nothing-to-gain');
    assert.equal(secondsToProbe(host), 60);
  });
});

test('a guest that starts joins a burst that nobody asked for', () => {
  const host = watching();
  secondsToProbe(host);
  assert.equal(host.look(250, { ...NOTHING, volatile: 3000 }).reason, 'burst');
  host.have({ a: GIB, b: GIB, c: GIB, d: GIB, e: GIB });
  assert.equal(host.look(250, {}, started('e')).reason, 'burst');
  host.look(3000);
  assert.ok(host.phase.name === 'burst' && host.phase.hintShare === undefined, 'it is not in vain any more');
});

describe('a probe that merges', () => {
  const gain: Work = { ...NOTHING, merged: 4 * PAGES_PER_MIB };

  test('a probe that merges begins a burst', () => {
    const host = watching();
    secondsToProbe(host);
    assert.match(host.look(250, gain).sentence, /; a probe found pages to merge: merging/);
  });

  test('a probe that merges costs no more in the long run when the burst then brings nothing', () => {
    const host = watching();
    const [from, used] = [host.counters.monotonicMillis, host.cpuNanos ?? 0];
    let [next, looks] = [250, 0];
    while (host.counters.monotonicMillis - from < 12 * 3_600_000) {
      // A pass is 20 looks.
      const burst = { ...(looks++ % 20 === 0 ? PASS : HALF), cpuMillis: next / 2 };
      next =
        host.look(next, { probe: gain, burst, watch: {}, rest: {}, settle: {} }[host.phase.name]).nextInMillis ?? 0;
    }
    const share = ((host.cpuNanos ?? 0) - used) / 1e6 / (host.counters.monotonicMillis - from);
    assert.ok(share < 0.009, `${share} of a core`);
  });
});

describe('merging at a loss', () => {
  test('adaptive at a loss rests, says so, and probes as seldom as it may', () => {
    const host = PolicyHost.adaptive();
    host.look(0, {}, START);
    host.look(250, { ...PASS, unshared: 1_000_000, merged: 256 });
    for (let pass = 0; pass < 2; pass += 1) host.look(250, PASS);
    const end = host.look(250, PASS);
    assert.deepEqual([end.reason, end.settings], ['costs-more-than-it-saves', { run: 0 }]);
    assert.equal(secondsToProbe(host), 600);
  });

  test('adaptive leaves its rest at a loss by a burst that somebody asks for', () => {
    const host = PolicyHost.adaptive();
    host.look(0, {}, START);
    for (let pass = 0; pass < 4; pass += 1) host.look(250, { ...PASS, unshared: 100_000 });
    assert.equal(host.look(1000, {}, TIMER).reason, 'costs-more-than-it-saves');
    assert.equal(host.look(1000, {}, manual('SIGUSR1')).reason, 'burst');
  });
});
