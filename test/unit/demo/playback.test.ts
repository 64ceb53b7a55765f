import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BadOption, parseOptions } from '../../../src/demo/options.js';
import { type Playback, keysOf, nextPlayback, paceOf, startPlayback } from '../../../src/demo/playback.js';

const MINUTE = 60_000;

function press(playback: Playback, ...keys: readonly string[]): Playback {
  return keys.reduce((before, key) => nextPlayback(before, { kind: 'key', key }), playback);
}

function tick(playback: Playback, passedMillis: number, reachedMillis = playback.wantedMillis): Playback {
  return nextPlayback(playback, { kind: 'tick', passedMillis, reachedMillis });
}

describe('the demo goes on', () => {
  test('the demo plays four hours in a minute', () => {
    let playback = startPlayback(1);
    for (let passed = 0; passed < MINUTE; passed += 50) playback = tick(playback, 50);
    assert.equal(playback.wantedMillis, 240 * MINUTE);
    assert.equal(paceOf(playback), 'simulated, 240 times as fast');
  });

  test('the demo goes twice as fast after +, half as fast after -, and within bounds', () => {
    const start = startPlayback(1);
    assert.equal(tick(press(start, '+'), 100).wantedMillis, 48_000);
    assert.equal(tick(press(start, '-'), 100).wantedMillis, 12_000);
    assert.equal(press(start, ...Array<string>(10).fill('+')).speed, 100);
    assert.equal(press(start, ...Array<string>(10).fill('-')).speed, 0.1);
  });

  test('the demo stands still while it is paused', () => {
    const paused = press(startPlayback(1), ' ');
    assert.equal(tick(paused, 100).wantedMillis, 0);
    assert.equal(paceOf(paused), 'simulated, paused');
    assert.match(keysOf(paused), /space go on/);
    assert.equal(tick(press(paused, ' '), 100).wantedMillis, 24_000);
  });

  test('the demo goes on where it was after a sleep, and without haste where the simulation cannot keep up', () => {
    assert.equal(tick(startPlayback(1), 3_600_000).wantedMillis, MINUTE);
    const behind = { ...startPlayback(1), wantedMillis: 30 * MINUTE };
    assert.equal(tick(behind, 100, MINUTE).wantedMillis, MINUTE + 10_000 + 24_000);
  });

  test('the demo goes on until somebody quits', () => {
    for (const key of ['q', 'Q', '\u0003']) assert.equal(press(startPlayback(1), key).quit, true, key);
    assert.equal(press(startPlayback(1), 'x').quit, false);
  });
});

describe('options of the demo', () => {
  test('options of the demo are understood', () => {
    assert.deepEqual({ ...parseOptions([]) }, { help: false, once: false, speed: 1 });
    const words = ['--once', '--speed', '2.5', '-h'];
    assert.deepEqual({ ...parseOptions(words) }, { help: true, once: true, speed: 2.5 });
  });

  const wrong: readonly (readonly [words: readonly string[], says: RegExp])[] = [
    [['--sped', '2'], /^no option --sped; did you mean --speed\?$/],
    [['--wrong-way'], /^no option --wrong-way; see --help$/],
    [['--speed', 'fast'], /^--speed fast: expected a number from 0\.1 to 100; 1 takes a minute$/],
    [['--speed', '0'], /^--speed 0: expected/],
    [['--speed', '101'], /^--speed 101: expected/],
    [['--speed'], /^[^\n]*--speed[^\n]*argument missing$/],
    [['--svg', 'a.svg'], /^no option --svg; see --help$/],
    [['morning'], /^[^\n]*'morning'[^\n]*$/],
  ];
  for (const [words, says] of wrong) {
    test(`the demo refuses ${words.join(' ')} in one line`, () => {
      assert.throws(
        () => parseOptions(words),
        (error) => error instanceof BadOption && says.test(error.message),
      );
    });
  }
});
