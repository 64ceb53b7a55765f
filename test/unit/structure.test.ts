import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

/** The files that a file of `src` imports, types included. */
function importsOf(file: string): readonly string[] {
  const paths = [...readFileSync(file, 'utf8').matchAll(/ from '(\.[^']+)'/g)];
  return paths.map(([, path = '']) => join(dirname(file), path).replace(/\.js$/, '.ts'));
}

test('no import of src goes round in a circle', () => {
  const files = readdirSync('src', { encoding: 'utf8', recursive: true }).filter((name) => name.endsWith('.ts'));
  const left = new Map(files.map((name) => [join('src', name), importsOf(join('src', name))]));
  // What imports nothing that is left is in no circle.
  for (let before = Infinity; left.size < before;) {
    before = left.size;
    for (const [file, imports] of left) if (!imports.some((path) => left.has(path))) left.delete(file);
  }
  assert.deepEqual([...left.keys()], []);
});
