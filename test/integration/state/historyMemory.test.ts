import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { HistoryStore } from '../../../src/state/history/store.js';
import { fullDetail, MEMORY_ONLY, recordsIn } from '../../support/historyPlace.js';

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;

async function usedBytes(): Promise<number> {
  // What is freed by one collection may free more in the next; buffers are freed after it.
  for (let times = 0; times < 3; times += 1) {
    collect();
    await nextTurn();
  }
  return process.memoryUsage().heapUsed + process.memoryUsage().external;
}

// In a file, thus a process, of its own, and nothing that was measured is let go of before the end:
// what another test leaves, freed between two looks, would be taken off the figure.
test('a day of history takes less than 8 MB of memory, a month too', async () => {
  const kept: HistoryStore[] = [];
  const megabytesOf = async (days: number) => {
    const before = await usedBytes();
    const store = new HistoryStore(MEMORY_ONLY);
    kept.push(store);
    await fullDetail(store, days);
    return ((await usedBytes()) - before) / 1e6;
  };
  await megabytesOf(1); // code, and what it keeps for itself
  const [day, month] = [await megabytesOf(1), await megabytesOf(31)];
  assert.ok(day > 0.8 && day < 8, `${String(day)} MB for a day`);
  assert.ok(month > day && month < 8, `${String(month)} MB for a month`);
  for (const store of kept) assert.ok(recordsIn(store).length > 8600);
});
