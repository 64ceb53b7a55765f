import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentHost, type Settings, decision, decisions } from '../../support/agentHost.js';
import { eventually } from '../../support/daemon.js';
import { destroyTestGuest, startTestGuest } from '../../support/dbus/testDriver.js';

/** On the real libvirt-dbus with libvirt's test driver, whose built-in guest `test` runs from the start. */
async function testHost(config: Settings = {}): Promise<AgentHost> {
  return AgentHost.create({ bus: { libvirt: 'test' }, config: { KSM_EVENT_RECHECK: '', ...config } });
}

const libvirt = '/org/libvirt/Test';

describe('guests on libvirt-dbus', { concurrency: 4 }, () => {
  it('a start and a stop of a guest each retune at once, the timer being an hour away', async () => {
    await using host = await testHost();
    const client = await host.bus.connect();
    const daemon = await host.started({ libvirt });
    assert.equal(decisions(daemon)[0]?.['guests'], 1);

    host.memoryIsShort();
    await startTestGuest(client, 'web');
    await host.paceIs('1 300 10');
    const started = await decision(daemon, 2);
    assert.match(started.msg, /^guest web started: /);
    assert.equal(started['guests'], 2);

    host.memoryIsEnough();
    await destroyTestGuest(client, 'web');
    await host.paceIs('0 300 10');
    const stopped = await decision(daemon, 3);
    assert.match(stopped.msg, /^guest web stopped: /);
    assert.equal(stopped['guests'], 1);
  });

  it('30 guests started at once are one retune', async () => {
    await using host = await testHost({ KSM_EVENT_SETTLE: 1000 });
    const client = await host.bus.connect();
    const daemon = await host.started({ libvirt });
    await Promise.all(Array.from({ length: 30 }, (_unused, index) => startTestGuest(client, `burst${String(index)}`)));
    const burst = await decision(daemon, 2);
    assert.equal(burst['triggers'], 30);
    assert.equal(burst['guests'], 31);
    assert.match(burst.msg, /^guest burst\d+ started and 29 more: /);
    await sleep(1500);
    assert.equal(decisions(daemon).length, 2, daemon.output);
  });

  it('KSM_EVENT_SETTLE is how long a retune waits for more events', async () => {
    await using host = await testHost({ KSM_EVENT_SETTLE: 1500 });
    const client = await host.bus.connect();
    const daemon = await host.started({ libvirt });
    const before = performance.now();
    await startTestGuest(client, 'first');
    await sleep(700);
    await startTestGuest(client, 'second');
    assert.equal((await decision(daemon, 2))['triggers'], 2);
    assert.ok(performance.now() - before >= 1500);
  });

  it('the rechecks come at KSM_EVENT_RECHECK, and not for a guest that is gone', async () => {
    await using host = await testHost({ KSM_EVENT_RECHECK: '1,2' });
    const client = await host.bus.connect();
    const daemon = await host.started({ libvirt });
    await startTestGuest(client, 'stays');
    const at = performance.now();
    await startTestGuest(client, 'leaves');
    await decision(daemon, 2);
    await destroyTestGuest(client, 'leaves');
    assert.match((await decision(daemon, 3)).msg, /^guest leaves stopped: /);

    assert.match((await decision(daemon, 4)).msg, /^recheck of guest stays: /);
    assert.ok(performance.now() - at > 900);
    assert.match((await decision(daemon, 5)).msg, /^recheck of guest stays: /);
    assert.ok(performance.now() - at > 1900);
    await sleep(300);
    assert.equal(decisions(daemon).length, 5, daemon.output);
  });

  it('a guest that vanished between its event and the sample is nowhere in it', async () => {
    await using host = await testHost();
    const client = await host.bus.connect();
    const daemon = await host.started({ libvirt });
    await startTestGuest(client, 'brief');
    await destroyTestGuest(client, 'brief');
    const retuned = await decision(daemon, 2);
    assert.equal(retuned['guests'], 1);
    assert.equal(retuned['triggers'], 2);
    assert.deepEqual(
      daemon.lines.filter(({ level }) => level === 'error'),
      [],
    );
  });

  it('1000 guest events in a second are a few retunes, and the count is right after them', async () => {
    await using host = await testHost();
    const client = await host.bus.connect();
    const daemon = await host.started({ libvirt });
    const names = Array.from({ length: 500 }, (_unused, index) => `storm${String(index)}`);
    const triggers = () => decisions(daemon).reduce((sum, line) => sum + Number(line['triggers']), 0);
    const before = performance.now();
    await Promise.all(
      names.map(async (name) => {
        await startTestGuest(client, name);
        await destroyTestGuest(client, name);
      }),
    );
    await startTestGuest(client, 'last');
    await eventually(
      () => triggers() >= 1 + 1000 + 1,
      () => `${String(triggers())} triggers:\n${daemon.output.slice(-2000)}`,
    );

    const most = Math.ceil((performance.now() - before) / 250) + 3;
    assert.ok(decisions(daemon).length <= most, `${String(decisions(daemon).length)} retunes, at most ${String(most)}`);
    assert.equal(decisions(daemon).at(-1)?.['guests'], 2);
    const told = daemon.lines.filter(({ level }) => level === 'error' || level === 'warn');
    assert.deepEqual(told, []);
  });
});
