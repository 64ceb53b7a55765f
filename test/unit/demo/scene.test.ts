import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SIMULATED_ZONE } from '../../../src/demo/clock.js';
import { type Scene, layOut } from '../../../src/demo/layout.js';
import { Show } from '../../../src/demo/show.js';
import { NEXT, difference, summary } from '../../../src/demo/summary.js';
import { lineWidth, print } from '../../../src/text/cells.js';
import { MORNING_CHAPTERS, MORNING_MILLIS, MORNING_WAVES } from '../../../src/demo/morning.js';
import { inTimeZone } from '../../support/timeZone.js';

const MINUTE = 60_000;
const show = new Show();
show.advanceTo(40 * MINUTE);
const SCENE: Scene = { atMillis: show.atMillis, views: show.views(), pace: 'simulated', keys: 'q quit' };

function printed(scene: Scene, columns: number, rows: number): readonly string[] {
  return layOut(scene, { columns, rows, unicode: true }).map((line) => print(line, { colour: false, unicode: true }));
}

describe('a scene of the demo', () => {
  inTimeZone(SIMULATED_ZONE);
  test('a scene of the demo shows both hosts at the same time of the morning, under their policies', () => {
    const [ksmtuned, adaptive] = SCENE.views;
    assert.deepEqual([ksmtuned.policy, adaptive.policy], ['ksmtuned', 'adaptive']);
    const text = printed(SCENE, 160, 50).join('\n');
    assert.match(text, /^08:40 {2}20 desktops run/);
    assert.match(
      text,
      /^KSM is merging · ksmtuned +simulated host {2}08:40:00 │ KSM is (not )?merging · adaptive +\S+ host {2}08:40:00$/m,
    );
    assert.match(text, /^30 GUESTS.* │ 30 GUESTS/m);
  });

  test('a scene of the demo shows what the real watch would: curves, guests and what happened', () => {
    for (const { state } of SCENE.views) {
      assert.equal(state.readings.length, 40 * 6 + 1);
      const [most] = state.guests;
      assert.ok(most?.mergedBytes !== undefined && most.residentBytes !== undefined && most.profitBytes !== undefined);
      assert.ok(most.mergedBytes > 0 && most.mergedBytes < most.residentBytes && most.profitBytes < most.mergedBytes);
      const log = state.log.map(({ text }) => text);
      assert.ok(log.includes('guest desktop20 started'), log.join('\n'));
      assert.ok(state.log.some(({ kind }) => kind === 'decision'));
    }
    assert.match(printed(SCENE, 160, 50).join('\n'), /^4 h ago +2 h +now/m);
  });

  test('a scene of the demo draws the memory of both on one scale', () => {
    assert.equal(
      printed(SCENE, 160, 50)
        .join('\n')
        .match(/↑ 50 GiB/g)?.length,
      2,
    );
  });

  test('a scene of the demo has one host above the other where both do not fit beside each other', () => {
    const lines = printed(SCENE, 80, 24);
    assert.equal(lines.length, 24);
    assert.equal(lines.filter((line) => line.startsWith('KSM is ')).length, 2);
    assert.equal(lines.filter((line) => line.startsWith('saved ')).length, 2);
    assert.equal(lines.at(-1), 'q quit');
    assert.match(lines.join('\n'), /^ksmtuned +\S+ [GM]iB .*\nadaptive +\S+ GiB /m);
  });

  test('a scene of the demo fits every size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 220 }), fc.integer({ min: 1, max: 70 }), (columns, rows) => {
        const lines = layOut(SCENE, { columns, rows, unicode: true });
        assert.ok(lines.length <= rows);
        for (const line of lines) assert.ok(lineWidth(line) <= columns);
      }),
      { numRuns: 200 },
    );
  });

  test('a scene of the demo has a headline for every part of the morning, in 80 columns', () => {
    for (const { fromMillis, headline } of MORNING_CHAPTERS) {
      const [first] = printed({ ...SCENE, atMillis: fromMillis + MINUTE }, 80, 24);
      assert.ok(first?.includes(headline), headline);
    }
    const [last] = printed({ ...SCENE, atMillis: MORNING_MILLIS }, 80, 24);
    assert.ok(last?.endsWith(difference(SCENE.views)), last);
  });

  test('waves of the demo’s morning do not overlap', () => {
    MORNING_WAVES.forEach(({ fromMillis, doneMillis, untilMillis }, index) => {
      assert.ok(fromMillis < doneMillis && doneMillis < untilMillis);
      assert.ok(untilMillis <= (MORNING_WAVES[index + 1]?.fromMillis ?? MORNING_MILLIS));
    });
  });
});

describe('the summary of the demo', () => {
  inTimeZone(SIMULATED_ZONE);
  const [ksmtuned, adaptive] = SCENE.views;
  const of = (meanSavedBytes: number, seconds: number) => ({
    ...{ ...ksmtuned.score, meanSavedBytes: meanSavedBytes * 1024 ** 3, leastFreeBytes: 0 },
    ksmdCpuNanos: seconds * 1e9,
  });

  test('the summary of the demo says that it was a simulation, and what came of both', () => {
    const text = summary([
      { ...ksmtuned, score: of(2, 144) },
      { ...adaptive, score: of(3, 288) },
    ]).join('\n');
    assert.match(
      text,
      /^This was a simulation: a host of 48\.0 GiB with 10 servers and up to 40 desktops from 08:00 to 12:00/,
    );
    assert.match(text, /On average 3\.0 GiB under adaptive and 2\.0 GiB under ksmtuned were saved\./);
    assert.match(text, /ksmd took 288 s of CPU time \(2\.0 % of a core\) under adaptive and 144 s /);
    assert.match(text, /90 % of its gain came not by noon under adaptive and not by noon under ksmtuned/);
  });

  test('the summary of the demo takes no side', () => {
    const two = (a: readonly [number, number], b: readonly [number, number]) =>
      difference([
        { ...ksmtuned, score: of(...a) },
        { ...adaptive, score: of(...b) },
      ]);
    assert.equal(two([1, 10], [3, 40]), 'adaptive saved 2.0 GiB more on average; its ksmd took 30 s more CPU');
    assert.equal(two([3, 40], [1, 10]), 'adaptive saved 2.0 GiB less on average; its ksmd took 30 s less CPU');
  });

  test('the summary of the demo tells what to do next, in 80 columns', () => {
    for (const line of NEXT) assert.ok(line.length < 80, line);
  });
});
