import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { Properties } from '../../../../src/api/replies.js';
import { rawText, unpacked } from '../../../../src/cockpit/model/unpack.js';
import { explainedKeys, policyText } from '../../../../src/cockpit/model/policies.js';
import { KEYS, POLICY_NAMES } from '../../../../src/config/keys.js';
import { PROPERTIES } from '../../../support/examples/ctlExamples.js';

/** As Cockpit's bridge sends a dictionary of variants. */
function packed(value: object): object {
  const entries = Object.entries(value).map(([key, inner]: [string, unknown]) => {
    const isDict = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
    const name = key.charAt(0).toUpperCase() + key.slice(1);
    return [name, { t: '?', v: isDict ? packed(inner) : inner }];
  });
  return Object.fromEntries(entries) as object;
}

test("the daemon's properties through Cockpit's bridge are read as samepagectl reads them", () => {
  assert.deepEqual(v.parse(Properties, unpacked(packed(PROPERTIES))), PROPERTIES);
});

test('a text that comes over the bus has no control characters, and lines of a history keep their ends', () => {
  assert.deepEqual(unpacked({ Name: { t: 's', v: 'a\u202Eb\n' } }), { name: 'a?b?' });
  assert.equal(rawText({ t: 's', v: 'a\nb\n' }), 'a\nb\n');
  assert.equal(rawText(undefined), '');
});

test('every policy of this version is explained, with keys that there are', () => {
  const entries = Object.keys(KEYS).map((key) => ({ key, value: '1', origin: 'default' }));
  for (const name of POLICY_NAMES) {
    assert.notEqual(policyText(name), '');
    assert.ok(explainedKeys(name, entries).length >= 3, name);
  }
  assert.equal(policyText('newer'), '');
});
