import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isForbidden, parseNamePatterns, patternsWithoutGuest } from '../../../src/core/forbiddenGuests.js';

describe('patterns of names', () => {
  const rows: { patterns: string; yes: readonly string[]; no: readonly string[] }[] = [
    { patterns: '', yes: [], no: ['', 'web'] },
    { patterns: ' , ,', yes: [], no: ['', 'web'] },
    { patterns: 'web', yes: ['web'], no: ['web1', 'aweb', 'Web', ''] },
    { patterns: 'bank-*', yes: ['bank-', 'bank-a', 'bank-a-b'], no: ['bank', 'xbank-a'] },
    { patterns: 'db?', yes: ['db1', 'dbx', 'db\u{1F600}'], no: ['db', 'db12'] },
    { patterns: '*', yes: ['', 'web', 'a\nb'], no: [] },
    { patterns: 'a*b*c', yes: ['abc', 'axxbyyc'], no: ['ab', 'acb'] },
    { patterns: 'web, bank-* ,db?', yes: ['web', 'bank-1', 'db2'], no: ['bank', 'webs'] },
    { patterns: 'a.b', yes: ['a.b'], no: ['axb'] },
    { patterns: String.raw`v(1)[2]{3}+^$|\-/`, yes: [String.raw`v(1)[2]{3}+^$|\-/`], no: ['v1', 'v'] },
  ];
  for (const { patterns, yes, no } of rows) {
    test(`the patterns ${JSON.stringify(patterns)} match the names that they should`, () => {
      const parsed = parseNamePatterns(patterns);
      for (const name of yes) assert.equal(isForbidden(parsed, { name }), true, name);
      for (const name of no) assert.equal(isForbidden(parsed, { name }), false, name);
    });
  }

  test('as a pattern, a name without * ? and comma matches itself alone', () => {
    const name = fc.string({ minLength: 1 }).filter((text) => !/[*?,]/.test(text) && text.trim() === text);
    fc.assert(
      fc.property(name, name, (one, other) => {
        assert.equal(isForbidden(parseNamePatterns(one), { name: other }), one === other);
        assert.equal(isForbidden(parseNamePatterns(one), { name: one }), true);
      }),
    );
  });

  test('a pattern of many stars is matched against a long name quickly', () => {
    const [patterns, name] = [parseNamePatterns(`${'*a'.repeat(20)}*b`), 'a'.repeat(60)];
    const before = process.cpuUsage();
    assert.equal(isForbidden(patterns, { name }), false);
    assert.ok(process.cpuUsage(before).user < 1e6);
  });
});

describe('a guest whose shown name says more than its own', () => {
  const vault = { name: 'vault (104)', plainName: 'vault' };

  test('a guest whose shown name says more than its own is matched by both', () => {
    for (const patterns of ['vault', 'vault (104)', 'v*4)', 'vault*']) {
      assert.equal(isForbidden(parseNamePatterns(patterns), vault), true, patterns);
    }
    assert.equal(isForbidden(parseNamePatterns('vault (1)'), vault), false);
  });

  test('patterns that mean nobody are found', () => {
    assert.deepEqual(patternsWithoutGuest(parseNamePatterns('vault, valut, bank-*'), [vault, { name: 'web' }]), [
      'valut',
      'bank-*',
    ]);
  });
});
