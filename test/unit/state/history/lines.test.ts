import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { LONGEST_TEXT } from '../../../../src/core/history/record.js';
import { describeLosses } from '../../../../src/state/history/file.js';
import { decodeLine, encodeLine, readLine } from '../../../../src/state/history/lines.js';
import { parsed } from '../../../support/examples/historyEntries.js';
import { decision, guestEvent, record, sample } from '../../../support/examples/historyArbitraries.js';

const lineOf = (json: string) => `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
/** What is read of a line, with its newline or without. */
const decoded = (text: string | Buffer) => {
  const line = readLine(Buffer.from(text));
  return typeof line === 'string' ? line : decodeLine(line);
};

describe('a line', () => {
  test('a line of the history gives back what was put in', () => {
    fc.assert(
      fc.property(record, (any) => {
        const { text, kind, atMillis } = encodeLine(any);
        assert.deepEqual([kind, atMillis], [any.kind, any.atMillis]);
        assert.equal(text.indexOf('\n'), text.length - 1);
        assert.deepEqual(decoded(text), any);
        assert.deepEqual(readLine(Buffer.from(text)), { kind, atMillis, text });
        assert.deepEqual(decoded(text.slice(0, -1)), any, 'the last line may have no end');
      }),
    );
  });

  test('a line of the history is never longer than the bounds reckon with', () => {
    const atMost = (bytes: number) => (any: Parameters<typeof encodeLine>[0]) =>
      Buffer.byteLength(encodeLine(any).text) <= bytes;
    fc.assert(fc.property(sample, atMost(208)));
    fc.assert(fc.property(decision, atMost(2176)));
    fc.assert(fc.property(guestEvent, atMost(304)));
  });

  test('a line of the history with the widest letters throughout comes near those bounds', () => {
    const wide = (length: number) => '\u20ac'.repeat(length);
    const { word, sentence, changes, name } = LONGEST_TEXT;
    const at = 8.64e15;
    const made = {
      kind: 'decision',
      atMillis: at,
      policy: wide(word),
      reason: wide(word),
      sentence: wide(sentence),
    } as const;
    const texts = [
      encodeLine({ ...made, changes: Array.from({ length: 30 }, () => wide(changes / 30)) }).text,
      encodeLine({ kind: 'guest', atMillis: at, name: wide(name), change: 'started' }).text,
    ];
    const [longest, second] = texts.map((text) => Buffer.byteLength(text));
    assert.ok(longest !== undefined && longest > 2100 && longest <= 2176, String(longest));
    assert.ok(second !== undefined && second > 270 && second <= 304, String(second));
  });

  test('a line of the history is as documented', () => {
    const line = '72203bac ["g",1767603600000,"started","web03"]\n';
    assert.equal(encodeLine({ kind: 'guest', atMillis: 1767603600000, name: 'web03', change: 'started' }).text, line);
  });

  test('a line of the history with any one byte changed is damaged', () => {
    fc.assert(
      fc.property(record, fc.nat(), fc.integer({ min: 1, max: 255 }), (any, place, change) => {
        const bytes = Buffer.from(encodeLine(any).text.slice(0, -1));
        const at = place % bytes.length;
        bytes.writeUInt8(bytes.readUInt8(at) ^ change, at);
        // Upper-case digits of the sum mean the same, but were never written.
        assert.equal(readLine(bytes), 'damaged');
      }),
    );
  });

  for (const [what, json] of Object.entries({
    'of an unknown kind': '["x",1]',
    'beyond all dates': '["g",8640000000000001]',
  })) {
    test(`a line of the history ${what} is another version's`, () => {
      assert.equal(decoded(lineOf(json)), 'foreign');
    });
  }

  for (const [what, json] of Object.entries({
    'a sample with a text for a number': '["s",1,2,3,4,5,6,7,"8",9,10]',
    'a sample with too little in it': '["s",1,2,3,4,5,6,7,8,9]',
    'a decision without changes': '["d",1,"a","b","c"]',
    'a change that is new': '["g",1,"migrated","a"]',
    'what is no array': '["g",1],2',
  })) {
    test(`a line of the history with ${what} is kept, but no record to this version`, () => {
      const line = readLine(Buffer.from(lineOf(json)));
      assert.ok(typeof line !== 'string');
      assert.equal(decodeLine(line), undefined);
    });
  }

  test('a line of the history with more in it than this version knows is read', () => {
    assert.deepEqual(decoded(lineOf('["g",1,"started","a",{"more":1}]')), {
      ...{ kind: 'guest', atMillis: 1, name: 'a', change: 'started' },
    });
  });

  for (const json of ['{"kind":"sample"}', '[1,2]', '[]', 'null', 'not JSON', '']) {
    test(`a line of the history with ${JSON.stringify(json)} and the right sum is damaged all the same`, () => {
      assert.equal(decoded(lineOf(json)), 'damaged');
    });
  }
});

describe('a file', () => {
  const line = (number: number) =>
    encodeLine({ kind: 'guest', atMillis: number, name: `guest${String(number)}`, change: 'started' }).text;

  test('a history file of any bytes is read without a fault, and gives nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        assert.deepEqual(parsed(Buffer.from(bytes)).entries, []);
      }),
    );
  });

  test('a file of the history gives every line but those that damage has touched', () => {
    const lines = fc
      .array(record, { minLength: 1, maxLength: 8 })
      .map((records) => records.map((r) => encodeLine(r).text));
    fc.assert(
      fc.property(lines, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 40 }), (texts, place, damage) => {
        const bytes = Buffer.from(texts.join(''));
        const from = place % bytes.length;
        bytes.set(damage.subarray(0, bytes.length - from), from);
        const read = parsed(bytes).entries.map(({ text }) => text);
        let end = 0;
        const whole = texts.filter((text) => {
          const start = end;
          end += Buffer.byteLength(text);
          return end <= from || start > from + damage.length;
        });
        assert.ok(whole.every((text) => read.includes(text)));
        assert.ok(read.length <= texts.length);
      }),
    );
  });

  test('a file of the history tells the damaged lines by their numbers, the others by their count', () => {
    const content = parsed(
      Buffer.from(`${line(1)}${line(2).replace('guest2', 'ghost2')}\n${line(4)}x\n${lineOf('["y",1]')}y\n`),
    );
    assert.deepEqual(
      content.entries.map(({ record: { atMillis } }) => atMillis),
      [1, 4],
    );
    assert.deepEqual(content.damaged, [2, 5, 7]);
    assert.deepEqual(describeLosses('F', content), [
      'F:2: damaged and left out, as 2 more lines up to 7',
      'F: 1 line of another version of samepaged left out',
    ]);
  });

  test('a history file without damage has nothing to tell', () => {
    assert.deepEqual(describeLosses('F', parsed(Buffer.from(line(1)))), []);
  });

  for (const [tail, text] of Object.entries({
    complete: line(1),
    unended: line(1).slice(0, -1),
    torn: line(1).slice(0, -2),
  })) {
    test(`a file of the history whose end is ${tail} says so`, () => {
      const content = parsed(Buffer.from(line(0) + text));
      assert.equal(content.tail, tail);
      assert.equal(content.entries.length, tail === 'torn' ? 1 : 2);
      assert.deepEqual(content.damaged, []);
    });
  }
});
