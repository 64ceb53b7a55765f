import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { makeDirectory } from '../../../src/state/makeDirectory.js';

const MODULE = new URL('../../../src/state/makeDirectory.js', import.meta.url).href;
const NO_MOUNT = process.geteuid?.() !== 0 && 'mounting needs root';

describe('a directory that is made', () => {
  let place = '';
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'samepaged-makedirectory-'));
  });
  afterEach(() => {
    rmSync(place, { recursive: true });
  });

  test('a directory is made with its missing parents, and an existing one keeps its files', async () => {
    const path = join(place, 'a/b');
    await makeDirectory(path);
    writeFileSync(join(path, 'file'), '');
    await makeDirectory(join(path, 'c'));
    await makeDirectory(path);
    assert.deepEqual(readdirSync(path), ['c', 'file']);
  });

  test('a directory below a file is an error with its errno', async () => {
    writeFileSync(join(place, 'file'), '');
    await assert.rejects(makeDirectory(join(place, 'file/a')), { code: 'ENOTDIR' });
  });

  test('a directory in one that was removed while it is mounted is ENOENT', { skip: NO_MOUNT }, () => {
    const removed = join(place, 'removed');
    const mounted = join(place, 'mounted');
    for (const directory of [removed, mounted]) mkdirSync(directory);
    const program = `import { makeDirectory } from '${MODULE}';
      await makeDirectory('${mounted}/state').catch((error) => console.log(error.code));`;
    const script = 'mount --bind "$1" "$2" && rmdir "$1" && exec "$3" --input-type=module --eval "$4"';
    const args = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', removed, mounted, process.execPath];
    const limits = { timeout: 60_000, killSignal: 'SIGKILL' } as const;
    const { stdout, stderr } = spawnSync('unshare', [...args, program], { encoding: 'utf8', ...limits });
    assert.equal(stdout, 'ENOENT\n', stderr);
  });
});
