import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { eventually } from '../support/daemon.js';
import type { Machine } from '../support/machine/machine.js';
import { startMachineGuest } from '../support/machine/machineGuest.js';
import { KSMTUNED_PACKAGE, NEW_KSMTUNED_PACKAGE } from '../support/machine/machineImage.js';
import { check } from '../support/machine/check.js';
import { ksm, lowestSharingDuring, scanEveryPage, untilKsm } from '../support/machine/ksmFigures.js';
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
DEBUG=1
`;

const DROP_INS = ['ksm', 'ksmtuned'].map((unit) => `/etc/systemd/system/${unit}.service.d`);

export function checkUpgrade(machine: Machine): void {
  const statusOf = (name: string) => machine.run('dpkg-query', '--show', '--showformat=${db:Status-Abbrev}', name);

  /** Waits for ksmtuned to say what guests use, in kB. */
  const committedIs = (since: string, pattern: RegExp) =>
    eventually(async () => (pattern.test(await machine.journal(since, 'ksmtuned')) ? true : undefined));

  /** Installs samepaged over a ksmtuned that has merged guests' pages. */
  const takesThePlace = async () => {
    const before = ksm('pages_sharing');
    assert.ok(before >= COMMON_PAGES);
    const lowest = await lowestSharingDuring(() => installPackage(machine));
    assert.ok(lowest >= before, `pages_sharing fell from ${before} to ${lowest}`);
    assert.equal(machine.read('/etc/ksmtuned.conf'), CHANGED_CONFIG);
    assert.equal(await machine.run('systemctl', 'is-active', 'samepaged'), 'active\n');
    assert.equal(ksm('run'), 1);
    // Removed, its configuration kept.
    assert.match(await statusOf('ksmtuned'), /^rc/);
    await assert.rejects(machine.run('systemctl', 'is-active', 'ksm'), /inactive/);
  };

  check(
    machine,
    'ksmtuned runs with a changed configuration and counts no guest of libvirt, and guests are merged',
    async (since) => {
      await machine.run('apt-get', 'install', '--yes', KSMTUNED_PACKAGE);
      await machine.write('/etc/ksmtuned.conf', CHANGED_CONFIG);
      scanEveryPage();
      await machine.run('systemctl', 'restart', 'ksmtuned');
      for (const name of ['one', 'two']) await startMachineGuest(machine, { name, ...GUEST });
      await untilKsm('pages_sharing', (pages) => pages >= COMMON_PAGES);
      await committedIs(since, / committed 0 free /);
      assert.doesNotMatch(await machine.journal(since, 'ksmtuned'), / committed [1-9]/);
    },
  );

  check(
    machine,
    'apt puts samepaged in the place of ksmtuned: the file stays as it is, and no page comes apart',
    async () => {
      await takesThePlace();
    },
  );

  check(machine, 'systemctl status ksmtuned shows samepaged', async () => {
    const status = await machine.run('systemctl', 'status', '--no-pager', 'ksmtuned');
    assert.match(status, /samepaged\.service/);
    assert.match(status, /Active: active \(running\)/);
  });

  check(machine, 'samepaged installed again over itself goes on merging', async () => {
    const before = ksm('pages_sharing');
    assert.ok(before >= COMMON_PAGES);
    const process = await machine.run('systemctl', 'show', '--property=MainPID', 'samepaged');
    const lowest = await lowestSharingDuring(() => installPackage(machine, '--reinstall'));
    assert.ok(lowest >= before, `pages_sharing fell from ${before} to ${lowest}`);
    assert.notEqual(await machine.run('systemctl', 'show', '--property=MainPID', 'samepaged'), process);
    assert.equal(await machine.run('systemctl', 'is-active', 'samepaged'), 'active\n');
    assert.equal(ksm('run'), 1);
  });

  check(
    machine,
    'ksmtuned 4.20180327 and newer, which counts guests of libvirt, merges on in place of samepaged',
    async (since) => {
      // Its units do not start in a container.
      for (const directory of DROP_INS) {
        await mkdir(machine.path(directory), { recursive: true });
        await machine.write(`${directory}/container.conf`, '[Unit]\nConditionVirtualization=\n');
      }
      await machine.run('apt-get', 'install', '--yes', NEW_KSMTUNED_PACKAGE);
      const version = await machine.run('dpkg-query', '--show', '--showformat=${Version}', 'ksmtuned');
      await machine.run('dpkg', '--compare-versions', version, 'ge', '4.20180327');
      await committedIs(since, / committed [1-9]\d{5,} free /);
      await untilKsm('run', (run) => run === 1);
      assert.match(await statusOf('samepaged'), /^rc/);
      assert.equal(machine.read('/etc/ksmtuned.conf'), CHANGED_CONFIG);
      await untilKsm('pages_sharing', (pages) => pages >= COMMON_PAGES);
    },
  );

  check(machine, 'apt puts samepaged in the place of the newer ksmtuned as well, and no page comes apart', async () => {
    for (const directory of DROP_INS) await rm(machine.path(directory), { recursive: true });
    await takesThePlace();
  });
}
