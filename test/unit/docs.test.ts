import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { KEYS } from '../../src/config/keys.js';
import { VERBS } from '../../src/ctl/verbs.js';

// What the texts say of the program, as far as a program can check that.

const read = (file: string) => readFileSync(file, 'utf8');
const TEXTS = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync('docs', { encoding: 'utf8', recursive: true })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const { version } = JSON.parse(read('package.json')) as { version: string };
const all = TEXTS.map(read).join('\n');

function found(pattern: RegExp): readonly string[] {
  const names = [...all.matchAll(pattern)].flatMap(([, name]) => name ?? []);
  assert.notEqual(names.length, 0, `${String(pattern)} is in none of ${TEXTS.join(', ')}`);
  return [...new Set(names)];
}

describe('README.md and docs/', () => {
  test('README.md and docs/ link to files that are there', () => {
    for (const file of TEXTS) {
      for (const [, target = ''] of read(file).matchAll(/\]\(([^)#:]+)\)/g)) {
        assert.ok(existsSync(join(dirname(file), target)), `${file}: ${target}`);
      }
    }
  });

  test('README.md is short: 100 to 120 lines', () => {
    const lines = read('README.md').trimEnd().split('\n').length;
    assert.ok(lines >= 100 && lines <= 120, `${lines} lines`);
  });

  test('README.md and docs/ name npm scripts that package.json has', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const name of found(/npm run ([\w:]*\w)/g)) assert.ok(Object.hasOwn(scripts, name), name);
  });

  test('README.md and docs/ name verbs of samepagectl that there are', () => {
    for (const name of found(/(?:`|^ {4}(?:\$ )?)samepagectl ([a-z]+)/gm)) assert.ok(Object.hasOwn(VERBS, name), name);
  });

  test('README.md and docs/ name keys of the configuration that there are', () => {
    for (const name of found(/\b(KSM_[A-Z_]+[A-Z])\b/g)) assert.ok(Object.hasOwn(KEYS, name), name);
  });

  test('README.md and docs/ show what --replay really prints', () => {
    const [, count = '', shown = ''] =
      /--replay .* \| tail -(\d)\n\n((?: {4}.*\n|\n)+)/.exec(read('docs/guide.md')) ?? [];
    const lines = shown.split('\n').map((line) => line.slice(4));
    const golden = read('fixtures/golden/replay.txt').trimEnd().split('\n');
    assert.deepEqual(lines.slice(0, Number(count)), golden.slice(-Number(count)));
  });

  test('README.md, docs/ and deploy/install.sh never disable ksmtuned.service, which may be an alias of samepaged.service', () => {
    for (const file of [...TEXTS, 'deploy/install.sh']) {
      const text = file.endsWith('.sh') ? read(file).replaceAll(/^#.*$/gm, '') : read(file);
      assert.doesNotMatch(text, /systemctl [^\n`]*\bdisable\b[^\n`]*\bksmtuned\b/, file);
    }
  });

  test('README.md and docs/ name the package as it is made', () => {
    assert.deepEqual(found(/samepaged_([\d.]+)_all\.deb/g), [version]);
  });
});

test('package.json, package-lock.json, debian/changelog, CHANGELOG.md and the manual pages have one version', () => {
  assert.equal((JSON.parse(read('package-lock.json')) as { version: string }).version, version);
  assert.equal(/^samepaged \(([^)]+)\)/.exec(read('deploy/debian/changelog'))?.[1], version);
  const released = /^## \[(\d[^\]]*)\]/m.exec(read('CHANGELOG.md'))?.[1];
  if (released !== undefined) assert.equal(released, version);
  for (const page of readdirSync('deploy/man').filter((name) => /\.\d$/.test(name))) {
    assert.equal(/^\.TH .* "samepaged ([\d.]+)"/m.exec(read(`deploy/man/${page}`))?.[1], version, page);
  }
});
