import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { po } from 'gettext-parser';
import ts from 'typescript';

const SOURCE = 'src/cockpit';

/** The texts that the page has translated: what _() and counted() are called with, and the labels of the manifest. */
function textsOf(): ReadonlyMap<string, string | undefined> {
  const texts = new Map<string, string | undefined>();
  const manifest = JSON.parse(readFileSync(join(SOURCE, 'manifest.json'), 'utf8')) as {
    readonly menu: Readonly<Record<string, { readonly label: string }>>;
  };
  for (const { label } of Object.values(manifest.menu)) texts.set(label, undefined);
  for (const name of readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })) {
    if (!/\.tsx?$/.test(name) || name.endsWith('.d.ts') || name === 'text.ts') continue;
    const file = ts.createSourceFile(name, readFileSync(join(SOURCE, name), 'utf8'), ts.ScriptTarget.ES2023, true);
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
        const words = node.arguments.map((argument) => (ts.isStringLiteralLike(argument) ? argument.text : undefined));
        if (node.expression.text === '_') texts.set(words[0] ?? `${name}: not a literal`, undefined);
        if (node.expression.text === 'counted') texts.set(words[1] ?? `${name}: not a literal`, words[2]);
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  return texts;
}

const placeholders = (text: string) => [...new Set(text.match(/\$\d/g))].sort();

describe('the translations of the page', () => {
  const texts = textsOf();
  for (const file of readdirSync(join(SOURCE, 'po'))) {
    const translated = po.parse(readFileSync(join(SOURCE, 'po', file)), { validation: true }).translations[''] ?? {};
    const entries = Object.values(translated).filter(({ msgid }) => msgid !== '');

    it(`the translation ${file} has every text of the page, and none that is gone`, () => {
      assert.deepEqual(entries.map(({ msgid }) => msgid).sort(), [...texts.keys()].sort());
      for (const { msgid, msgid_plural: plural } of entries) assert.equal(plural, texts.get(msgid), msgid);
    });

    it(`the translation ${file} keeps the places of values, and leaves no text empty`, () => {
      for (const { msgid, msgid_plural: plural = msgid, msgstr } of entries) {
        for (const text of msgstr) {
          assert.notEqual(text, '', msgid);
          assert.deepEqual(placeholders(text), placeholders(plural), msgid);
        }
      }
    });
  }
});
