import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AgentHost, decisions } from '../../support/agentHost.js';
import { call } from '../../support/dbus/busClient.js';
import { eventually } from '../../support/daemon.js';
import { LibvirtStandIn } from '../../support/dbus/libvirtStandIn.js';

const RETUNE = {
  destination: 'org.samepaged1',
  path: '/org/samepaged1',
  interface: 'org.samepaged1.Manager',
  member: 'Retune',
};

describe('hundreds of triggers during one slow turn', { concurrency: true }, () => {
  for (const what of ['guest starts', 'calls of Retune'] as const) {
    it(`during hundreds of ${what} in one slow turn the loop goes on, and SIGTERM gives the host back`, async () => {
      const config = { KSM_EVENT_SETTLE: 0, KSM_EVENT_RECHECK: '' };
      await using host = await AgentHost.create({ bus: {}, config });
      using standIn = await LibvirtStandIn.start(host.address, host.tree);
      const before = host.ksmFiles();
      host.memoryIsShort();
      const daemon = await host.started({ libvirt: '/org/libvirt/Test' });
      const clients = await Promise.all(Array.from({ length: 2 }, () => host.bus.connect()));
      standIn.behaviour.GetAllDomainStats = 1500;
      const asked = standIn.calls.length;
      daemon.child.kill('SIGUSR1');
      await eventually(() => standIn.calls.slice(asked).includes('GetAllDomainStats'));

      const numbers = Array.from({ length: 400 }, (_, number) => number);
      if (what === 'guest starts') for (const number of numbers) standIn.startGuest(`guest${String(number)}`, 1000);
      else await Promise.all(clients.flatMap((client) => numbers.slice(0, 120).map(() => call(client, RETUNE))));
      standIn.behaviour.GetAllDomainStats = 'answer';

      const taken = () => decisions(daemon).reduce((sum, { triggers }) => sum + Number(triggers), 0);
      const given = 2 + (what === 'guest starts' ? 400 : 240);
      await eventually(
        () => taken() === given,
        () => `${String(taken())} triggers of ${String(given)} were in a turn:\n${daemon.output}`,
      );
      assert.equal(await daemon.end(), 0);
      assert.deepEqual(host.ksmFiles(), before);
    });
  }
});
