import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { plain } from '../../../src/api/unpack.js';
import { toJson } from '../../../src/ctl/command.js';
import { paint } from '../../../src/text/terminal.js';
import { clean, cleanJson, cleanOutput } from '../../../src/text/clean.js';

const HOSTILE = 'a\u001b]0;title\u0007\u001b[2J\u009b1m\r\nb\u202ec\u2028d\u0000';

test('a clean line has no control characters, no line ends and no change of direction', () => {
  assert.equal(clean(HOSTILE), 'a?]0;title??[2J?1m??b?c?d?');
  assert.equal(clean('gäste 客人 🦊'), 'gäste 客人 🦊');
});

test('clean output keeps line ends, tabs and the styles of ours, and nothing else of the kind', () => {
  const good = paint({ colour: true }, 'good', 'good');
  assert.equal(cleanOutput(`${good}\n\tx`), `${good}\n\tx`);
  assert.equal(cleanOutput(HOSTILE), 'a?]0;title??[2J?1m?\nb?c?d?');
  assert.equal(cleanOutput('\u001b[1;31'), '?[1;31');
});

test('clean JSON says the same as before, and cannot steer a terminal', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = cleanJson(JSON.stringify({ text }, undefined, 2));
      assert.deepEqual(JSON.parse(json), { text });
      assert.equal(cleanOutput(json), json);
    }),
  );
  assert.match(toJson({ name: '\u202eevil' }), /"\\u202eevil"/);
});

test("each text of the daemon's answers is one clean line", () => {
  assert.deepEqual(plain({ Sentence: HOSTILE, Changes: ['run\n1'], Terms: [[HOSTILE, 1]] }), {
    sentence: clean(HOSTILE),
    changes: ['run?1'],
    terms: [[clean(HOSTILE), 1]],
  });
});
