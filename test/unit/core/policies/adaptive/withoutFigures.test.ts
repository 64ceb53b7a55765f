import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Decision } from '../../../../../src/core/decision.js';
import { firstPace } from '../../../../../src/core/policies/shared/pace.js';
import {
  GAIN,
  HALF,
  NEW_KSM,
  OLD_KSM,
  PASS,
  PolicyHost,
  START,
  bursting,
  watching,
} from '../../../../support/policies/policyHost.js';

const pace = ({ settings }: Decision) => [settings.pagesToScan, settings.sleepMillisecs];
const FIRST = [firstPace(0.5).pagesToScan, firstPace(0.5).sleepMillisecs];

describe('adaptive does without', () => {
  test('adaptive does without general_profit (before Linux 6.4): the passes are judged alike', () => {
    const { generalProfit, ...ksm } = NEW_KSM;
    assert.equal(generalProfit, 0);
    const works = [GAIN, PASS, GAIN, PASS, PASS];
    const run = (host: PolicyHost) => {
      host.look(0, {}, START);
      return works.map((work) => host.look(250, work));
    };
    const [with64, before] = [run(PolicyHost.adaptive()), run(PolicyHost.adaptive({ ksm }))];
    assert.deepEqual(
      before.map(({ sentence }) => sentence),
      with64.map(({ sentence }) => sentence),
    );
  });

  test('adaptive does without pages_scanned (before Linux 6.6): bursts and probes go at the budget and end', () => {
    const host = watching({ ksm: OLD_KSM });
    host.lookUntil(({ reason }) => reason === 'probe');
    const probe = host.lookUntil(({ reason }) => reason !== 'probe', HALF);
    assert.ok(probe.length < 10);
    const burst = bursting({ ksm: OLD_KSM });
    assert.deepEqual(pace(burst.look(250, { cpuMillis: 125 })), pace(bursting().look(250, { cpuMillis: 125 })));
  });

  test("without ksmd's CPU time adaptive takes a page to cost 10 µs, so ksmd is slower than it might be", () => {
    const host = PolicyHost.adaptive();
    host.cpuNanos = undefined;
    host.look(0, {}, START);
    let pages = 0;
    for (let look = 0; look < 80; look += 1) {
      const { pagesToScan } = host.sample.ksm;
      assert.ok(pagesToScan >= 16 && pagesToScan <= 4000, String(pagesToScan));
      // Pages of 0.4 µs: a round is 10 ms of sleep and a little.
      const scanned = Math.trunc((250 / (10 + pagesToScan * 0.0004)) * pagesToScan);
      pages += scanned;
      host.look(250, { scanned, unshared: 1000 });
    }
    const share = (pages * 10e-6) / 20;
    assert.ok(share > 0.4 && share < 0.55, String(share));
  });

  test('without pages_scanned and CPU time ksmd keeps the pace for the dearest pages, and probes are paid for', () => {
    const host = PolicyHost.adaptive({ ksm: OLD_KSM });
    host.cpuNanos = undefined;
    host.look(0, {}, START);
    for (let look = 0; look < 50; look += 1) assert.deepEqual(pace(host.look(500, { unshared: 1000 })), FIRST);
    for (let pass = 0; pass < 3; pass += 1) host.look(500, PASS);
    assert.equal(host.phase.name, 'watch');
    let [scanning, all, next] = [0, 0, 500];
    while (all < 3_600_000) {
      const ran = host.sample.ksm.run === 1;
      if (ran) scanning += next;
      all += next;
      next = host.look(next, ran ? { unshared: 10 } : {}).nextInMillis ?? 0;
    }
    assert.ok(scanning / all < 0.02, `half a core for ${scanning} of ${all} ms`);
  });
});
