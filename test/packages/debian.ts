import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { check } from '../support/machine/check.js';
import { hasHostSettings, setHostSettings } from '../support/machine/ksmFigures.js';
import type { Machine } from '../support/machine/machine.js';
import { VERSION } from '../support/version.js';
import { CHECKOUT, SOURCES, shell } from './sources.js';

const execFileAsync = promisify(execFile);

/** Where the machine has the packages. */
const DEBS = '/srv/debs';
const DEB = `${DEBS}/samepaged_${VERSION}_all.deb`;

export function checkDebian(machine: Machine): void {
  check(machine, 'deploy/package.sh makes the Debian packages', async () => {
    await execFileAsync('deploy/package.sh', [machine.path(DEBS)]);
  });

  for (const vendor of ['debian', 'ubuntu']) {
    check(machine, `lintian has nothing against the Debian packages by the rules of ${vendor}`, async () => {
      assert.equal(await shell(machine, `lintian --profile ${vendor} --fail-on none ${DEBS}/*.deb`), '');
    });
  }

  check(machine, 'uscan finds a new release by debian/watch', async () => {
    const said = await shell(
      machine,
      `python3 -m http.server --bind 127.0.0.1 --directory ${SOURCES} 8000 2>/dev/null & server=$!
      trap 'kill $server' EXIT
      sed 's|https://samepaged.org/releases/|http://127.0.0.1:8000/|' ${CHECKOUT}/deploy/debian/watch > /srv/watch
      cd /srv; sleep 1
      uscan --dehs --no-download --watchfile /srv/watch --package samepaged --upstream-version 0.0.1`,
    );
    assert.match(said, new RegExp(`<upstream-version>${VERSION.replaceAll('.', '\\.')}</upstream-version>`));
  });

  check(machine, 'autopkgtest of the Debian package passes', async () => {
    setHostSettings();
    await shell(
      machine,
      `mkdir /srv/tree && cp -r ${CHECKOUT}/deploy/debian /srv/tree/debian
      autopkgtest --ignore-restrictions=isolation-machine --no-built-binaries ${DEB} /srv/tree/ -- null`,
    );
    await machine.run('apt-get', 'purge', '--yes', 'samepaged');
    assert.ok(hasHostSettings());
  });
}
