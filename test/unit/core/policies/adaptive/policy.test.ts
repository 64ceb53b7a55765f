import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Decision } from '../../../../../src/core/decision.js';
import { adaptivePolicy } from '../../../../../src/core/policies/adaptive/policy.js';
import {
  ADAPTIVE_DEFAULTS,
  GIB,
  HALF,
  MIB,
  PASS,
  PROMISED,
  PolicyHost,
  ROOMY,
  START,
  type Work,
  bursting,
  guestOf,
  manual,
  started,
  stopped,
  watching,
} from '../../../../support/policies/policyHost.js';

const told = ({ reason, settings, nextInMillis, routine = false }: Decision) => [
  reason,
  settings.run,
  nextInMillis,
  routine ? 'routine' : 'told',
];

describe('at the start', () => {
  test('adaptive at the start with memory for all: rest', () => {
    const host = PolicyHost.adaptive(ROOMY);
    assert.deepEqual(told(host.look(0, {}, START)), ['enough-memory', 0, 15_000, 'told']);
    assert.deepEqual(told(host.look(10_000)), ['enough-memory', 0, 15_000, 'told']);
  });

  test('adaptive at the start with memory promised: a burst at once, nobody being waited for', () => {
    const decision = PolicyHost.adaptive().look(0, {}, START);
    assert.deepEqual(told(decision), ['burst', 1, 250, 'told']);
    assert.deepEqual(decision.settings, {
      advisorMode: 'none',
      smartScan: 1,
      pagesToScan: 1000,
      sleepMillisecs: 10,
      run: 1,
    });
  });

  test('adaptive at the start with guests in hugepages, which are not in that memory: rest', () => {
    const guests = ['a', 'b', 'c', 'd'].map((name, index) => ({
      ...guestOf(name, GIB),
      hugetlbBytes: index < 2 ? 3 * GIB : 0,
    }));
    assert.equal(PolicyHost.adaptive({ guests }).look(0, {}, START).reason, 'enough-memory');
    assert.equal(PolicyHost.adaptive().look(0, {}, START).reason, 'burst');
  });

  test('adaptive at the start with memory nearly out: a burst that hopes for all of it', () => {
    const host = PolicyHost.adaptive({ memory: { totalBytes: 16 * GIB, freeBytes: GIB, committedBytes: 0 } });
    assert.match(host.look(0, {}, START).sentence, /; memory is nearly out: merging/);
    assert.ok(host.phase.name === 'burst' && host.phase.hopedBytes === 4 * GIB);
  });

  test('adaptive at the start begins a burst too when another policy was in force before', () => {
    const host = PolicyHost.adaptive();
    assert.equal(host.look(0, {}, { kind: 'reload' }).reason, 'burst');
  });
});

describe('a burst', () => {
  test('a burst is looked at often at first, then less', () => {
    const host = bursting();
    const looks: number[] = [];
    let millis = 250;
    for (let at = 0; at < 200_000; at += millis) {
      const decision = host.look(millis, { cpuMillis: millis / 2, scanned: 1 });
      assert.deepEqual([decision.reason, decision.routine], ['burst', true]);
      millis = decision.nextInMillis ?? 0;
      if (looks.at(-1) !== millis) looks.push(millis);
    }
    assert.deepEqual(looks, [250, 500, 2000]);
  });

  test('a burst is looked at when its pass is expected to end', () => {
    const host = bursting();
    // A million pages are visited in twenty looks; what is left are those that are merged.
    const left = host.sample.ksm.pagesSharing;
    for (let look = 0; look < 20; look += 1) host.look(250, HALF);
    assert.equal(host.look(0).nextInMillis, Math.ceil((left * 250) / 50_000) + 20);
  });

  test('a burst goes at the budget: faster where pages are cheap, slower where they are dear', () => {
    const host = bursting();
    const pages = (cpuMillis: number) => host.look(250, { ...HALF, cpuMillis }).settings.pagesToScan ?? 0;
    assert.ok(pages(50) > 3000);
    assert.ok(pages(230) < 1000);
  });

  test('a burst ends in rest after two whole passes in vain, and that is told once', () => {
    const host = bursting();
    assert.equal(host.look(250, PASS).reason, 'burst');
    const end = host.look(250, PASS);
    assert.deepEqual(told(end), ['nothing-to-gain', 0, 15_000, 'told']);
    assert.deepEqual(end.settings, { run: 0 });
    assert.deepEqual(told(host.look(10_000)), ['nothing-to-gain', 0, 15_000, 'routine']);
  });

  test('a burst ends when there is memory again, a quarter of the reserve more than was short', () => {
    const host = PolicyHost.adaptive({ guests: [guestOf('a', GIB)] });
    const free = (freeBytes: number) => {
      host.change({ memory: { totalBytes: 16 * GIB, freeBytes, committedBytes: 0 } });
      return host.look(10_000, { ...HALF, unshared: 1000 }).reason;
    };
    assert.equal(host.look(0, {}, START).reason, 'enough-memory');
    assert.equal(free(3 * GIB), 'burst');
    assert.equal(free(3.9 * GIB), 'burst');
    assert.equal(free(4.1 * GIB), 'enough-memory');
    assert.equal(free(3.9 * GIB), 'enough-memory');
  });

  test('a burst begins anew when somebody asks, and then looks at every page for what all guests have', () => {
    const host = watching();
    assert.match(host.look(1000, {}, manual('SIGUSR1')).sentence, /; asked for by SIGUSR1: merging/);
    assert.ok(host.phase.name === 'burst' && host.phase.hopedBytes === 4 * GIB);
  });

  test('a burst that skips pages ends with a pass over every page where new guests may equal the skipped ones', () => {
    const host = watching({ guests: [guestOf('a', GIB), guestOf('b', GIB)] }, { when: 'always' });
    host.have({ a: GIB, b: GIB, c: GIB });
    host.look(1000, {}, started('c'));
    for (let second = 0; second < 4; second += 1) host.look(1000);
    assert.ok(host.phase.name === 'burst' && host.phase.hopedBytes === GIB);
    const skipping: Work = { ...PASS, skipped: 50_000 };
    const settings = [skipping, skipping, skipping, PASS].map((work) => host.look(250, work).settings.smartScan);
    assert.deepEqual(settings, [1, 1, 0, 0]);
    assert.equal(host.look(250, PASS).reason, 'nothing-to-gain');
  });

  test('a burst leaves smart_scan alone where KSM_SMART_SCAN sets it, or the kernel has none', () => {
    assert.equal('smartScan' in PolicyHost.adaptive({}, { ownsSmartScan: false }).look(0, {}, START).settings, false);
  });
});

describe('a guest that starts', () => {
  test('a guest that starts is not merged while there is memory for all', () => {
    const host = PolicyHost.adaptive(ROOMY);
    host.look(0, {}, START);
    host.have({ a: GIB, b: GIB, c: 0 });
    assert.equal(host.look(1000, {}, started('c')).reason, 'enough-memory');
  });

  test('a guest that starts makes merging needed by what it may use, at its start; it is waited for, then merged', () => {
    const host = PolicyHost.adaptive(ROOMY);
    host.look(0, {}, START);
    const reasons = [0, 300, 600, ...Array<number>(6).fill(900)].map((mib, at) => {
      host.have({ a: GIB, b: GIB, c: GIB, d: mib * MIB });
      const decision = host.look(500, {}, ...(at === 0 ? [started('c'), started('d')] : []));
      return told(decision).slice(0, 3);
    });
    assert.deepEqual(reasons.slice(0, 8), Array(8).fill(['guests-settling', 0, 500]));
    assert.deepEqual(reasons[8], ['burst', 1, 250]);
  });

  test('a guest that starts is merged at once when memory is nearly out, and once more when it has settled', () => {
    const host = PolicyHost.adaptive({ memory: { totalBytes: 16 * GIB, freeBytes: GIB, committedBytes: 0 } });
    host.look(0, {}, START);
    host.have({ a: GIB, b: 0 });
    assert.equal(host.look(250, HALF, started('b')).reason, 'burst');
    host.have({ a: GIB, b: GIB, c: 0 });
    assert.equal(host.look(250, HALF, started('c')).reason, 'burst');
    const begun = host.phase;
    for (let look = 0; look < 8; look += 1) assert.equal(host.look(500, HALF).reason, 'burst');
    const [first, then] = [begun, host.phase];
    assert.ok(first.name === 'burst' && then.name === 'burst');
    assert.deepEqual([first.begin === then.begin, first.joined === then.joined], [true, false]);
  });

  test('a guest that starts does not interrupt a burst', () => {
    const host = PolicyHost.adaptive();
    host.look(0, {}, manual('SIGUSR1'));
    host.have({ a: GIB, b: GIB, c: GIB, d: GIB, e: GIB });
    assert.deepEqual(told(host.look(1000, HALF, started('e'))), ['burst', 1, 250, 'routine']);
    host.have({ a: GIB, b: GIB, c: GIB, d: GIB });
    assert.match(host.look(1000, {}, stopped('e')).sentence, /; asked for by SIGUSR1: merging/);
  });

  test('a guest that never settles is merged after three minutes', () => {
    const host = watching();
    let seconds = 0;
    for (; host.phase.name !== 'burst'; seconds += 1) {
      host.have({ a: GIB, b: GIB, c: GIB, d: GIB, e: seconds * 200 * MIB });
      host.look(1000, {}, ...(seconds === 0 ? [started('e')] : []));
    }
    assert.ok(seconds >= 179 && seconds <= 182, `${seconds} s`);
  });

  test('a guest that never settles does not keep the burst for the others from its end', () => {
    const host = watching();
    const grow = (step: number) => {
      host.have({ a: GIB, b: GIB, c: GIB, d: GIB, e: step * 200 * MIB, f: step * 100 * MIB, g: step * MIB * 50 });
    };
    for (let step = 0; host.phase.name !== 'burst'; step += 1) {
      grow(step);
      host.look(1000, {}, ...(step === 0 ? [started('e')] : step === 100 ? [started('f')] : []));
    }
    const reasons = [1000, 1001, 1002, 1003].map((step) => {
      grow(step);
      return host.look(500, PASS, ...(step === 1000 ? [started('g')] : [])).reason;
    });
    assert.deepEqual(reasons, ['burst', 'burst', 'nothing-to-gain', 'guests-settling']);
  });

  test('a guest that stops before it settled causes no burst', () => {
    const host = watching();
    host.have({ a: GIB, b: GIB, c: GIB, d: GIB, e: 0 });
    host.look(1000, {}, started('e'));
    host.have({ a: GIB, b: GIB, c: GIB, d: GIB });
    assert.equal(host.look(1000, {}, stopped('e')).reason, 'nothing-to-gain');
  });
});

test('KSM_WHEN=always merges whatever memory there is, and a reload to needed ends it', () => {
  const host = PolicyHost.adaptive(ROOMY, { when: 'always' });
  assert.equal(host.look(0, {}, START).reason, 'burst');
  host.reload(adaptivePolicy(ADAPTIVE_DEFAULTS));
  assert.deepEqual(told(host.look(250, HALF, { kind: 'reload' })), ['enough-memory', 0, 15_000, 'told']);
});

test('adaptive gives the kernel only the settings that it has', () => {
  const { advisorMode, smartScan, ...ksm } = PROMISED.ksm ?? assert.fail();
  assert.deepEqual([advisorMode, smartScan], ['none', 0]);
  const { settings } = PolicyHost.adaptive({ ksm }).look(0, {}, START);
  assert.deepEqual(settings, { pagesToScan: 1000, sleepMillisecs: 10, run: 1 });
});
