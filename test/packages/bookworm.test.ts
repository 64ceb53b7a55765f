import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, describe } from 'node:test';
import { promisify } from 'node:util';
import { KSMTUNED_PACKAGE, NODE_PACKAGE, bookwormImage } from '../support/machine/bookwormImage.js';
import { check } from '../support/machine/check.js';
import { hasHostSettings, setHostSettings, untilKsm } from '../support/machine/ksmFigures.js';
import { Machine } from '../support/machine/machine.js';
import { VERSION } from '../support/version.js';

// Debian 12 has systemd 252 and Node 18.

const execFileAsync = promisify(execFile);
const DEB = `/srv/samepaged_${VERSION}_all.deb`;
const CONFIG = '# changed by the administrator\nKSM_WHEN=always\n';

const machine = await Machine.boot({ image: bookwormImage });
after(() => machine.stop());

describe('Debian 12', () => {
  const install = (...names: readonly string[]) => machine.run('apt-get', 'install', '--yes', ...names);

  check(machine, 'apt on Debian 12 refuses the package beside its own Node, and names the one needed', async () => {
    await execFileAsync('deploy/package.sh', [machine.path('/srv')]);
    await install(KSMTUNED_PACKAGE);
    await machine.write('/etc/ksmtuned.conf', CONFIG);
    await assert.rejects(install(DEB), /samepaged : Depends: nodejs \(>= 20\.19\)/);
    assert.equal(await machine.run('systemctl', 'is-active', 'ksmtuned'), 'active\n');
  });

  check(machine, 'with Node 22 on Debian 12 apt puts samepaged in ksmtuned’s place, and it runs', async (since) => {
    await machine.run('systemctl', 'stop', 'ksmtuned', 'ksm');
    setHostSettings();
    await install(NODE_PACKAGE, DEB);
    assert.equal(await machine.run('systemctl', 'is-active', 'samepaged'), 'active\n');
    assert.equal(machine.read('/etc/ksmtuned.conf'), CONFIG);
    await untilKsm('run', (run) => run === 1);
    // What systemd 252 does not know: without these it tries again after a second, every time.
    const journal = await machine.journal(since);
    const unknown = Array.from(journal.matchAll(/samepaged\S*\.\w+:\d+: Unknown key '(\w+)'/g), ([, key]) => key);
    assert.deepEqual([...new Set(unknown)].sort(), ['RestartMaxDelaySec', 'RestartSteps']);
  });

  check(machine, 'on Debian 12 samepaged reloads, survives SIGKILL, and removal gives the host back', async () => {
    await machine.run('systemctl', 'reload', 'samepaged');
    await machine.run('samepagectl', 'retune');
    const process = () => machine.run('systemctl', 'show', '--property=MainPID', 'samepaged');
    const before = await process();
    await machine.run('systemctl', 'kill', '--kill-whom=main', '--signal=KILL', 'samepaged');
    await untilKsm('run', (run) => run === 0);
    await untilKsm('run', (run) => run === 1);
    assert.notEqual(await process(), before);
    await machine.run('apt-get', 'purge', '--yes', 'samepaged');
    assert.ok(hasHostSettings());
    assert.equal(machine.read('/etc/ksmtuned.conf'), CONFIG);
  });
});
