import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { HistoryStore } from '../../../src/state/history/store.js';
import { AgentHost } from '../../support/agentHost.js';
import { runCtl } from '../../support/daemon.js';

describe('a history larger than an answer may be', { concurrency: true }, () => {
  it('a history larger than an answer may be comes in pages of at most 64 KiB, and samepagectl shows all', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const directory = join(host.tree.root, 'var/lib/samepaged');
    const nowMillis = Date.now();
    const store = new HistoryStore({ directory, log: console, nowMillis });
    const events = Array.from({ length: 3000 }, (_, number) => ({
      kind: 'guest' as const,
      // Many at one moment, as when a host starts all its guests.
      atMillis: nowMillis - 3_600_000 + Math.trunc(number / 40),
      change: 'started' as const,
      name: `guest-with-a-long-name-${String(number)}`,
    }));
    await store.add(events, nowMillis);
    await host.started();
    const manager = await host.manager();
    let since: unknown = 0n;
    const lines: string[] = [];
    while (since !== undefined) {
      const page = await manager.command('GetHistory', 't', [since]);
      assert.ok(Buffer.byteLength(String(page['Lines'])) < 64 * 1024);
      lines.push(
        ...String(page['Lines'])
          .split('\n')
          .filter((line) => line.includes('guest-with')),
      );
      since = page['NextUSec'];
    }
    assert.equal(new Set(lines).size, 3000);
    assert.equal(lines.length, 3000);
    const { stdout } = await runCtl(['--bus', host.address, 'history', '--json']);
    const { guestEvents } = JSON.parse(stdout) as { guestEvents: { guest: string }[] };
    assert.equal(guestEvents.filter(({ guest }) => guest.startsWith('guest-with')).length, 3000);
  });
});
