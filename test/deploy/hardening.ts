import assert from 'node:assert/strict';
import { chmod, copyFile, mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Machine, WRITABLE_SYS } from '../support/machine/machine.js';
import { LIBVIRT_MEMBER } from '../support/machine/machineImage.js';
import { check } from '../support/machine/check.js';
import type { Attempt } from './hardeningProbe.js';

const UNITS = '/run/systemd/system';
const PROBE = '/usr/local/lib/probe.mjs';
const OUTCOMES = '/run/samepaged-probe.json';
const SECRET = `/home/${LIBVIRT_MEMBER}/secret`;
const CAP_SYS_NICE = 23n;
const FREE_FOR_ALL = '/srv/everyone';
/** Files that only root may read, with their directories open to everyone where they are not the system's own. */
const SECRETS = [
  '/root/key',
  '/data/key',
  '/etc/key',
  '/run/key',
  '/usr/local/lib/key',
  '/var/lib/libvirt/images/secret.img',
  '/etc/libvirt/qemu/secret.xml',
  '/var/backups/key',
];
const PASSWORDS = ['/etc/shadow', '/etc/gshadow'];

/** All of these are allowed to everyone by their file's mode: what forbids them is the unit. */
const FORBIDDEN: Readonly<Record<string, Attempt>> = {
  'write elsewhere in /sys': { write: `${WRITABLE_SYS}/enabled`, text: 'always' },
  'create a file outside its own directories': { write: `${FREE_FOR_ALL}/file`, text: '' },
  'read what is in /home': { read: SECRET },
  'open an internet socket': { listen: '127.0.0.1' },
};
/** What CAP_SYS_NICE could do beside. */
const FORBIDDEN_SCHEDULING: Readonly<Record<string, Attempt>> = {
  'make a process a real-time one': { run: ['chrt', '-f', '-p', '1', '1'] },
  'bind a process to a CPU': { run: ['taskset', '-p', '1', '1'] },
};

/** The unit with another program in samepaged's place. */
const DROP_IN = (attempts: Readonly<Record<string, Attempt>>) => `[Service]
Type=oneshot
ExecStartPre=
BindReadOnlyPaths=${PROBE}:/usr/lib/samepaged/samepaged.js
Environment=${JSON.stringify(`ATTEMPTS=${JSON.stringify(attempts)}`)}
ExecReload=
ExecStopPost=
Restart=no
WatchdogSec=0
RuntimeDirectory=
RuntimeDirectory=samepaged-probe
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

  check(machine, 'the hardened service cannot do what it need not', async () => {
    await chmod(machine.path(`${WRITABLE_SYS}/enabled`), 0o666);
    await mkdir(machine.path(FREE_FOR_ALL), { recursive: true });
    await chmod(machine.path(FREE_FOR_ALL), 0o777);
    await chmod(machine.path(`/home/${LIBVIRT_MEMBER}`), 0o755);
    await machine.write(SECRET, 'secret');
    assert.deepEqual(await outcomesOf(FORBIDDEN), {
      'write elsewhere in /sys': 'EROFS',
      'create a file outside its own directories': 'EROFS',
      'read what is in /home': 'EACCES',
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

  check(machine, 'the service cannot read what only root may, but for what KSM makes of a process', async () => {
    for (const path of SECRETS) {
      await mkdir(machine.path(dirname(path)), { recursive: true });
      await machine.write(path, 'secret');
      await chmod(machine.path(path), 0o600);
    }
    // As passwd(1) does: no mount in its place survives that.
    await machine.run('sh', '-c', 'cp -p /etc/shadow /etc/shadow.new && mv /etc/shadow.new /etc/shadow');
    const roots = (await machine.run('systemctl', 'show', '--property=MainPID', '--value', 'systemd-logind')).trim();
    const files = [...SECRETS, ...PASSWORDS, `/proc/${roots}/environ`, `/proc/${roots}/ksm_stat`];
    const attempts = Object.fromEntries(files.map((read) => [read, { read }]));
    const outcomes = (await outcomesOf({ ...attempts, reader: { reader: 'environ' } })) as Record<string, string>;
    for (const [name, outcome] of Object.entries(outcomes)) assert.match(outcome, /^(EACCES|ENOENT)$/, name);
    assert.deepEqual([outcomes['/data/key'], outcomes['reader']], ['EACCES', 'EACCES']);
    const asRoot = JSON.parse(await machine.run('node', PROBE, JSON.stringify(attempts))) as object;
    assert.deepEqual(new Set(Object.values(asRoot)), new Set(['done']));
  });

  check(machine, 'the service can do what it must', async () => {
    const roots = (await machine.run('systemctl', 'show', '--property=MainPID', '--value', 'systemd-logind')).trim();
    const qemu = machine.read('/run/libvirt/qemu/one.pid').trim();
    const outcomes = await outcomesOf({
      'tune khugepaged': { write: `${WRITABLE_SYS}/khugepaged/max_ptes_none`, text: '511' },
      'tune KSM': { write: '/sys/kernel/mm/ksm/pages_to_scan', text: '100' },
      'keep its state': { write: '/var/lib/samepaged/probe', text: '' },
      'read what is merged of a guest': { ask: qemu },
      // A container does not show ksmd, which is root's as well.
      "set a root process's class": { run: ['chrt', '-i', '-p', '0', roots] },
      "set a root process's class back": { run: ['chrt', '-o', '-p', '0', roots] },
      "set a root process's nice value": { run: ['renice', '-n', '5', '-p', roots] },
    });
    assert.deepEqual(new Set(Object.values(outcomes as object)), new Set(['done']), JSON.stringify(outcomes));
    await rm(machine.path('/var/lib/samepaged/probe'));
    await machine.write('/etc/ksmtuned.conf', 'KSM_METRICS_GUESTS=1\n');
    await machine.run('systemctl', 'reload', 'samepaged');
    assert.match(await machine.run('samepagectl', 'metrics'), /^samepaged_guest_profit_bytes\{guest="one"\} /m);
    await machine.write('/etc/ksmtuned.conf', '');
    await machine.run('systemctl', 'reload', 'samepaged');
  });

  check(machine, 'the service is not root, and cannot become more than it is', async () => {
    const pid = (await machine.run('systemctl', 'show', '--property=MainPID', '--value', 'samepaged')).trim();
    const status = machine.read(`/proc/${pid}/status`);
    const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1];
    assert.notEqual(field('Uid'), '0');
    assert.equal(field('NoNewPrivs'), '1');
    assert.equal(field('Seccomp'), '2');
    const capabilities = new Set(['CapPrm', 'CapEff', 'CapAmb'].map(field));
    assert.deepEqual(capabilities, new Set([(2n ** CAP_SYS_NICE).toString(16).padStart(16, '0')]));
  });
}
