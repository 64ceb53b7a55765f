import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MessageType, interface as dbus } from 'dbus-next';
import { callAs } from '../../support/dbus/callAs.js';
import { Child } from '../../support/child.js';
import { eventually, runCtl } from '../../support/daemon.js';
import { PolkitAgent } from '../../support/dbus/polkitAgent.js';
import { PrivateBus } from '../../support/dbus/privateBus.js';
import { removeScratch, scratchDirectory } from '../../support/scratch.js';
import { UID } from '../../support/dbus/systemBus.js';
import { NEEDS_ROOT, ServiceHost } from '../../support/dbus/authorizeHost.js';
import { CTL } from '../../support/programs.js';

const ALLOW_INTERACTIVE_AUTHORIZATION = 0x4;

const SET_POLICY = {
  destination: 'org.samepaged1',
  path: '/org/samepaged1',
  interface: 'org.samepaged1.Manager',
  member: 'SetPolicy',
  signature: 's',
  body: ['adaptive'],
};

/** SetPolicy by nobody, who has an agent that gives root's password. */
async function setPolicyWithAgent(service: ServiceHost, interactive: boolean) {
  const bus = await service.bus.connect();
  let agent: PolkitAgent | undefined;
  const outcomes = await callAs(UID.nobody, service.bus.address, [{ ...SET_POLICY, interactive }], async (pid) => {
    agent = await PolkitAgent.of(bus, pid);
  });
  const { Policy } = await (await service.manager()).properties();
  return { outcomes, asked: agent?.asked, Policy };
}

describe('a password', { concurrency: true }, () => {
  it('a password is asked for when the caller lets itself be asked, and is enough', { skip: NEEDS_ROOT }, async () => {
    await using service = await ServiceHost.start({ polkit: true });
    assert.deepEqual(await setPolicyWithAgent(service, true), {
      outcomes: ['ok'],
      asked: [['org.samepaged1.set-policy', 'Authentication is required to set the policy that tunes KSM.']],
      Policy: 'adaptive',
    });
  });

  it('a password is not asked for when the caller does not', { skip: NEEDS_ROOT }, async () => {
    await using service = await ServiceHost.start({ polkit: true });
    const refused =
      'org.samepaged1.Error.NotAuthorized: org.samepaged1.set-policy is for root and administrators with their password';
    assert.deepEqual(await setPolicyWithAgent(service, false), { outcomes: [refused], asked: [], Policy: 'ksmtuned' });
  });

  it('a password does not help a caller that has gone: nothing is done', { skip: NEEDS_ROOT }, async () => {
    await using service = await ServiceHost.start({ polkit: true });
    const bus = await service.bus.connect();
    let agent: PolkitAgent | undefined;
    const caller = callAs(UID.nobody, service.bus.address, [{ ...SET_POLICY, interactive: true }], async (pid) => {
      agent = await PolkitAgent.of(bus, pid, async () => {
        process.kill(pid);
        await assert.rejects(caller);
      });
    });
    await eventually(() => agent?.answered === 1);
    // polkit and samepaged have done with the first call when they have answered this one.
    assert.deepEqual(await service.call('member', ['Retune']), ['ok']);
    assert.equal((await (await service.manager()).properties())['Policy'], 'ksmtuned');
  });

  it('samepagectl lets itself be asked for a password on a terminal, and nowhere else', async () => {
    await using bus = await PrivateBus.start();
    const service = await bus.connect();
    const interactive: boolean[] = [];
    service.on('message', ({ type, member, flags }) => {
      if (type !== MessageType.METHOD_CALL || member !== 'Retune') return;
      interactive.push((flags & ALLOW_INTERACTIVE_AUTHORIZATION) !== 0);
    });
    service.export('/org/samepaged1', new Retuning('org.samepaged1.Manager'));
    await service.requestName('org.samepaged1', 0);
    assert.equal((await runCtl(['--bus', bus.address, 'retune'])).status, 0);
    const directory = await scratchDirectory('terminal');
    try {
      const command = `'${process.execPath}' ${CTL} --bus '${bus.address}' retune`;
      const log = `${directory}/log`;
      const terminal = Child.start('script', ['-qefc', command, '/dev/null'], { log });
      await terminal.until(() => interactive.length === 2);
      await terminal.kill();
    } finally {
      await removeScratch(directory);
    }
    assert.deepEqual(interactive, [false, true]);
  });
});

class Retuning extends dbus.Interface {
  @dbus.method({ outSignature: 'a{sv}' })
  Retune(): object {
    return {};
  }
}
