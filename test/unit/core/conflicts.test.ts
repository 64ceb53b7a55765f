import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Disputes } from '../../../src/daemon/disputes.js';
import { type Conflicts, describeConflict, leftToOthers, nextConflicts } from '../../../src/core/conflicts.js';
import type { ForeignValue, KsmSetting } from '../../../src/core/ksm.js';

const MINUTE = 60_000;
const foreign = (setting: KsmSetting, found: number | string = 500): ForeignValue => ({ setting, set: 10, found });

/** Something else changes the pace at these minutes; when samepaged may set it again after each, in minutes. */
function againAt(changes: readonly number[], onConflict: 'reassert' | 'yield' = 'reassert'): number[] {
  let conflicts: Conflicts = new Map();
  return changes.map((minute) => {
    conflicts = nextConflicts(conflicts, [foreign('sleepMillisecs')], { onConflict, nowMillis: minute * MINUTE });
    return (conflicts.get('pagesToScan')?.againAtMillis ?? NaN) / MINUTE;
  });
}

describe('a setting that something else changes', () => {
  test('a setting that something else changes is set again at once, then after 1, 2, 4 and 8 minutes, and then no more', () => {
    assert.deepEqual(againAt([0, 1, 3, 6, 11, 20]), [0, 2, 5, 10, 19, Infinity]);
  });

  test('a setting that something else changes is set again at once when the last change was an hour ago', () => {
    assert.deepEqual(againAt([0, 59, 118, 178]), [0, 60, 120, 178]);
  });

  test('a setting that something else changes is left alone from the first change on with KSM_ON_CONFLICT=yield', () => {
    assert.deepEqual(againAt([0], 'yield'), [Infinity]);
    const yielded = nextConflicts(new Map(), [foreign('run')], { onConflict: 'yield', nowMillis: 0 });
    const later = nextConflicts(yielded, [], { onConflict: 'yield', nowMillis: 1e9 });
    assert.deepEqual(
      leftToOthers(later, 1e9).map(({ settings }) => settings),
      [['run']],
    );
  });

  test('the advisor, pages_to_scan and sleep_millisecs are left to others together, and run by itself', () => {
    const both = nextConflicts(new Map(), [foreign('run', 0), foreign('pagesToScan')], {
      onConflict: 'yield',
      nowMillis: 0,
    });
    assert.deepEqual(
      leftToOthers(both, 0).map(({ settings }) => settings),
      [['run'], ['advisorMode', 'pagesToScan', 'sleepMillisecs']],
    );
  });

  test('whatever others do to a setting, samepaged sets it again at most six times in an hour', () => {
    const gaps = fc.array(fc.double({ min: 0.01, max: 90, noNaN: true }), { maxLength: 200 });
    fc.assert(
      fc.property(gaps, (minutes) => {
        let now = 0;
        let conflicts: Conflicts = new Map();
        let isOurs = true;
        const again: number[] = [];
        for (const minute of minutes) {
          now += minute * MINUTE;
          const found = isOurs ? [foreign('pagesToScan')] : [];
          conflicts = nextConflicts(conflicts, found, { onConflict: 'reassert', nowMillis: now });
          const wasOurs = isOurs && found.length === 0;
          isOurs = leftToOthers(conflicts, now).length === 0;
          if (isOurs && !wasOurs) again.push(now);
        }
        for (const [at, first] of again.entries()) {
          const within = again.slice(at).filter((time) => time - first < 60 * MINUTE);
          assert.ok(within.length <= 6, String(again));
        }
      }),
    );
  });
});

describe('what is said of it', () => {
  const conflict = {
    settings: ['run'] as const,
    times: 1,
    changedAtMillis: 0,
    againAtMillis: 0,
    foreign: [{ setting: 'run', set: 1, found: 0 }] as const,
  };
  const rows = [
    [{ again: 0, times: 1 }, 'samepaged sets it again'],
    [{ again: 2 * MINUTE, times: 3 }, 'samepaged waits 2 min before it sets it again (change 3)'],
    [
      { again: Infinity, times: 6 },
      'samepaged leaves run to others until the configuration is reloaded (KSM_ON_CONFLICT)',
    ],
  ] as const;
  for (const [{ again, times }, outcome] of rows) {
    test(`a changed setting is reported: ${outcome}`, () => {
      assert.equal(
        describeConflict({ ...conflict, times, againAtMillis: again }, 'virsh did it'),
        `run is 0 but samepaged had set it to 1: virsh did it; ${outcome}`,
      );
    });
  }

  const who: [string, Parameters<Disputes['take']>[0], { name: string; pid: number }[], RegExp][] = [
    [
      'ksmtuned by its pid',
      [foreign('run', 0)],
      [{ name: 'ksmtuned', pid: 12 }],
      /: ksmtuned \(pid 12\) tunes KSM too;/,
    ],
    [
      "the kernel's advisor",
      [foreign('advisorMode', 'scan-time')],
      [],
      /: something else switched the kernel's advisor on;/,
    ],
    ['nobody whom it cannot see', [foreign('run', 0)], [], /: something else changed it;/],
  ];
  for (const [name, changed, daemons, sentence] of who) {
    test(`a report of a changed setting names ${name}`, async () => {
      const disputes = new Disputes(() => Promise.resolve(daemons));
      const { problems } = await disputes.take(changed, 'yield', 0);
      assert.match(problems[0]?.sentence ?? '', sentence);
    });
  }

  test('each change of a setting in a row is a problem of its own, and one that is left stays one', async () => {
    const disputes = new Disputes(() => Promise.reject(new Error('no /proc')));
    const subjects: (string | undefined)[] = [];
    for (const [minute, changed] of [
      [0, true],
      [0.5, true],
      [1, false],
      [2, false],
    ] as const) {
      const found = changed ? [foreign('pagesToScan')] : [];
      const { problems } = await disputes.take(found, 'reassert', minute * MINUTE);
      subjects.push(problems[0]?.subject);
    }
    assert.deepEqual(subjects, [
      'pages_to_scan changed by others, 1',
      'pages_to_scan changed by others, 2',
      'pages_to_scan changed by others, 2',
      undefined,
    ]);
  });
});
