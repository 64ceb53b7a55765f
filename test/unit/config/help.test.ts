import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEY_HELP, POLICY_HELP, POLICY_NAMES } from '../../../src/config/help.js';
import { KEYS, readValue } from '../../../src/config/keys.js';

test('every key has a line of help, and no line is left over', () => {
  assert.deepEqual(Object.keys(KEY_HELP).sort(), Object.keys(KEYS).sort());
  for (const [key, text] of Object.entries(KEY_HELP)) assert.match(text, /^\S.{10,74}[^\s.]$/, key);
});

test('every policy that KSM_POLICY takes has one', () => {
  assert.equal(KEYS.KSM_POLICY.expected, `one of ${POLICY_NAMES.join(', ')}`);
  for (const name of POLICY_NAMES) assert.equal(readValue('KSM_POLICY', name), name);
  for (const text of Object.values(POLICY_HELP)) assert.match(text, /^\S.{10,64}[^\s.]$/);
  assert.equal(readValue('KSM_POLICY', 'default'), undefined, 'samepagectl policy default is no policy');
});
