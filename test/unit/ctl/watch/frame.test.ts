import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { print, widthOf } from '../../../../src/text/cells.js';
import { type FrameOptions, frame } from '../../../../src/ctl/watch/frame.js';
import { type WatchEvent, type WatchState, initialWatch, nextWatch } from '../../../../src/ctl/watch/model.js';
import { assertGolden } from '../../../support/golden.js';
import { PROPERTIES, REPLY } from '../../../support/examples/ctlExamples.js';
import { MORNING, hostAt, stateAfter } from '../../../support/examples/watchExample.js';
import { inTimeZone } from '../../../support/timeZone.js';

interface Look extends Omit<FrameOptions, 'keys'> {
  readonly colour: boolean;
}

const USUAL: Look = { columns: 80, rows: 24, unicode: true, colour: false };

function shown(state: WatchState, { colour, ...options }: Look, keys = true): readonly string[] {
  return frame(state, { ...options, keys }).map((line) => print(line, { colour, unicode: options.unicode }));
}

const PAUSED: WatchEvent = {
  kind: 'daemon',
  daemon: {
    ...PROPERTIES,
    ...{ policy: 'adaptive', hold: 'paused', holdUntilUSec: (MORNING + 500_000) * 1000, libvirtConnected: false },
    lastRetune: {
      ...REPLY,
      sentence: 'paused by hand: not merging for another 8 min 20 s, or until somebody resumes',
      problems: ['sleep_millisecs was set to 500 by somebody else; it is set to 10 again'],
    },
  },
};
const AWAY: readonly WatchEvent[] = [
  { kind: 'away', why: 'samepaged is not running' },
  { kind: 'tick', nowMillis: MORNING + 95_000 },
  { kind: 'host', host: { ...hostAt(95), run: 0 } },
];
const REFUSED: WatchEvent = { kind: 'notice', text: 'you may not do this (org.samepaged1.retune)', bad: true };

const FRAMES: Readonly<Record<string, readonly [WatchState, Partial<Look>]>> = {
  '80x24': [stateAfter(), {}],
  '80x24-colour': [stateAfter(), { colour: true }],
  '80x24-ascii': [stateAfter(), { unicode: false }],
  '200x50': [stateAfter(), { columns: 200, rows: 50 }],
  '200x50-colour': [stateAfter(), { columns: 200, rows: 50, colour: true }],
  '40x10': [stateAfter(), { columns: 40, rows: 10 }],
  '40x10-away': [stateAfter(...AWAY), { columns: 40, rows: 10 }],
  '60x16': [stateAfter(), { columns: 60, rows: 16 }],
  '80x24-paused': [stateAfter(PAUSED, REFUSED), {}],
  '80x24-away': [stateAfter(...AWAY), { colour: true }],
  '80x24-help': [stateAfter({ kind: 'help', shown: true }), {}],
  '40x10-help': [stateAfter({ kind: 'help', shown: true }), { columns: 40, rows: 10 }],
  '80x24-nothing': [initialWatch('kvm7', MORNING), {}],
};

describe('a frame', () => {
  inTimeZone('UTC');
  test('the heading of a watch is green while ksmd scans, and not while it is on with pages_to_scan 0', () => {
    const heading = (pagesToScan: number) => {
      const state = stateAfter({ kind: 'host', host: { ...hostAt(95), run: 1, pagesToScan } });
      return frame(state, { ...USUAL, keys: true })[0]?.[0];
    };
    assert.deepEqual(heading(64), { text: 'KSM is merging', ink: 'good' });
    assert.deepEqual(heading(0), { text: 'KSM is on, but ksmd scans nothing (pages_to_scan is 0)', ink: 'strong' });
  });

  for (const [name, [state, look]] of Object.entries(FRAMES)) {
    test(`the frame ${name} of a watch shows what it showed`, () => {
      assertGolden(`watch-${name}.txt`, `${shown(state, { ...USUAL, ...look }).join('\n')}\n`);
    });
  }

  test('a watch shows saved memory with the part that splits freed, where there is room and any was freed', () => {
    const GIB = 1024 ** 3;
    const line = (freedBytes: number, columns: number) => {
      const daemon = { ...PROPERTIES, freedBytes };
      const state = stateAfter({ kind: 'daemon', daemon }, { kind: 'host', host: hostAt(95) });
      return shown(state, { ...USUAL, columns, rows: 24 }).find((text) => text.startsWith('saved')) ?? '';
    };
    assert.match(line(GIB, 120), /^saved memory {2}13\.\d GiB, 1\.0 GiB freed +↑ 15 GiB /);
    assert.match(line(0, 120), /^saved memory {2}12\.\d GiB +↑ 15 GiB /);
    assert.match(line(GIB, 80), /^saved memory {2}13\.\d GiB +↑ 15 GiB /, 'the scale comes first');
  });

  test('a frame of a watch says the same without colour', () => {
    for (const more of [[], AWAY, [PAUSED, REFUSED]]) {
      const state = stateAfter(...more);
      const coloured = shown(state, { ...USUAL, colour: true });
      assert.deepEqual(coloured.map(stripVTControlCharacters), shown(state, USUAL));
      assert.notDeepEqual(coloured, shown(state, USUAL));
    }
  });

  test('a frame of a watch has nothing but ASCII for a terminal that knows no more', () => {
    const guests = [{ name: 'сервер 東京', residentBytes: 1, mergedBytes: 1, profitBytes: 1 }];
    const lines = shown(stateAfter({ kind: 'guests', guests, notes: [] }), { ...USUAL, unicode: false });
    for (const line of lines) assert.match(line, /^[ -~]*$/);
    assert.ok(lines.some((line) => line.startsWith('?????? ???? ')));
  });

  test('a frame of a watch lets nothing through that moves the cursor', () => {
    const name = 'a\u001b[2J\u0007\r\n\u202eb';
    const state = stateAfter(
      { kind: 'guests', guests: [{ name, residentBytes: 1, mergedBytes: 1, profitBytes: 1 }], notes: [name] },
      {
        kind: 'retuned',
        retune: { ...REPLY, guestEvents: [{ name, change: 'started' }], realtimeUSec: MORNING * 1000 },
      },
      { kind: 'away', why: name },
    );
    for (const line of shown(state, USUAL)) assert.doesNotMatch(line, /[\p{Cc}\p{Cf}]/u);
    const all = shown(state, USUAL).join('\n');
    assert.ok(all.includes('a?[2J????b '), all);
    assert.match(all, /\* guest a\?\[2J\? \?b started/);
  });

  test('a frame of a watch shows keys only where somebody can press them', () => {
    assert.match(shown(stateAfter(), USUAL).at(-1) ?? '', /^r retune {3}p pause {3}\? help {3}q quit$/);
    assert.equal(
      shown(stateAfter(), USUAL, false).some((line) => line.includes('q quit')),
      false,
    );
    assert.match(shown(stateAfter(PAUSED), USUAL).at(-1) ?? '', /p resume/);
  });

  test('a frame of 40x10 has the sentence and the four numbers', () => {
    const all = shown(stateAfter(), { ...USUAL, columns: 40, rows: 10 }).join('\n');
    assert.match(
      all,
      /^KSM is merging[^]*guests use 19\.5 GiB[^]*saved +11\.9 GiB[^]*free +13\.0 GiB[^]*scan +\d+\/s[^]*ksmd +8\.2 %/,
    );
  });
});

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.lorem(),
  fc.string({ unit: 'binary', maxLength: 400 }),
);
const bytes = fc.oneof(fc.constant(0), fc.nat(), fc.double({ min: -1e18, max: 1e18, noNaN: true }));
const maybe = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });
const someHost = fc.record({
  atMillis: fc.integer({ min: MORNING - 1_000_000, max: MORNING + 1_000_000 }),
  ...{ savedBytes: bytes, freeBytes: bytes, totalBytes: bytes },
  ...{ ksmdCpuNanos: maybe(bytes), pagesScanned: maybe(bytes) },
  ...{ run: fc.nat({ max: 2 }), pagesToScan: fc.nat(), sleepMillisecs: fc.nat() },
});
const someEvent: fc.Arbitrary<WatchEvent> = fc.oneof(
  fc.record({ kind: fc.constant('tick'), nowMillis: fc.integer({ min: 0, max: 4e12 }) }),
  fc.record({ kind: fc.constant('host'), host: someHost }),
  fc.record({ kind: fc.constant('unreadable'), why: text }),
  fc.record({ kind: fc.constant('away'), why: text }),
  fc.record({ kind: fc.constant('help'), shown: fc.boolean() }),
  fc.record({ kind: fc.constant('notice'), text, bad: fc.boolean() }),
  fc.record({
    kind: fc.constant('guests'),
    guests: fc.array(
      fc.record({ name: text, residentBytes: maybe(bytes), mergedBytes: maybe(bytes), profitBytes: maybe(bytes) }),
    ),
    notes: fc.array(text),
  }),
  fc.record({
    kind: fc.constant('retuned'),
    retune: fc.record({
      triggers: fc.array(text),
      guestEvents: fc.array(fc.record({ name: text, change: fc.constant('started') })),
      ...{ changes: fc.array(text), problems: fc.array(text), sentence: text, reason: text },
    }),
  }),
  fc.record({ hold: text, sentence: text, problems: fc.array(text) }).map(({ hold, ...retune }): WatchEvent => ({
    kind: 'daemon',
    daemon: { ...PROPERTIES, hold, lastRetune: { ...REPLY, ...retune } },
  })),
);

test('no frame of a watch is larger than its terminal, whatever it shows', () => {
  const looks = fc.record({
    columns: fc.oneof(fc.integer({ min: 1, max: 250 }), fc.constantFrom(40, 64, 80, 120, 200)),
    rows: fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(10, 20, 24, 50)),
    ...{ unicode: fc.boolean(), colour: fc.boolean() },
  });
  const known = fc.boolean();
  fc.assert(
    fc.property(fc.array(someEvent, { maxLength: 12 }), looks, known, (events, look, begun) => {
      const start = begun ? stateAfter() : initialWatch('kvm7', MORNING);
      const lines = shown(events.reduce(nextWatch, start), look);
      assert.ok(lines.length <= look.rows);
      for (const line of lines) {
        const plain = stripVTControlCharacters(line);
        assert.ok(widthOf(plain) <= look.columns, plain);
        assert.doesNotMatch(plain, /[\p{Cc}\p{Cs}]/u);
      }
    }),
    { numRuns: 400 },
  );
});
