import assert from 'node:assert/strict';
import type { Machine } from '../support/machine/machine.js';
import { LIBVIRT_MEMBER } from '../support/machine/machineImage.js';
import { check } from '../support/machine/check.js';
import { call, property } from './manager.js';

/** What changes something, with the polkit action that allows it. */
const CHANGING = [
  { action: 'org.samepaged1.retune', call: ['Retune'], member: true },
  { action: 'org.samepaged1.pause', call: ['Pause', 't', '60'], member: true },
  { action: 'org.samepaged1.pause', call: ['Stop'], member: true },
  { action: 'org.samepaged1.pause', call: ['Resume'], member: true },
  { action: 'org.samepaged1.estimate', call: ['Estimate', 't', '1'], member: false },
  { action: 'org.samepaged1.set-policy', call: ['SetPolicy', 's', 'default'], member: false },
  { action: 'org.samepaged1.unmerge', call: ['Unmerge', 'b', 'false'], member: false },
  { action: 'org.samepaged1.configure', call: ['Reload'], member: false },
] as const;

export function checkPermissions(machine: Machine): void {
  for (const { action, call: words, member } of CHANGING) {
    const [method, ...args] = words;
    check(machine, `root may call ${method}, nobody is refused by the name of the action`, async () => {
      await assert.rejects(call(machine, 'nobody', method, ...args), new RegExp(action.replaceAll('.', '\\.')));
      await call(machine, 'root', method, ...args);
    });
    check(machine, `a member of the group libvirt ${member ? 'may call' : 'is refused'} ${method}`, async () => {
      const asked = call(machine, LIBVIRT_MEMBER, method, ...args);
      if (member) await asked;
      else await assert.rejects(asked, new RegExp(action.replaceAll('.', '\\.')));
    });
  }

  check(machine, 'everyone reads the properties of samepaged', async () => {
    await call(machine, 'root', 'Resume');
    assert.equal(await property(machine, 'nobody', 'Policy'), 'ksmtuned');
    await call(machine, 'nobody', 'Explain');
    await call(machine, 'nobody', 'GetConfiguration');
    assert.match(await machine.runAs('nobody', 'samepagectl', 'status'), /guests/);
  });

  check(machine, 'a call on the bus starts no service that an administrator has stopped', async () => {
    await machine.run('systemctl', 'stop', 'samepaged');
    for (const user of ['nobody', 'root']) {
      await assert.rejects(property(machine, user, 'Version'), /not provided|ServiceUnknown|not activatable/);
    }
    assert.match(await machine.run('systemctl', 'show', '--property=ActiveState', 'samepaged'), /=inactive$/m);
    await machine.run('systemctl', 'start', 'samepaged');
  });
}
