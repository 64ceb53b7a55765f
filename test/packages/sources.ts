import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { check } from '../support/machine/check.js';
import type { Machine } from '../support/machine/machine.js';
import { VERSION } from '../support/version.js';

const execFileAsync = promisify(execFile);

/** Where the machine has the checkout, and the sources that are made from it. */
export const CHECKOUT = '/src';
export const SOURCES = '/srv/sources';

export function checkSources(machine: Machine): void {
  check(machine, 'deploy/source.sh makes the source from the checkout', async () => {
    await mkdir(machine.path(SOURCES), { recursive: true });
    await execFileAsync('deploy/source.sh', ['--only-source', machine.path(SOURCES)]);
    assert.deepEqual(await readdir(machine.path(SOURCES)), [`samepaged-${VERSION}.tar.gz`]);
    // The real node_modules has 70,000 files, and each build would unpack them.
    await shell(
      machine,
      `cd /tmp && ln -s ${CHECKOUT}/node_modules node_modules
      tar --create --zstd --file ${SOURCES}/samepaged-${VERSION}-node_modules.tar.zst node_modules`,
    );
  });
}

/** Runs shell there, which ends at the first command that fails. */
export function shell(machine: Machine, script: string, user = 'root'): Promise<string> {
  return machine.runAs(user, 'sh', '-euc', script);
}
