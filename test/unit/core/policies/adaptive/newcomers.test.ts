import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Decision } from '../../../../../src/core/decision.js';
import {
  GIB,
  HALF,
  MIB,
  PASS,
  PolicyHost,
  START,
  bursting,
  guestOf,
  manual,
  started,
  stopped,
  watching,
} from '../../../../support/policies/policyHost.js';

/** Ten million pages of 4 µs: two passes cost 84 s of CPU, for which guests must bring 336 MiB. */
function large(begun: (host: PolicyHost) => void = () => undefined): PolicyHost {
  const host = PolicyHost.adaptive({ guests: [guestOf('a', 40 * GIB, 64 * GIB)] });
  host.look(0, {}, START);
  host.look(250, { passes: 1, merged: 800 * 256, volatile: 10_200_000, scanned: 10_500_000, cpuMillis: 42_000 });
  begun(host);
  return host;
}

function resting(): PolicyHost {
  const host = large((begun) => {
    for (let pass = 0; pass < 3; pass += 1) begun.look(250, { passes: 1, scanned: 10_500, cpuMillis: 42 });
  });
  assert.equal(host.phase.name, 'watch');
  return host;
}

/** Up to 6.10 a page that equals a shared one merges in its first scan; since 6.11 in its second. */
function runs(host: PolicyHost, minor: number): PolicyHost {
  host.change({ kernel: { major: 6, minor } });
  host.changeKsm({ pagesShared: 1000 });
  return host;
}

/** Guests come at once, or go, and are settled some seconds later. */
function come(host: PolicyHost, mib: Readonly<Record<string, number>>, ...names: readonly string[]): Decision {
  host.change({
    guests: [guestOf('a', 40 * GIB, 64 * GIB), ...Object.entries(mib).map(([name, size]) => guestOf(name, size * MIB))],
  });
  const joins = host.phase.name === 'burst';
  assert.equal(host.look(1000, {}, ...names.map(started)).reason, joins ? 'burst' : 'guests-settling');
  return host.look(4000);
}

describe('guests that bring little', () => {
  test('guests that bring little wait for more: together they are worth a burst', () => {
    const host = resting();
    const wait = come(host, { b: 330 }, 'b');
    assert.deepEqual([wait.reason, wait.settings, wait.routine], ['nothing-to-gain', { run: 0 }, false]);
    assert.match(
      wait.sentence,
      /next probe in \d+ s; guest b started \(330.0 MiB\), too little for a burst of its own \(33\d.\d MiB\)$/,
    );
    assert.equal(host.look(10_000).routine, true);
    const burst = come(host, { b: 330, c: 10 }, 'c');
    assert.equal(burst.reason, 'burst');
    assert.match(burst.sentence, /; guest b and 1 other started: merging/);
    assert.ok(host.phase.name === 'burst' && host.phase.hopedBytes === 340 * MIB);
  });

  test('guests that bring little are merged at once when they bring enough', () => {
    assert.equal(come(resting(), { b: 340 }, 'b').reason, 'burst');
  });

  test('up to Linux 6.10 guests are merged when they bring half as much, as they need one pass', () => {
    assert.equal(come(runs(resting(), 10), { b: 170 }, 'b').reason, 'burst');
    assert.equal(come(runs(resting(), 10), { b: 165 }, 'b').reason, 'nothing-to-gain');
    assert.equal(come(runs(resting(), 11), { b: 170 }, 'b').reason, 'nothing-to-gain');
  });

  test('guests that bring little are not mentioned when they have gone', () => {
    const host = resting();
    come(host, { b: 330 }, 'b');
    host.change({ guests: [guestOf('a', 40 * GIB, 64 * GIB)] });
    assert.doesNotMatch(host.look(1000, {}, stopped('b')).sentence, /guest b/);
  });

  for (const [name, begun] of [
    ['memory is nearly out', (host: PolicyHost) => (host.change({ memoryPressurePercent: 40 }), host.look(100_000))],
    ['somebody asks', (host: PolicyHost) => host.look(1000, {}, manual('SIGUSR1'))],
  ] as const) {
    test(`guests that bring little are merged with the rest when ${name}`, () => {
      const host = resting();
      come(host, { b: 330 }, 'b');
      assert.equal(begun(host).reason, 'burst');
      for (let pass = 0; pass < 3; pass += 1) host.look(250, { passes: 1, scanned: 10_500, cpuMillis: 42 });
      assert.doesNotMatch(host.look(1000).sentence, /guest b/);
    });
  }

  test('guests that bring little wait until a burst for them takes no more than a twentieth of a core', () => {
    const waited = (oneGoes: boolean) => {
      const host = resting();
      come(host, { b: 100, c: 100 }, 'b', 'c');
      const from = host.counters.monotonicMillis;
      for (; host.phase.name !== 'burst' && host.counters.monotonicMillis - from < 2_000_000;) {
        const minutes = Math.trunc((host.counters.monotonicMillis - from) / 60_000);
        const goes = oneGoes && minutes === 20;
        if (goes) host.change({ guests: [guestOf('a', 40 * GIB, 64 * GIB), guestOf('b', 100 * MIB)] });
        host.look(60_000, {}, ...(goes ? [stopped('c')] : []));
      }
      return Math.round((host.counters.monotonicMillis - from) / 60_000);
    };
    assert.equal(waited(false), 28, '84 s of CPU in 28 minutes');
    assert.ok(waited(true) > 33);
  });

  test('guests that bring little do not keep a burst from its end, nor make it a burst for them', () => {
    const host = large();
    const burst = come(host, { b: 10 }, 'b');
    assert.match(burst.sentence, /; samepaged has just started: merging/);
    assert.equal(burst.routine, true);
    assert.deepEqual(
      [1, 2].map(() => host.look(250, { passes: 1, scanned: 10_500, cpuMillis: 42 }).reason),
      ['burst', 'nothing-to-gain'],
    );
  });

  test('guests that bring little must promise twice as much after each burst, until one was worth it', () => {
    const host = resting();
    const burstFor = (mib: number, gainMib: number) => {
      const { reason } = come(host, { b: mib }, 'b');
      if (reason === 'burst') host.look(250, { passes: 1, merged: gainMib * 256 });
      for (let pass = 0; pass < 6; pass += 1) host.look(250, { passes: 1, scanned: 10_500, cpuMillis: 42 });
      return reason;
    };
    const reasons = [340, 660, 690, 1300, 1400, 340].map((mib) => burstFor(mib, mib === 1400 ? 700 : 0));
    assert.deepEqual(reasons, ['burst', 'nothing-to-gain', 'burst', 'nothing-to-gain', 'burst', 'burst']);
  });
});

/** When guests joined the burst last. */
function joinedOf({ phase }: PolicyHost): number | undefined {
  return phase.name === 'burst' ? phase.joined.monotonicMillis : undefined;
}

describe('a burst that guests join', () => {
  const four = { a: GIB, b: GIB, c: GIB, d: GIB };
  const join = (host: PolicyHost) => {
    host.have({ ...four, e: GIB });
    assert.equal(host.look(250, HALF, started('e')).reason, 'burst');
    const begun = joinedOf(host);
    const joined = host.look(3000);
    assert.notEqual(joinedOf(host), begun);
    return joined;
  };

  test('a burst that guests join goes on with every page, and hopes for what they have too', () => {
    const host = watching();
    host.lookUntil(({ reason }) => reason === 'probe');
    assert.equal(host.look(250, { cpuMillis: 60, scanned: 5000, volatile: 3000 }).settings.smartScan, 0);
    assert.equal(join(host).settings.smartScan, 0);
    assert.ok(host.phase.name === 'burst' && host.phase.thorough);
    assert.deepEqual([host.phase.hopedBytes, host.phase.hintShare], [GIB, undefined]);
  });

  test('a burst that somebody asked for, and that guests join, expects a gain in all memory', () => {
    const host = watching();
    host.look(250, {}, manual('SIGUSR1'));
    join(host);
    assert.ok(host.phase.name === 'burst' && host.phase.hopedBytes === 5 * GIB);
  });

  test('a burst that guests join still knows what it brought, and ends two passes in vain later', () => {
    const host = bursting();
    assert.match(host.look(250, PASS).sentence, /135.8 MiB gained in 3 passes/);
    assert.match(join(host).sentence, /135.8 MiB gained in 3 passes/);
    assert.deepEqual(
      [1, 2].map(() => host.look(250, PASS).reason),
      ['burst', 'nothing-to-gain'],
    );
  });

  test('a burst that guests join ends without those who still fill their memory, and they are waited for', () => {
    const host = bursting();
    host.have({ ...four, e: 0 });
    host.look(250, HALF, started('e'));
    host.have({ ...four, e: 100 * MIB });
    assert.deepEqual(
      [1, 2, 3].map(() => host.look(250, PASS).reason),
      ['burst', 'nothing-to-gain', 'guests-settling'],
    );
    assert.match(host.look(3000).sentence, /; guest e started: merging/);
  });

  test('a burst for which guests came in vain, one after another, ends: each must promise more than the last', () => {
    const host = bursting();
    let joined = 0;
    for (let guest = 0; guest < 40 && host.phase.name === 'burst'; guest += 1) {
      const before = joinedOf(host);
      host.have({ ...four, [`g${guest}`]: 200 * MIB });
      host.look(250, { cpuMillis: 20 }, started(`g${guest}`), stopped(`g${guest - 1}`));
      host.look(3000, PASS);
      joined += joinedOf(host) === before ? 0 : 1;
    }
    assert.equal(host.phase.name, 'watch');
    assert.ok(joined > 1 && joined < 10, `${joined} joined`);
  });
});

describe('guests that have settled, beside one that still fills its memory', () => {
  const four = { a: GIB, b: GIB, c: GIB, d: GIB };
  /** How long `e` waits once it has settled, in seconds, while others come all the time. */
  const waited = (others: Readonly<Record<string, number>>, bytes: number, minor = 11) => {
    const host = PolicyHost.adaptive({}, { when: 'always' });
    host.have(others);
    host.look(0, {}, START);
    host.lookUntil(({ reason }) => reason === 'nothing-to-gain', PASS);
    runs(host, minor).look(5000);
    const from = host.counters.monotonicMillis;
    for (let second = 0; host.phase.name !== 'burst'; second += 1) {
      host.have({ ...others, e: bytes, [`g${second >> 3}`]: (second % 8) * 100 * MIB });
      const came = second === 0 ? [started('e')] : [];
      host.look(1000, {}, ...came, ...(second % 8 === 0 ? [started(`g${second >> 3}`)] : []));
    }
    assert.match(host.phase.why, /^guest e /);
    return (host.counters.monotonicMillis - from) / 1000 - 4;
  };

  test('settled guests beside one that still grows wait at most as long as two passes over what they have take', () => {
    // 2 passes over 262144 pages of 6 us, at half a core, are 6.3 s.
    assert.deepEqual([waited(four, GIB), waited(four, 4 * GIB)], [7, 26]);
  });

  test('settled guests wait for half as long up to Linux 6.10, as one pass merges them', () => {
    assert.deepEqual([waited(four, GIB, 10), waited(four, 4 * GIB, 10)], [4, 13]);
  });

  test('settled guests wait for three minutes when there is nobody to share with', () => {
    assert.equal(waited({}, GIB), 180);
  });

  test('the decision has how long settled guests wait', () => {
    const host = watching();
    host.look(3000);
    host.have({ ...four, e: GIB, f: 0 });
    const alone = host.look(1000, {}, started('e'));
    assert.deepEqual(alone.stage, { name: 'waiting', endInMillis: 180_000 }, 'nothing has settled');
    host.look(2000, {}, started('f'));
    host.have({ ...four, e: GIB, f: 300 * MIB });
    const beside = host.look(2000);
    assert.equal(beside.stage?.name, 'waiting');
    // Two passes over 262,144 pages of 6 us at half a core, since just now.
    assert.equal(Math.round(beside.stage.endInMillis ?? 0), 6291);
    assert.match(
      beside.sentence,
      /: merging is wanted, but f is still filling its memory, so it waits, 7 s at most, as the 1.0 GiB that have settled wait too$/,
    );
  });
});

test('a guest that is there at the first look and turns out to grow is waited for', () => {
  const host = PolicyHost.adaptive({}, { when: 'always' });
  host.have({ a: GIB, b: 100 * MIB });
  assert.equal(host.look(0, {}, START).reason, 'burst');
  host.have({ a: GIB, b: 300 * MIB });
  assert.equal(host.look(1000, PASS).reason, 'burst');
  host.have({ a: GIB, b: 600 * MIB });
  assert.equal(host.look(1000, PASS).reason, 'nothing-to-gain');
  assert.match(host.look(500).sentence, /but b is still filling its memory, so it waits$/);
  assert.match(host.look(3000).sentence, /; guest b started: merging/);
});

test('guests that come and settle do not put off the probe', () => {
  const host = resting();
  for (let guest = 0; host.phase.name !== 'probe'; guest += 1) {
    assert.ok(host.counters.monotonicMillis < 90_000, 'a minute after the burst');
    come(host, { [`g${guest}`]: 1 }, `g${guest}`);
  }
});
