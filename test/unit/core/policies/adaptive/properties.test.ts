import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { adaptivePolicy } from '../../../../../src/core/policies/adaptive/policy.js';
import {
  ADAPTIVE_DEFAULTS,
  GIB,
  MIB,
  NEW_KSM,
  OLD_KSM,
  PolicyHost,
  START,
  TIMER,
  manual,
  started,
  stopped,
} from '../../../../support/policies/policyHost.js';

describe('whatever happens', () => {
  const count = fc.integer({ min: 0, max: 200_000 });
  const change = fc.integer({ min: -200_000, max: 200_000 });
  const work = fc.record({
    passes: fc.integer({ min: 0, max: 3 }),
    cpuMillis: count,
    scanned: count,
    skipped: count,
    merged: change,
    unshared: change,
    volatile: change,
  });
  const name = fc.constantFrom('a', 'b', 'c', 'e');
  const trigger = fc.oneof(fc.constant(TIMER), fc.constant(manual('SIGUSR1')), name.map(started), name.map(stopped));
  const host = fc.record({
    freeBytes: fc.integer({ min: 0, max: 16 }).map((gib) => gib * GIB),
    have: fc.dictionary(
      name,
      count.map((mib) => mib * MIB),
    ),
    pressure: fc.integer({ min: 0, max: 100 }),
    run: fc.constantFrom(undefined, 0, 1, 2),
    reset: fc.integer({ min: 0, max: 9 }).map((chance) => chance === 0),
    cpuMaxPercent: fc.constantFrom(1, 50, 50, 97, 100),
  });
  const step = fc.record({
    millis: fc.integer({ min: -10, max: 100_000 }),
    work,
    host,
    triggers: fc.array(trigger, { maxLength: 3 }),
  });

  test('whatever happens, a decision of adaptive is one sentence, with settings that the kernel takes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(NEW_KSM, OLD_KSM),
        fc.boolean(),
        fc.array(step, { minLength: 1, maxLength: 40 }),
        (ksm, seen, steps) => {
          const there = PolicyHost.adaptive({ ksm });
          if (!seen) there.cpuNanos = undefined;
          there.look(0, {}, START);
          for (const { millis, work, host, triggers } of steps) {
            there.have(host.have);
            const memory = { totalBytes: 16 * GIB, freeBytes: host.freeBytes, committedBytes: 0 };
            there.change({ memory, memoryPressurePercent: host.pressure });
            if (host.run !== undefined) there.changeKsm({ run: host.run });
            if (host.reset) there.changeKsm({ fullScans: 0, pagesSharing: 0, pagesUnshared: 0, pagesVolatile: 0 });
            there.reload(adaptivePolicy({ ...ADAPTIVE_DEFAULTS, cpuMaxPercent: host.cpuMaxPercent }));
            const decision = there.look(millis, work, ...triggers);
            const { sentence, nextInMillis = 0, settings, reason } = decision;
            assert.match(sentence, /^[a-z][^\n]+[^\s.:;,]$/);
            assert.doesNotMatch(sentence, /NaN|undefined|Infinity|null| {2}|-\d+ (s|min|h|pass)/);
            assert.ok(nextInMillis >= 250 && nextInMillis <= 15_000, `${sentence}: ${nextInMillis}`);
            assert.equal(settings.run, ['burst', 'probe'].includes(reason) ? 1 : 0);
            const { pagesToScan = 16, sleepMillisecs = 0 } = settings;
            assert.ok(Number.isInteger(pagesToScan) && pagesToScan >= 16 && pagesToScan <= 32_768, String(pagesToScan));
            assert.ok(Number.isInteger(sleepMillisecs) && sleepMillisecs >= 0 && sleepMillisecs <= 100);
          }
        },
      ),
    );
  });
});
