import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type WatchEvent, initialWatch, nextWatch } from '../../../../src/ctl/watch/model.js';
import { PROPERTIES, REPLY } from '../../../support/examples/ctlExamples.js';
import { MORNING, hostAt, stateAfter } from '../../../support/examples/watchExample.js';

const fresh = initialWatch('kvm7', MORNING);
const after = (...events: readonly WatchEvent[]) => events.reduce(nextWatch, fresh);

function retuned(seconds: number, parts: Partial<typeof REPLY> = {}): WatchEvent {
  return {
    kind: 'retuned',
    retune: { ...REPLY, guestEvents: [], realtimeUSec: (MORNING + seconds * 1000) * 1000, ...parts },
  };
}

describe('the state of a watch', () => {
  test('a watch keeps the readings of the last ten minutes and some, however long it runs', () => {
    let state = fresh;
    for (let seconds = 0; seconds < 7200; seconds += 1)
      state = nextWatch(state, { kind: 'host', host: hostAt(seconds) });
    assert.equal(state.readings.at(-1)?.atMillis, hostAt(7199).atMillis);
    assert.equal(state.readings.length, 751);
    for (let part = 0; part < 3000; part += 1) {
      state = nextWatch(state, { kind: 'host', host: { ...hostAt(7200), atMillis: hostAt(7200).atMillis + part } });
    }
    assert.equal(state.readings.length, 1500);
  });

  test('a watch takes no reading from after a clock that was set back', () => {
    const state = after(
      { kind: 'host', host: hostAt(0) },
      { kind: 'host', host: hostAt(-60) },
      { kind: 'host', host: hostAt(-59) },
    );
    assert.deepEqual(
      state.readings.map(({ atMillis }) => (atMillis - MORNING) / 1000),
      [-60, -59],
    );
  });

  test('a watch puts what was recorded before what it saw, each once', () => {
    const sample = {
      kind: 'sample',
      ...hostAt(-10),
      committedBytes: 0,
      guestCount: 0,
      freedBytes: 0,
      profitBytes: undefined,
    } as const;
    const decision = {
      kind: 'decision',
      atMillis: MORNING - 5000,
      policy: 'ksmtuned',
      reason: 'always',
      changes: [],
    } as const;
    const history: WatchEvent = { kind: 'history', records: [sample, { ...decision, sentence: 'merging' }] };
    const state = after(
      { kind: 'host', host: hostAt(0) },
      retuned(-5, { sentence: 'merging' }),
      retuned(-1),
      history,
      history,
    );
    assert.deepEqual(
      state.readings.map(({ atMillis }) => (atMillis - MORNING) / 1000),
      [-10, 0],
    );
    const twice = after(history, history);
    assert.deepEqual(
      twice.log.map(({ text }) => text),
      ['merging'],
    );
  });

  test('a watch tells a guest event before the decision that it led to', () => {
    const { log } = after(
      retuned(0, {
        guestEvents: [
          { name: 'web', change: 'started' },
          { name: 'my db', change: 'stopped' },
        ],
      }),
    );
    assert.deepEqual(
      log.map(({ kind, text }) => [kind, text]),
      [
        ['guest', 'guest web started'],
        ['guest', 'guest my db stopped'],
        ['decision', REPLY.sentence],
      ],
    );
  });

  test('a watch makes one line of decisions with the same reason, and another of another', () => {
    const { log } = after(
      retuned(0, { sentence: 'a' }),
      retuned(1, { sentence: 'b' }),
      retuned(2, { sentence: 'c', guestEvents: [{ name: 'web', change: 'crashed' }] }),
      retuned(3, { sentence: 'd', reason: 'enough-memory' }),
      retuned(4, { sentence: 'e', reason: 'enough-memory', policy: 'adaptive' }),
    );
    assert.deepEqual(
      log.map(({ text, times }) => `${text} ${times}`),
      ['b 2', 'guest web crashed 1', 'c 1', 'd 1', 'e 1'],
    );
  });

  test('a watch keeps no more than 200 lines, the newest', () => {
    const events = Array.from({ length: 500 }, (_, at) =>
      retuned(at, { sentence: String(at), reason: String(at % 2) }),
    );
    const { log } = after(...events);
    assert.deepEqual([log.length, log.at(-1)?.text], [200, '499']);
  });

  test('a watch tells a failure as one, at the time it heard of it', () => {
    const { log } = after({
      kind: 'retuned',
      retune: { triggers: ['timer'], changes: [], problems: [], failure: 'no MemTotal' },
    });
    assert.deepEqual(log, [{ atMillis: MORNING, kind: 'failed', text: 'no MemTotal', reason: ' failed', times: 1 }]);
  });

  test('a watch keeps everything while the daemon is away, and says when it went and came', () => {
    const gone: WatchEvent = { kind: 'away', why: 'samepaged is not running' };
    const later = [{ kind: 'tick', nowMillis: MORNING + 5000 } as const, gone];
    const away = stateAfter(gone, ...later);
    assert.deepEqual(away.away, { why: 'samepaged is not running', detail: undefined, sinceMillis: MORNING });
    assert.deepEqual(
      [away.readings, away.guests, away.daemon],
      [stateAfter().readings, stateAfter().guests, stateAfter().daemon],
    );
    const back = stateAfter(gone, ...later, { kind: 'daemon', daemon: PROPERTIES });
    assert.equal(back.away, undefined);
    assert.deepEqual(
      back.log.slice(-2).map(({ text }) => text),
      ['samepaged has stopped', 'samepaged runs again'],
    );
    assert.deepEqual(after(gone).log, []);
  });

  test('a watch lets a notice go after a while, a complaint later', () => {
    const at = (millis: number, bad: boolean) =>
      after({ kind: 'notice', text: 'x', bad }, { kind: 'tick', nowMillis: MORNING + millis }).notice?.text;
    assert.deepEqual(
      [at(3999, false), at(4000, false), at(14_999, true), at(15_000, true)],
      ['x', undefined, 'x', undefined],
    );
  });

  test('a watch drops what it said of a daemon that was away, and keeps what it said of one that was not', () => {
    const notice: WatchEvent = { kind: 'notice', text: 'samepaged is not running', bad: true };
    const back: WatchEvent = { kind: 'daemon', daemon: PROPERTIES };
    assert.equal(stateAfter({ kind: 'away', why: 'samepaged is not running' }, notice, back).notice, undefined);
    assert.equal(stateAfter(notice, back).notice?.text, 'samepaged is not running');
  });

  test('a watch sorts guests by what is merged of them, unknown last', () => {
    const guest = (name: string, mergedBytes: number | undefined) => ({
      ...{ name, mergedBytes, residentBytes: 1, profitBytes: undefined },
    });
    const guests = [guest('c', undefined), guest('b', 5), guest('d', 9), guest('a', 5)];
    assert.deepEqual(
      after({ kind: 'guests', guests, notes: [] }).guests.map(({ name }) => name),
      ['d', 'a', 'b', 'c'],
    );
  });
});
