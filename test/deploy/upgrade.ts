import assert from 'node:assert/strict';
import type { Machine } from '../support/machine/machine.js';
import { startMachineGuest } from '../support/machine/machineGuest.js';
import { mkdir } from 'node:fs/promises';
import { KSMTUNED_PACKAGE, NEW_KSMTUNED_PACKAGE } from '../support/machine/machineImage.js';
import { check } from './check.js';
import { ksm, lowestSharingDuring, untilKsm } from './ksmFigures.js';
import { installPackage } from './package.js';

/** Two of these have half of their memory in common. */
const GUEST = { commonMiB: 64, ownMiB: 64 };
const COMMON_PAGES = GUEST.commonMiB * 256;
/** Memory is always short by it, so that ksmtuned, which sees no guest, merges too; its first adjustment is enough. */
const CHANGED_CONFIG = `# changed by the administrator
KSM_MONITOR_INTERVAL=1
KSM_THRES_COEF=99
KSM_NPAGES_BOOST=5000
KSM_NPAGES_MAX=5000
`;

export function checkUpgrade(machine: Machine): void {
  check(machine, 'ksmtuned runs with a changed configuration, and guests are merged', async () => {
    await machine.run('apt-get', 'install', '--yes', KSMTUNED_PACKAGE);
    await machine.write('/etc/ksmtuned.conf', CHANGED_CONFIG);
    await machine.run('systemctl', 'restart', 'ksmtuned');
    for (const name of ['one', 'two']) await startMachineGuest(machine, { name, ...GUEST });
    await untilKsm('pages_sharing', (pages) => pages >= COMMON_PAGES, 60_000);
  });

  check(machine, 'apt puts samepaged in its place: the file stays as it is, and no page comes apart', async () => {
    const before = ksm('pages_sharing');
    assert.ok(before >= COMMON_PAGES);
    const lowest = await lowestSharingDuring(() => installPackage(machine));
    assert.ok(lowest >= before, `pages_sharing fell from ${before} to ${lowest}`);
    assert.equal(machine.read('/etc/ksmtuned.conf'), CHANGED_CONFIG);
    assert.equal(await machine.run('systemctl', 'is-active', 'samepaged'), 'active\n');
    assert.equal(ksm('run'), 1);
    // Removed, its configuration kept.
    assert.match(await machine.run('dpkg-query', '--show', '--showformat=${db:Status-Abbrev}', 'ksmtuned'), /^rc/);
    await assert.rejects(machine.run('systemctl', 'is-active', 'ksm'), /inactive/);
  });

  check(machine, 'systemctl status ksmtuned shows samepaged', async () => {
    const status = await machine.run('systemctl', 'status', '--no-pager', 'ksmtuned');
    assert.match(status, /samepaged\.service/);
    assert.match(status, /Active: active \(running\)/);
  });

  check(machine, 'installed again over itself: merging goes on', async () => {
    const before = ksm('pages_sharing');
    assert.ok(before >= COMMON_PAGES);
    const process = await machine.run('systemctl', 'show', '--property=MainPID', 'samepaged');
    const lowest = await lowestSharingDuring(() => installPackage(machine, '--reinstall'));
    assert.ok(lowest >= before, `pages_sharing fell from ${before} to ${lowest}`);
    assert.notEqual(await machine.run('systemctl', 'show', '--property=MainPID', 'samepaged'), process);
    assert.equal(await machine.run('systemctl', 'is-active', 'samepaged'), 'active\n');
    assert.equal(ksm('run'), 1);
  });

  check(machine, 'back to ksmtuned 4.20180327 and newer, which finds guests of libvirt: it merges on', async () => {
    // Its units do not start in a container.
    for (const unit of ['ksm', 'ksmtuned']) {
      const directory = `/etc/systemd/system/${unit}.service.d`;
      await mkdir(machine.path(directory), { recursive: true });
      await machine.write(`${directory}/container.conf`, '[Unit]\nConditionVirtualization=\n');
    }
    await machine.run('apt-get', 'install', '--yes', NEW_KSMTUNED_PACKAGE);
    const version = await machine.run('dpkg-query', '--show', '--showformat=${Version}', 'ksmtuned');
    await machine.run('dpkg', '--compare-versions', version, 'ge', '4.20180327');
    await untilKsm('run', (run) => run === 1);
    assert.match(await machine.run('dpkg-query', '--show', '--showformat=${db:Status-Abbrev}', 'samepaged'), /^rc/);
    assert.equal(machine.read('/etc/ksmtuned.conf'), CHANGED_CONFIG);
    await untilKsm('pages_sharing', (pages) => pages >= COMMON_PAGES, 60_000);
  });

  check(machine, 'apt puts samepaged in the place of that one as well, and no page comes apart', async () => {
    const before = ksm('pages_sharing');
    const lowest = await lowestSharingDuring(() => installPackage(machine));
    assert.ok(lowest >= before, `pages_sharing fell from ${before} to ${lowest}`);
    assert.equal(machine.read('/etc/ksmtuned.conf'), CHANGED_CONFIG);
    assert.equal(await machine.run('systemctl', 'is-active', 'samepaged'), 'active\n');
    assert.equal(ksm('run'), 1);
    assert.match(await machine.run('dpkg-query', '--show', '--showformat=${db:Status-Abbrev}', 'ksmtuned'), /^rc/);
    await assert.rejects(machine.run('systemctl', 'is-active', 'ksm'), /inactive/);
  });
}
