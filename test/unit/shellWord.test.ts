import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { shellWord } from '../../src/core/shellWord.js';

test('a plain name stands as it is', () => {
  for (const name of ['web', 'web-1.example.org', 'db_2', 'a/b']) assert.equal(shellWord(name), name);
});

test('a shell takes anything else for one word that is the text', () => {
  const texts = [
    'x; touch /tmp/pwned #',
    "it's",
    "'; id; '",
    '$(id)',
    '`id`',
    '~root',
    '=ls',
    'a b',
    '*',
    '!!',
    '',
    '\\',
    '"',
  ];
  const command = `printf '%s\\n' ${texts.map(shellWord).join(' ')}`;
  assert.equal(execFileSync('sh', ['-c', command], { encoding: 'utf8' }), `${texts.join('\n')}\n`);
});
