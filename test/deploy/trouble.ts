import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/daemon.js';
import type { Machine } from '../support/machine/machine.js';
import { startMachineGuest, virsh } from '../support/machine/machineGuest.js';
import { check, untilJournal } from '../support/machine/check.js';
import { hasHostSettings, ksm, setHostSettings, untilKsm } from '../support/machine/ksmFigures.js';
import { property } from './manager.js';

const DROP_IN = '/run/systemd/system/samepaged.service.d';
/** Minutes are too long for a test. */
const WATCHDOG_SECONDS = 2;

export function checkTrouble(machine: Machine): void {
  const systemctl = (...words: readonly string[]) => machine.run('systemctl', ...words);
  const mainPid = async () => (await systemctl('show', '--property=MainPID', '--value', 'samepaged')).trim();
  const untilBack = (before: string) =>
    eventually(
      async () => {
        const active = await systemctl('is-active', 'samepaged').then(
          () => true,
          () => false,
        );
        return active && (await mainPid()) !== before ? true : undefined;
      },
      () => 'it did not come back',
    );

  check(machine, 'a service that hangs is killed by the watchdog, and comes back', async (since) => {
    assert.notEqual(await systemctl('show', '--property=WatchdogUSec', '--value', 'samepaged'), 'infinity\n');
    await mkdir(machine.path(DROP_IN), { recursive: true });
    await machine.write(`${DROP_IN}/watchdog.conf`, `[Service]\nWatchdogSec=${WATCHDOG_SECONDS}\n`);
    await systemctl('daemon-reload');
    await systemctl('restart', 'samepaged');
    const hung = await mainPid();
    await sleep(2.5 * WATCHDOG_SECONDS * 1000);
    assert.equal(await mainPid(), hung, 'it is not killed while it works');
    await systemctl('kill', '--signal=STOP', 'samepaged');
    await untilBack(hung);
    assert.match(await machine.journal(since), /samepaged\.service: Watchdog timeout/);
    await rm(machine.path(DROP_IN), { recursive: true });
    await systemctl('daemon-reload');
  });

  check(machine, 'after SIGKILL of the service the host has what it had, and samepaged comes back', async (since) => {
    await systemctl('stop', 'samepaged');
    setHostSettings();
    await machine.write('/etc/ksmtuned.conf', 'KSM_WHEN=always\n');
    await systemctl('start', 'samepaged');
    await untilKsm('run', (run) => run === 1);
    assert.ok(!hasHostSettings());
    const killed = await mainPid();
    await systemctl('kill', '--signal=KILL', 'samepaged');
    await untilBack(killed);
    await untilJournal(machine, since, /KSM_ON_EXIT=restore: run 1 -> /);
    await systemctl('stop', 'samepaged');
    assert.ok(hasHostSettings());
    await systemctl('start', 'samepaged');
  });

  check(machine, 'a stop with KSM_ON_EXIT=unmerge leaves nothing shared, and the host its settings', async (since) => {
    await systemctl('stop', 'samepaged');
    setHostSettings();
    await machine.write(
      '/etc/ksmtuned.conf',
      'KSM_WHEN=always\nKSM_ON_EXIT=unmerge\nKSM_NPAGES_MIN=5000\nKSM_NPAGES_MAX=5000\n',
    );
    await startMachineGuest(machine, { name: 'first', commonMiB: 16, ownMiB: 0 });
    await startMachineGuest(machine, { name: 'second', commonMiB: 16, ownMiB: 0 });
    await systemctl('start', 'samepaged');
    await untilKsm('pages_sharing', (pages) => pages > 1000);
    await systemctl('stop', 'samepaged');
    assert.equal(ksm('pages_sharing'), 0);
    await untilJournal(machine, since, /KSM_ON_EXIT=unmerge: run 1 -> 2/);
    assert.equal(await systemctl('show', '--property=Result', '--value', 'samepaged'), 'success\n');
    for (const name of ['first', 'second']) await virsh(machine, 'destroy', name);
    await machine.write('/etc/ksmtuned.conf', '');
    await systemctl('start', 'samepaged');
  });

  check(machine, 'after a restart of libvirtd the next guest is an event again', async (since) => {
    await machine.write('/etc/ksmtuned.conf', 'DEBUG=1\n');
    await systemctl('reload', 'samepaged');
    const before = await mainPid();
    await systemctl('restart', 'libvirtd');
    // It asks libvirt now, and not at the next heartbeat.
    await machine.run('samepagectl', 'retune');
    await startMachineGuest(machine, { name: 'next', commonMiB: 16, ownMiB: 0 });
    await untilJournal(machine, since, /guest next started/);
    await virsh(machine, 'destroy', 'next');
    await untilJournal(machine, since, /guest next stopped/);
    assert.equal(await mainPid(), before);
    assert.equal(await property(machine, 'root', 'LibvirtConnected'), true);
  });
}
