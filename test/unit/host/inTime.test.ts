import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Overdue, inTime } from '../../../src/host/inTime.js';

test('a read is not overdue because this process was kept from the CPU', async () => {
  const read = inTime('cmdline', 100, () => readFile('/proc/self/cmdline'));
  const busyUntil = performance.now() + 300;
  while (performance.now() < busyUntil) continue;
  assert.ok((await read).length > 0);
});

test('work that never ends is overdue, by the name of its file', async () => {
  await assert.rejects(
    inTime('cmdline', 100, () => new Promise(() => undefined)),
    new Overdue('cmdline does not answer within 0.1 s'),
  );
});
