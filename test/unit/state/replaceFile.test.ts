import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { replaceFile } from '../../../src/state/replaceFile.js';

describe('a file that is replaced', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'samepaged-replace-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  test('a file that is replaced has the new text alone, in a directory that is made', async () => {
    const path = join(directory, 'new/file');
    await replaceFile(path, 'a long first text');
    await replaceFile(path, 'second');
    assert.equal(readFileSync(path, 'utf8'), 'second');
    assert.deepEqual(readdirSync(join(directory, 'new')), ['file']);
  });

  test('replacing a file never writes through a link, in its own place or that of the file made first', async () => {
    const path = join(directory, 'file');
    const victim = join(directory, 'victim');
    writeFileSync(victim, 'precious');
    for (const planted of [path, `${path}.new`]) symlinkSync(victim, planted);
    await replaceFile(path, 'text');
    assert.equal(readFileSync(victim, 'utf8'), 'precious');
    assert.equal(readFileSync(path, 'utf8'), 'text');
    assert.deepEqual(readdirSync(directory).sort(), ['file', 'victim']);
  });

  test('replacing a file leaves nothing behind where it cannot be', async () => {
    const path = join(directory, 'file');
    mkdirSync(path);
    await assert.rejects(replaceFile(path, 'text'), /EISDIR/);
    assert.deepEqual(readdirSync(directory), ['file']);
  });
});
