import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { HoldFile } from '../../../src/state/hold.js';
import { removeScratch, scratchDirectory } from '../../support/scratch.js';

describe('a hold.json', () => {
  let directory: string;
  let file: HoldFile;

  before(async () => {
    directory = await scratchDirectory('hold');
    file = new HoldFile(directory);
  });

  after(async () => {
    await removeScratch(directory);
  });

  for (const text of [
    '',
    'garbage',
    '{"kind":"paus',
    'null',
    '[]',
    '"paused"',
    '{}',
    '{"kind":"asleep"}',
    '{"kind":"paused","untilMillis":"soon"}',
    '{"kind":"paused","untilMillis":null}',
    '{"kind":"paused","untilMillis":1.5}',
    '{"kind":"paused","untilMillis":-5}',
    '{"kind":"paused","untilMillis":1e300}',
    '{"kind":"paused","untilMillis":1e400}',
    '\0\0\0\0',
    '{"policy":{}}',
    '{"policy":"adaptive"}',
    '{"policy":null}',
    '{"kind":"x","policy":{}}',
  ]) {
    test(`a hold.json with ${JSON.stringify(text)} in it is refused`, () => {
      writeFileSync(file.path, text);
      assert.throws(() => file.read(0));
    });
  }

  test('a hold.json with a hold and a policy in it gives both', () => {
    const policy = { name: 'adaptive', insteadOf: 'ksmtuned', bootId: 'first-boot' };
    writeFileSync(file.path, JSON.stringify({ kind: 'paused', untilMillis: 5, policy }));
    assert.deepEqual(file.read(0), { hold: { kind: 'paused', untilMillis: 5 }, policy });
  });
});
