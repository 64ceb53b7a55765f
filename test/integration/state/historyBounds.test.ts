import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { parsedFile } from '../../support/examples/historyEntries.js';
import { fullDetail, HistoryPlace, NOW } from '../../support/historyPlace.js';

const DAY = 86_400_000;

test('thirty-two days of history at full detail stay within their bounds, on disk and in memory', async () => {
  using place = new HistoryPlace();
  const store = place.open(NOW - 32 * DAY);
  const largest = await fullDetail(store, 32, () => statSync(place.file).size);
  assert.ok(largest < 3e6, `${String(largest)} bytes at most`);
  assert.equal(readFileSync(place.file, 'utf8'), store.since(0).text, 'file and memory hold the same');
  assert.deepEqual(readdirSync(place.directory), ['history.log']);
  const { entries } = parsedFile(place.file);
  assert.ok(entries.length >= 8640 + 8300, String(entries.length));
  assert.ok(entries.filter(({ record }) => record.atMillis >= NOW - DAY).length >= 8639);
  assert.deepEqual(place.told, []);
});
