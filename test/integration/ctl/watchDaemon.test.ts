import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Message } from 'dbus-next';
import { type DaemonEvent, observeDaemon } from '../../../src/api/observe.js';
import { AgentHost, reload, retune } from '../../support/agentHost.js';
import { callBus } from '../../support/dbus/busClient.js';
import { eventually } from '../../support/daemon.js';

describe('what a watch asks the daemon', () => {
  it('a watch asks the daemon for its configuration once, and anew after a reload and a restart', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const client = await host.bus.connect();
    let asked = 0;
    client.addMethodHandler(() => true);
    client.on('message', ({ member }: Message) => {
      if (member === 'GetConfiguration') asked += 1;
    });
    await callBus(client, 'AddMatch', "eavesdrop='true',type='method_call',member='GetConfiguration'");
    const first = await host.started();
    const news: DaemonEvent[] = [];
    const watch = observeDaemon(host.address).subscribe({ next: (one) => news.push(one), error: assert.ifError });
    /** Waits until it looks once more and knows this of the configuration. */
    const knows = (accounting: string) => {
      const known = news.length;
      return eventually(() => news.slice(known).some((one) => one.kind === 'daemon' && one.accounting === accounting));
    };
    try {
      await eventually(() => news.some(({ kind }) => kind === 'daemon'));
      for (const become of ['memoryIsShort', 'memoryIsEnough'] as const) {
        host[become]();
        const next = knows('corrected');
        await retune(first);
        await next;
      }
      assert.equal(asked, 1);

      host.configure({ KSM_MEMORY_ACCOUNTING: 'legacy' });
      const next = knows('legacy');
      await reload(first);
      await next;
      assert.equal(asked, 2);

      host.configure({});
      await first.end();
      await eventually(() => news.at(-1)?.kind === 'away');
      await host.started();
      await knows('corrected');
    } finally {
      watch.unsubscribe();
    }
  });
});
