import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { HistoryRecord } from '../../../src/core/history/record.js';
import { HistoryStore } from '../../../src/state/history/store.js';
import { parsed, parsedFile } from '../../support/examples/historyEntries.js';
import { HistoryPlace, MEMORY_ONLY, NOW, recordsIn, sampleAt } from '../../support/historyPlace.js';

const guestAt = (number: number): HistoryRecord => {
  return { kind: 'guest', atMillis: NOW - 1000 + number, name: `guest${String(number)}`, change: 'started' };
};
const addAll = async (store: HistoryStore, records: readonly HistoryRecord[]) => {
  for (const record of records) await store.add([record], NOW);
};

describe('the history', () => {
  test('the history is kept over restarts, and everybody may read it', async () => {
    using place = new HistoryPlace();
    const records = [guestAt(1), guestAt(2), sampleAt(NOW)];
    const first = place.open();
    assert.equal(existsSync(place.directory), false, 'nothing is made before there is something to write');
    await addAll(first, records);
    assert.deepEqual(recordsIn(place.open()), records);
    assert.equal(readFileSync(place.file, 'utf8'), first.since(0).text);
    assert.equal(statSync(place.file).mode & 0o044, 0o044);
    assert.deepEqual(place.told, []);
  });

  test('the history is read from a time on', async () => {
    using place = new HistoryPlace();
    const store = place.open();
    await addAll(store, [1, 2, 3].map(guestAt));
    const since = parsed(Buffer.from(store.since(NOW - 998).text)).entries.map(({ record }) => record);
    assert.deepEqual(since, [guestAt(2), guestAt(3)]);
  });

  test('the history without a directory is in memory only', async () => {
    const store = new HistoryStore(MEMORY_ONLY);
    await addAll(store, [guestAt(1)]);
    assert.deepEqual(recordsIn(store), [guestAt(1)]);
  });

  test('the history may be read while it is being written', async () => {
    using place = new HistoryPlace();
    const store = place.open();
    await addAll(store, [1, 2].map(guestAt));
    appendFileSync(place.file, '0123abcd ["g",17');
    const { entries, damaged, tail } = parsedFile(place.file);
    assert.deepEqual([entries.length, damaged, tail], [2, [], 'torn']);
  });
});

describe('what was cut off or damaged', () => {
  const records = [1, 2, 3, 4, 5, 6].map(guestAt);
  const written = async () => {
    const place = new HistoryPlace();
    await addAll(place.open(), records);
    return place;
  };

  test('a history cut off at any byte has all complete lines, and the file goes on', async () => {
    using whole = await written();
    const bytes = readFileSync(whole.file);
    for (let length = 0; length <= bytes.length; length += 1) {
      using place = new HistoryPlace();
      mkdirSync(place.directory);
      writeFileSync(place.file, bytes.subarray(0, length));
      const complete = bytes.subarray(0, length).toString().split('\n').length - 1;
      const store = place.open();
      const unended = bytes[length] === 0x0a ? 1 : 0;
      const expected = records.slice(0, complete + unended);
      assert.deepEqual(recordsIn(store), expected, `cut at ${String(length)}`);
      await addAll(store, [guestAt(9)]);
      const torn = place.told.length;
      assert.ok(torn <= 1);
      assert.deepEqual(recordsIn(place.open()), [...expected, guestAt(9)], `cut at ${String(length)}`);
      assert.equal(place.told.length, torn, 'told once');
    }
  });

  test('a history damaged anywhere has the other lines; it is logged once, and the file is repaired', async () => {
    using whole = await written();
    const bytes = readFileSync(whole.file);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 2), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        using place = new HistoryPlace();
        mkdirSync(place.directory);
        const hurt = Buffer.from(bytes);
        hurt.writeUInt8(hurt.readUInt8(at) ^ change, at);
        writeFileSync(place.file, hurt);
        const line = bytes.subarray(0, at).toString().split('\n').length;
        const store = place.open();
        const kept = recordsIn(store);
        const lost = records.filter(
          (record) => !kept.some((other) => JSON.stringify(other) === JSON.stringify(record)),
        );
        // A newline that is lost joins two lines.
        assert.ok(lost.length === 1 || (lost.length === 2 && bytes[at] === 0x0a));
        assert.ok(lost.includes(records[line - 1] ?? guestAt(0)));
        assert.equal(place.told.length, 1);
        // A first byte that becomes a newline leaves an empty line before the damaged one.
        const isMoved = hurt[at] === 0x0a && (at === 0 || bytes[at - 1] === 0x0a);
        const damaged = `warn: ${place.file}:${String(isMoved ? line + 1 : line)}: damaged`;
        assert.ok(place.told[0]?.startsWith(damaged), place.told[0]);
        await addAll(store, [guestAt(9)]);
        assert.deepEqual(recordsIn(place.open()), [...kept, guestAt(9)]);
        assert.equal(place.told.length, 1);
      }),
      { examples: [[0, 111]] },
    );
  });

  test('a history cut off by zeroes at its end, as after a loss of power, is read', async () => {
    using place = await written();
    const { size } = statSync(place.file);
    truncateSync(place.file, size + 4096);
    const store = place.open();
    assert.deepEqual(recordsIn(store), records);
    assert.match(place.told.join('\n'), /^warn: \S+history\.log: the last line was being written when samepaged ended/);
    await store.close();
    assert.equal(statSync(place.file).size, size);
  });

  test('a history file that is something else altogether is logged once, and the history goes on', async () => {
    using place = new HistoryPlace();
    mkdirSync(place.directory);
    writeFileSync(place.file, 'x'.repeat(20 * 1024 ** 2));
    const store = place.open();
    await addAll(store, [guestAt(1)]);
    assert.deepEqual(recordsIn(place.open()), [guestAt(1)]);
    assert.equal(place.told.length, 1);
  });
});

describe('a place that cannot be written', () => {
  test('a history that cannot be written is logged once; when it can be again, everything is written', async () => {
    using place = new HistoryPlace();
    writeFileSync(place.directory, 'a file where the directory should be\n');
    const store = place.open();
    await addAll(
      store,
      Array.from({ length: 130 }, (_, index) => guestAt(index)),
    );
    assert.deepEqual(place.told, [
      `warn: ${place.file} cannot be written (ENOTDIR): the history is kept in memory only for now`,
    ]);
    assert.equal(recordsIn(store).length, 130);

    rmSync(place.directory);
    await addAll(
      store,
      Array.from({ length: 60 }, (_, index) => guestAt(130 + index)),
    );
    assert.deepEqual(place.told.slice(1), [`info: ${place.file}: the history is written again`]);
    assert.equal(recordsIn(place.open()).length, 190);
  });

  test('a device in place of the history file is logged, and the history goes on in memory', async () => {
    using place = new HistoryPlace();
    mkdirSync(place.directory);
    symlinkSync('/dev/full', place.file);
    const store = place.open();
    await addAll(
      store,
      Array.from({ length: 50 }, (_, index) => guestAt(index)),
    );
    assert.deepEqual(place.told, [
      `warn: ${place.file} cannot be read (it is a device and no regular file): the history is kept in memory only for now`,
    ]);
    assert.equal(recordsIn(store).length, 50);
  });

  test('a directory in place of the history file is logged, and the history goes on in memory', async () => {
    using place = new HistoryPlace();
    mkdirSync(place.file, { recursive: true });
    const store = place.open();
    await addAll(
      store,
      Array.from({ length: 200 }, (_, index) => guestAt(index)),
    );
    assert.deepEqual(place.told, [
      `warn: ${place.file} cannot be read (it is a directory and no regular file): the history is kept in memory only for now`,
    ]);
    assert.equal(recordsIn(store).length, 200);
    assert.deepEqual(readdirSync(place.directory), ['history.log'], 'no half of a file is left');
  });
});
