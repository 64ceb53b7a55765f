import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Quotas } from '../../../src/api/quotas.js';

test('what a user used up of a quota comes back with time, and other users have their own', () => {
  let now = 0;
  const quotas = new Quotas(() => now);
  for (let count = 0; count < 500; count += 1) assert.equal(quotas.call(1000), 'allowed');
  assert.equal(quotas.call(1000), 'many');
  assert.equal(quotas.call(1001), 'allowed');
  now = 1000;
  for (let count = 0; count < 20; count += 1) assert.equal(quotas.call(1000), 'allowed');
  assert.equal(quotas.call(1000), 'many');
});

test('answers are counted with what the bus keeps of each, and a user that was sent too much gets none', () => {
  let now = 0;
  const quotas = new Quotas(() => now);
  for (let count = 0; count < 16; count += 1) quotas.answered(1000, 1024 ** 2);
  assert.equal(quotas.call(1000), 'silent');
  assert.equal(quotas.call(1001), 'allowed');
  now = 60_000;
  assert.equal(quotas.call(1000), 'allowed');
});
