import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { TooLarge, openToAppend, readKernelFile, readPlain, writePlain } from '../../src/plainFile.js';

const directory = mkdtempSync(join(tmpdir(), 'samepaged-plain-'));
after(() => {
  rmSync(directory, { recursive: true });
});

const KINDS: Readonly<Record<string, (path: string) => void>> = {
  'a named pipe': (path) => {
    execFileSync('mkfifo', [path]);
  },
  'a device': (path) => {
    symlinkSync('/dev/zero', path);
  },
  'a directory': (path) => {
    mkdirSync(path);
  },
};

describe('a regular file', () => {
  for (const [kind, make] of Object.entries(KINDS)) {
    test(`a regular file is read and written, ${kind} is refused, and nobody is waited for`, async () => {
      const path = join(directory, kind);
      make(path);
      const refusal = { message: `it is ${kind} and no regular file` };
      assert.throws(() => readPlain(path, 10), refusal);
      assert.throws(() => readKernelFile(path, 10), refusal);
      assert.throws(() => {
        writePlain(path, 'text');
      }, refusal);
      await assert.rejects(openToAppend(path, 0o600), refusal);
    });
  }

  test('a regular file is read and written, a socket is refused', async () => {
    const path = join(directory, 'socket');
    const server = createServer();
    await new Promise<void>((listening) => server.listen(path, listening));
    try {
      assert.throws(() => readPlain(path, 10), { message: 'it is a socket and no regular file' });
    } finally {
      server.close();
    }
  });

  test('a regular file larger than asked for is not read', () => {
    const path = join(directory, 'large');
    writeFileSync(path, 'x'.repeat(2 * 1024 ** 2 + 1));
    assert.throws(() => readPlain(path, 2 * 1024 ** 2), TooLarge);
    assert.equal(readPlain(path, 3 * 1024 ** 2).length, 2 * 1024 ** 2 + 1);
  });

  test('a regular file is not written through a link', () => {
    const [path, target] = [join(directory, 'link'), join(directory, 'target')];
    writeFileSync(target, 'before');
    symlinkSync(target, path);
    assert.throws(
      () => {
        writePlain(path, 'after');
      },
      { code: 'ELOOP' },
    );
    assert.equal(readFileSync(target, 'utf8'), 'before');
  });
});
