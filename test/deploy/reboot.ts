import assert from 'node:assert/strict';
import type { Machine } from '../support/machine/machine.js';
import { check } from '../support/machine/check.js';
import { lastRetune } from './manager.js';

export function checkReboot(machine: Machine): void {
  check(machine, 'after a reboot the service starts by itself, and nothing else fails', async () => {
    await machine.reboot();
    // Without a call that could start it.
    assert.equal(await machine.run('systemctl', 'is-active', 'samepaged'), 'active\n');
    assert.equal(await machine.run('systemctl', 'list-units', '--failed', '--plain', '--no-legend'), '');
    assert.match((await lastRetune(machine)).sentence, /merging/);
  });
}
