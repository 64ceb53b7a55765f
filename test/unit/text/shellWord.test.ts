import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { shellWord } from '../../../src/text/shellWord.js';

test('a plain name stands in a command as it is', () => {
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

test('no command that a person will paste has a name in it that is not quoted', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  // Where a name or a guest is put into the text of such a command.
  const unquoted = /(?:samepagectl guests|virsh) [^`'\n]*\$\{(?!shellWord\()[^}]*(?:name|guest)[^}]*\}/i;
  const found = files.filter((file) => unquoted.test(readFileSync(`src/${file}`, 'utf8')));
  assert.deepEqual(found, []);
});
