import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Machine } from '../support/machine/machine.js';
import { removeScratch, scratchDirectory } from '../support/scratch.js';
import { check } from '../support/machine/check.js';

const execFileAsync = promisify(execFile);

/** Where the machine has it. */
export const PACKAGE = '/opt/samepaged.deb';

export function checkPackage(machine: Machine): void {
  check(machine, 'the packages are made from the checkout, and lintian has nothing against them', async () => {
    const directory = await scratchDirectory('package');
    try {
      await execFileAsync('deploy/package.sh', [directory]);
      const names = (await readdir(directory)).sort();
      const [page = '', name = ''] = names;
      assert.match(page, /^cockpit-samepaged_.*_all\.deb$/);
      assert.match(name, /^samepaged_.*_all\.deb$/);
      assert.equal(names.length, 2);
      await copyFile(join(directory, name), machine.path(PACKAGE));
      const files = names.map((each) => join(directory, each));
      const { stdout } = await execFileAsync('lintian', ['--fail-on', 'none', ...files]);
      assert.equal(stdout, '');
    } finally {
      await removeScratch(directory);
    }
  });
}

/** What an administrator types. */
export async function installPackage(machine: Machine, ...options: readonly string[]): Promise<void> {
  await machine.run('apt-get', 'install', '--yes', ...options, PACKAGE);
}
