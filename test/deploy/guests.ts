import assert from 'node:assert/strict';
import { hostMemory } from '../../src/core/memory.js';
import { readMemoryFigures } from '../../src/host/meminfo.js';
import type { Machine } from '../support/machine/machine.js';
import { startMachineGuest, virsh } from '../support/machine/machineGuest.js';
import { check, untilJournal } from '../support/machine/check.js';
import { untilKsm } from '../support/machine/ksmFigures.js';
import { property } from './manager.js';

const MIB = 1024 ** 2;
/** QEMU takes about twice of this. */
const LARGE_GUEST = { name: 'large', commonMiB: 400, ownMiB: 300 };
const SLACK_BYTES = 700 * MIB;
/** The timer is an hour away: what happens, events made it happen. */
const CONFIG = `KSM_MONITOR_INTERVAL=3600
KSM_THRES_COEF=0
DEBUG=1
`;

export function checkGuests(machine: Machine): void {
  check(machine, "a guest's start sets ksmd to work, and its end is noticed", async (since) => {
    const reserveKb = Math.trunc((hostMemory(readMemoryFigures(''), [], 'corrected').freeBytes - SLACK_BYTES) / 1024);
    await machine.write('/etc/ksmtuned.conf', `${CONFIG}KSM_THRES_CONST=${reserveKb}\n`);
    await machine.run('systemctl', 'restart', 'samepaged');
    await untilKsm('run', (run) => run === 0);
    await startMachineGuest(machine, LARGE_GUEST);
    await untilKsm('run', (run) => run === 1);
    await untilJournal(machine, since, /guest large started/);
    assert.equal(await property(machine, 'root', 'LibvirtConnected'), true);
    await virsh(machine, 'destroy', 'large');
    await untilJournal(machine, since, /guest large stopped/);
  });
}
