// What is rebuilt from a simulated host's own history fares as that host did.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { HistoryRecord } from '../../../src/core/history/record.js';
import { trajectoryOf } from '../../../src/replay/trajectory.js';
import { type TrajectoryFigures, figuresOf, sumOf } from '../../../src/replay/figures.js';
import { rebuild } from '../../../src/replay/rebuild.js';
import { lengthMillis, splitRecord } from '../../../src/replay/segments.js';
import { summaryOf } from '../../../src/replay/summary.js';
import { MEASURED_COSTS } from '../../../src/simulation/kernel/costs.js';
import type { GuestContent, TimedStep } from '../../../src/simulation/step.js';
import { planFrom } from '../../support/examples/examples.js';
import { FROM, MINUTE, recordOf, start, starts } from '../../support/simulation/replayHost.js';

function replayed(records: readonly HistoryRecord[], policy: string): TrajectoryFigures {
  const segments = splitRecord(records).filter((segment) => lengthMillis(segment) > 0);
  const { hosts } = rebuild(segments);
  const plan = planFrom({ KSM_POLICY: policy, KSM_WHEN: 'always' });
  return sumOf(hosts.map((host) => figuresOf(trajectoryOf(host, plan, MEASURED_COSTS), host)));
}

const content: fc.Arbitrary<Partial<GuestContent>> = fc.record({
  commonMiB: fc.integer({ min: 256, max: 1024 }),
  ownMiB: fc.integer({ min: 256, max: 1024 }),
  zeroMiB: fc.nat(32),
});
const later: fc.Arbitrary<readonly TimedStep[]> = fc
  .array(
    fc.record({
      minute: fc.integer({ min: 1, max: 100 }),
      guest: fc.constantFrom('guest1', 'guest2', 'late1', 'late2', 'late3', 'late4'),
      content,
    }),
    { maxLength: 8 },
  )
  .map((steps) =>
    steps
      .toSorted((a, b) => a.minute - b.minute)
      .map(({ minute, guest, content: of }) => {
        const atMillis = minute * MINUTE;
        return guest.startsWith('late')
          ? { atMillis, step: start(guest, of) }
          : { atMillis, step: { kind: 'stop' as const, guest } };
      }),
  );

describe('a host rebuilt from its history', () => {
  test('a host rebuilt from its history saves about as much as the host did, whatever came and went', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 10 }),
        content,
        later,
        fc.constantFrom('ksmtuned', 'adaptive', 'advisor'),
        (count, of, steps, policy) => {
          const plan = planFrom({ KSM_POLICY: policy, KSM_WHEN: 'always' });
          const records = recordOf({
            host: { memoryMiB: 24 * 1024 },
            plan,
            before: starts(count, of),
            later: steps,
            minutes: 120,
          });
          const { meanSavedBytes } = summaryOf(splitRecord(records));
          const off = replayed(records, policy).meanSavedBytes / meanSavedBytes - 1;
          assert.ok(Math.abs(off) < 0.2, `${(100 * off).toFixed(0)} % off`);
        },
      ),
      { numRuns: 25, endOnFailure: true },
    );
  });

  test('a host rebuilt from its history begins with what was merged then', () => {
    const plan = planFrom({ KSM_POLICY: 'adaptive' });
    const records = recordOf({
      host: { memoryMiB: 12 * 1024, ownMiB: 1500, overheadMiB: 0 },
      plan,
      before: starts(8, { commonMiB: 768, ownMiB: 512 }),
      minutes: 60,
    });
    const late = records.filter(({ atMillis }) => atMillis >= FROM + 30 * MINUTE);
    const { hosts } = rebuild(splitRecord(late));
    const [host] = hosts;
    assert.ok(host);
    const [first] = trajectoryOf(host, plan, MEASURED_COSTS).points;
    assert.ok(Math.abs((first?.savedBytes ?? 0) / host.savedBytes - 1) < 0.02, `${first?.savedBytes ?? 0} bytes`);
    assert.ok(host.savedBytes > 5 * 1024 ** 3, `${host.savedBytes} bytes`);
    assert.ok(Math.abs((host.host.ownMiB ?? 0) - 1500) < 50, `${host.host.ownMiB ?? 0} MiB`);
  });
});
