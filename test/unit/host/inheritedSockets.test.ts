import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inheritedSockets } from '../../../src/host/inheritedSockets.js';

const LISTEN_PID = String(process.pid);

test('the sockets of the service manager are the descriptors from 3 on', () => {
  assert.deepEqual(inheritedSockets({ LISTEN_PID, LISTEN_FDS: '2' }), [3, 4]);
});

test('there are no inherited sockets where none were handed over, to this process', () => {
  assert.deepEqual(inheritedSockets({}), []);
  assert.deepEqual(inheritedSockets({ LISTEN_FDS: '1' }), []);
  assert.deepEqual(inheritedSockets({ LISTEN_PID: '1', LISTEN_FDS: '1' }), []);
  for (const LISTEN_FDS of ['', '-1', 'many', '1e9'])
    assert.deepEqual(inheritedSockets({ LISTEN_PID, LISTEN_FDS }), []);
});
