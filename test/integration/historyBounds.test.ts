import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { HistoryStore } from '../../src/host/historyStore.js';
import { parsedFile } from '../support/historyEntries.js';
import { HistoryPlace, MEMORY_ONLY, NOW, recordsIn, sampleAt } from '../support/historyPlace.js';

const SECOND = 1000;
const DAY = 86_400_000;

describe('forty days at full detail', () => {
  /** In hundreds, so that the test takes no longer than it must. */
  function live(store: HistoryStore, days: number, sizeBytes = () => 0): number {
    let largest = 0;
    for (let at = NOW - days * DAY; at < NOW; at += 1000 * SECOND) {
      const hundred = Array.from({ length: 100 }, (_, index) => sampleAt(at + index * 10 * SECOND));
      store.add(hundred, at + 990 * SECOND);
      largest = Math.max(largest, sizeBytes());
    }
    return largest;
  }

  test('stay within their bounds, on disk and in memory', () => {
    using place = new HistoryPlace();
    const store = place.open(NOW - 40 * DAY);
    const largest = live(store, 40, () => statSync(place.file).size);
    assert.ok(largest < 3e6, `${String(largest)} bytes at most`);
    assert.equal(readFileSync(place.file, 'utf8'), store.since(0), 'file and memory hold the same');
    assert.deepEqual(readdirSync(place.directory), ['history.log']);
    const { entries } = parsedFile(place.file);
    assert.ok(entries.length >= 8640 + 8300, String(entries.length));
    assert.ok(entries.filter(({ record }) => record.atMillis >= NOW - DAY).length >= 8639);
    assert.deepEqual(place.told, []);
  });

  test('a day takes less than 8 MB of memory, a month too', () => {
    setFlagsFromString('--expose_gc');
    const collect = runInNewContext('gc') as () => void;
    const used = () => {
      // What is freed by one collection may free more in the next.
      for (let times = 0; times < 3; times += 1) collect();
      return process.memoryUsage().heapUsed + process.memoryUsage().external;
    };
    const megabytesOf = (days: number) => {
      const before = used();
      const store = new HistoryStore(MEMORY_ONLY);
      live(store, days);
      const after = used();
      assert.ok(recordsIn(store).length > 8600);
      return (after - before) / 1e6;
    };
    const [day, month] = [megabytesOf(1), megabytesOf(31)];
    assert.ok(day > 0.8 && day < 8, `${String(day)} MB for a day`);
    assert.ok(month > day && month < 8, `${String(month)} MB for a month`);
  });
});
