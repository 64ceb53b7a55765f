// The policy adaptive in the loop of core/retune.ts, on a virtual clock.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NEVER, defer, distinctUntilChanged, map, of, timer } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { adaptivePolicy } from '../../../../../src/core/policies/adaptive/policy.js';
import { retunes } from '../../../../../src/core/retune.js';
import {
  ADAPTIVE_DEFAULTS,
  GIB,
  PAGES_PER_MIB,
  PolicyHost,
  ROOMY,
  type Work,
} from '../../../../support/policies/policyHost.js';
import { DEFAULT_PLAN } from '../../../../support/policies/retuneLoop.js';

const PASS_MILLIS = 10_000;

/** ksmd at half a core: a pass in 10 s; the second brings something. */
class Ksmd {
  private ranMillis = 0;

  work(millis: number): Work {
    const unshared = this.ranMillis === 0 ? 1_000_000 : 0;
    const before = Math.trunc(this.ranMillis / PASS_MILLIS);
    this.ranMillis += millis;
    const passes = Math.trunc(this.ranMillis / PASS_MILLIS) - before;
    const merges = passes > 0 && before === 1;
    return {
      cpuMillis: millis / 2,
      scanned: millis * 100,
      passes,
      unshared,
      merged: merges ? 1024 * PAGES_PER_MIB : 0,
    };
  }
}

test('adaptive goes its round: guests settle, a burst, rest, and a probe that goes on after half a minute', () => {
  const scheduler = new TestScheduler((actual, expected) => {
    assert.deepEqual(actual, expected);
  });
  scheduler.run(({ cold, expectObservable }) => {
    const host = PolicyHost.adaptive(ROOMY);
    const ksmd = new Ksmd();
    let sampledMillis = 0;
    const turn$ = retunes({
      plan$: cold('p', { p: { ...DEFAULT_PLAN, policy: adaptivePolicy(ADAPTIVE_DEFAULTS) } }),
      guest$: cold('20s (cd)', { c: { change: 'started', name: 'c' }, d: { change: 'started', name: 'd' } } as const),
      manual$: NEVER,
      sample: () =>
        timer(1).pipe(
          map(() => {
            if (scheduler.frame >= 20_000) host.have({ a: GIB, b: GIB, c: GIB, d: GIB });
            const millis = scheduler.frame - sampledMillis;
            sampledMillis = scheduler.frame;
            return host.pass(millis, host.sample.ksm.run === 1 ? ksmd.work(millis) : {});
          }),
        ),
      apply: ({ settings }) =>
        defer(() => {
          host.apply(settings);
          return of({ writes: [], problems: [] });
        }),
      stop$: NEVER,
    });
    const told$ = turn$.pipe(
      map((turn) => ('failure' in turn ? turn.failure.message : `${turn.decision.reason} ${host.sample.ksm.run}`)),
      distinctUntilChanged(),
    );
    expectObservable(told$, '^ 154s !').toBe('1ms r 20249ms s 2504ms b 20043ms w 1m p 1003ms w 30s p 501ms w', {
      r: 'enough-memory 0',
      s: 'guests-settling 0',
      b: 'burst 1',
      w: 'nothing-to-gain 0',
      p: 'probe 1',
    });
  });
});
