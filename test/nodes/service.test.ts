import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe } from 'node:test';
import { promisify } from 'node:util';
import { check } from '../support/machine/check.js';
import { hasHostSettings, ksm, setHostSettings, untilKsm } from '../support/machine/ksmFigures.js';
import { lastRetune } from '../deploy/manager.js';
import { installPackage, PACKAGE } from '../deploy/package.js';
import { Machine } from '../support/machine/machine.js';
import { askedNodes, nodeBinary } from '../support/nodes.js';
import { removeScratch, scratchDirectory } from '../support/scratch.js';
import { VERSION } from '../support/version.js';

// The package as it is, with another Node in the place of Debian's.

const execFileAsync = promisify(execFile);
/** Memory always counts as short. */
const CONFIG = 'KSM_THRES_COEF=99\n';
/** V8's, about flags that exclude each other, and Node's, about what will be no more. */
const WARNING = /warning/i;

const binaries = await Promise.all(askedNodes().map(async (version) => [version, await nodeBinary(version)] as const));
const machine = await Machine.boot();
after(() => machine.stop());
const systemctl = (...words: readonly string[]) => machine.run('systemctl', ...words);

async function install(): Promise<void> {
  const directory = await scratchDirectory('package');
  try {
    await execFileAsync('deploy/package.sh', [directory]);
    await copyFile(join(directory, `samepaged_${VERSION}_all.deb`), machine.path(PACKAGE));
    await installPackage(machine);
  } finally {
    await removeScratch(directory);
  }
}
await install();

for (const [version, binary] of binaries) {
  describe(`the service with Node ${version}`, () => {
    check(machine, `the service with Node ${version} starts, retunes, and puts everything back`, async (since) => {
      await systemctl('stop', 'samepaged');
      setHostSettings();
      await copyFile(binary, machine.path('/opt/node'));
      await machine.run('mount', '--bind', '/opt/node', '/usr/bin/node');
      try {
        assert.equal(await machine.run('node', '--version'), `v${version}\n`);
        await machine.write('/etc/ksmtuned.conf', CONFIG);
        await systemctl('start', 'samepaged');
        await untilKsm('run', (run) => run === 1);

        const pid = (await systemctl('show', '--property=MainPID', '--value', 'samepaged')).trim();
        // That it runs at all under MemoryDenyWriteExecute= tells that --jitless is on.
        assert.match(machine.read(`/proc/${pid}/status`), /^Seccomp:\s*2$/m);
        await machine.run('samepagectl', 'retune');
        assert.ok((await lastRetune(machine)).triggers.length > 0);
        await systemctl('kill', '--signal=USR1', 'samepaged');
        await systemctl('reload', 'samepaged');
        assert.equal(await systemctl('is-active', 'samepaged'), 'active\n');
        assert.equal(ksm('run'), 1);

        await systemctl('kill', '--signal=TERM', 'samepaged');
        await untilKsm('run', (run) => run === 0);
        await systemctl('stop', 'samepaged');
        assert.ok(hasHostSettings());
        assert.doesNotMatch(await machine.journal(since, 'samepaged'), WARNING);
      } finally {
        await systemctl('stop', 'samepaged');
        await machine.run('umount', '/usr/bin/node');
      }
    });
  });
}
