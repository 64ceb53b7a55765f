import assert from 'node:assert/strict';
import { chmod, copyFile, mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Machine, WRITABLE_SYS } from '../support/machine/machine.js';
import { LIBVIRT_MEMBER } from '../support/machine/machineImage.js';
import { check } from './check.js';
import type { Attempt } from './hardeningProbe.js';

const UNITS = '/run/systemd/system';
const PROBE = '/usr/local/lib/probe.mjs';
const OUTCOMES = '/run/samepaged-probe.json';
const SECRET = `/home/${LIBVIRT_MEMBER}/secret`;
const FREE_FOR_ALL = '/srv/everyone';
/** Files that the capability could read. */
const SECRETS = {
  image: '/var/lib/libvirt/images/secret.img',
  key: '/var/backups/key',
} as const;

/** All of these are allowed to everyone by their file's mode: what forbids them is the unit. */
const FORBIDDEN: Readonly<Record<string, Attempt>> = {
  'write elsewhere in /sys': { write: `${WRITABLE_SYS}/enabled`, text: 'always' },
  'create a file outside its own directories': { write: `${FREE_FOR_ALL}/file`, text: '' },
  'read what is in /home': { read: SECRET },
  'read the hashes of passwords': { read: '/etc/shadow' },
  "read a guest's disk": { read: SECRETS.image },
  "read root's keys": { read: SECRETS.key },
  'open an internet socket': { listen: '127.0.0.1' },
};
/** What CAP_SYS_NICE could do beside. */
const FORBIDDEN_SCHEDULING: Readonly<Record<string, Attempt>> = {
  'make a process a real-time one': { run: ['chrt', '-f', '-p', '1', '1'] },
  'bind a process to a CPU': { run: ['taskset', '-p', '1', '1'] },
};

/** The unit's settings with another program. */
const DROP_IN = (attempts: Readonly<Record<string, Attempt>>) => `[Service]
Type=oneshot
ExecStartPre=
ExecStart=
ExecStart=/usr/bin/node --jitless --no-expose-wasm ${PROBE} ${JSON.stringify(JSON.stringify(attempts))}
ExecReload=
ExecStopPost=
Restart=no
WatchdogSec=0
RuntimeDirectory=
StandardOutput=truncate:${OUTCOMES}
`;

export function checkHardening(machine: Machine): void {
  const outcomesOf = async (attempts: Readonly<Record<string, Attempt>>): Promise<unknown> => {
    const unit = (await machine.run('systemctl', 'show', '--property=FragmentPath', '--value', 'samepaged')).trim();
    await machine.write(`${UNITS}/samepaged-probe.service`, machine.read(unit).replace(/^(Alias|BusName)=.*$/gm, ''));
    await mkdir(machine.path(`${UNITS}/samepaged-probe.service.d`), { recursive: true });
    await machine.write(`${UNITS}/samepaged-probe.service.d/probe.conf`, DROP_IN(attempts));
    await copyFile(fileURLToPath(new URL('hardeningProbe.js', import.meta.url)), machine.path(PROBE));
    await machine.run('systemctl', 'daemon-reload');
    await machine.run('systemctl', 'start', 'samepaged-probe');
    return JSON.parse(machine.read(OUTCOMES)) as unknown;
  };

  check(machine, 'the service cannot do what it need not', async () => {
    await chmod(machine.path(`${WRITABLE_SYS}/enabled`), 0o666);
    await mkdir(machine.path(FREE_FOR_ALL), { recursive: true });
    await chmod(machine.path(FREE_FOR_ALL), 0o777);
    await chmod(machine.path(`/home/${LIBVIRT_MEMBER}`), 0o755);
    await machine.write(SECRET, 'secret');
    await chmod(machine.path('/etc/shadow'), 0o644);
    for (const path of Object.values(SECRETS)) {
      await mkdir(machine.path(dirname(path)), { recursive: true });
      await machine.write(path, 'secret');
      for (const open of [path, dirname(path)]) await chmod(machine.path(open), 0o755);
    }
    assert.deepEqual(await outcomesOf(FORBIDDEN), {
      'write elsewhere in /sys': 'EROFS',
      'create a file outside its own directories': 'EROFS',
      'read what is in /home': 'ENOENT',
      'read the hashes of passwords': 'empty',
      "read a guest's disk": 'ENOENT',
      "read root's keys": 'ENOENT',
      'open an internet socket': 'EAFNOSUPPORT',
    });
    const outcomes = Object.values((await outcomesOf(FORBIDDEN_SCHEDULING)) as object);
    assert.ok(
      outcomes.every((outcome) => String(outcome).includes('not permitted')),
      JSON.stringify(outcomes),
    );
    const unconfined = await machine.runAs('nobody', 'node', PROBE, JSON.stringify(FORBIDDEN));
    assert.deepEqual(new Set(Object.values(JSON.parse(unconfined) as object)), new Set(['done']));
  });

  check(machine, 'the service can do what it must', async () => {
    const roots = (await machine.run('systemctl', 'show', '--property=MainPID', '--value', 'systemd-logind')).trim();
    const qemu = machine.read('/run/libvirt/qemu/one.pid').trim();
    const outcomes = await outcomesOf({
      'tune khugepaged': { write: `${WRITABLE_SYS}/khugepaged/max_ptes_none`, text: '511' },
      'tune KSM': { write: '/sys/kernel/mm/ksm/pages_to_scan', text: '100' },
      'keep its state': { write: '/var/lib/samepaged/probe', text: '' },
      'read what is merged of a guest': { read: `/proc/${qemu}/ksm_stat` },
      // A container does not show ksmd, which is root's as well.
      "set a root process's class": { run: ['chrt', '-i', '-p', '0', roots] },
      "set a root process's class back": { run: ['chrt', '-o', '-p', '0', roots] },
      "set a root process's nice value": { run: ['renice', '-n', '5', '-p', roots] },
    });
    assert.deepEqual(new Set(Object.values(outcomes as object)), new Set(['done']), JSON.stringify(outcomes));
    await rm(machine.path('/var/lib/samepaged/probe'));
  });

  check(machine, 'the service is not root, and cannot become more than it is', async () => {
    const pid = (await machine.run('systemctl', 'show', '--property=MainPID', '--value', 'samepaged')).trim();
    const status = machine.read(`/proc/${pid}/status`);
    const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1];
    assert.notEqual(field('Uid'), '0');
    assert.equal(field('NoNewPrivs'), '1');
    assert.equal(field('Seccomp'), '2');
    assert.equal(field('CapBnd'), field('CapEff'));
  });
}
