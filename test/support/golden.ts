import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Compares with fixtures/golden/NAME; UPDATE_GOLDEN=1 writes it instead, for a person to look through. */
export function assertGolden(name: string, actual: string): void {
  const file = join('fixtures/golden', name);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, actual);
    return;
  }
  assert.equal(actual, readFileSync(file, 'utf8'), `differs from ${file}; UPDATE_GOLDEN=1 npm test writes it anew`);
}
