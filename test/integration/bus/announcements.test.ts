import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentHost, retune } from '../../support/agentHost.js';
import { eventually } from '../../support/daemon.js';
import { ManagerClient } from '../../support/dbus/managerClient.js';

/** After this time everything is announced. */
const ANNOUNCED_MILLIS = 2500;

async function client(host: AgentHost): Promise<ManagerClient> {
  return host.manager();
}

describe('what org.samepaged1.Manager tells of changes', { concurrency: true }, () => {
  it('PropertiesChanged tells what changed and only that; Retuned tells each retune', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const daemon = await host.started();
    const manager = await client(host);
    await sleep(ANNOUNCED_MILLIS);
    manager.changes.splice(0);

    await retune(daemon);
    await eventually(() => manager.retuned.length === 1);
    assert.deepEqual(manager.retuned[0]?.['Reason'], 'enough-memory');
    await eventually(() => manager.changes.length === 1);
    assert.deepEqual(Object.keys(manager.changes[0] ?? {}).sort(), ['LastRetune', 'NextLookUSec']);

    host.memoryIsShort();
    await retune(daemon);
    await eventually(() => manager.retuned.length === 2);
    assert.equal(manager.changes.length, 2, 'that merging begins is told at once');
    const { LastRetune, NextLookUSec, ...changed } = manager.changes[1] ?? {};
    assert.deepEqual(changed, { Run: 1, PagesToScan: 300, SleepMillisecs: 10 });
    assert.deepEqual(LastRetune, manager.retuned[1]);
    assert.equal(NextLookUSec, (await manager.properties())['NextLookUSec']);
    assert.deepEqual(manager.retuned[1]?.['Triggers'], ['asked for by SIGUSR1']);
  });

  it('turns twice a second are a Retuned each, but a PropertiesChanged in two seconds, the last of them always', async () => {
    await using host = await AgentHost.create({ bus: {} });
    await host.started();
    const manager = await client(host);
    await sleep(ANNOUNCED_MILLIS);
    manager.changes.splice(0);
    const TURNS = 12;
    const begin = performance.now();
    for (let turn = 1; turn <= TURNS; turn += 1) {
      host.tree.setKsm('pages_sharing', turn * 100);
      await manager.retune();
      await sleep(500);
    }
    const spanMillis = performance.now() - begin;
    await sleep(ANNOUNCED_MILLIS);
    assert.equal(manager.retuned.length, TURNS);
    const announcements = manager.changes.length;
    assert.ok(announcements <= Math.ceil(spanMillis / 2000) + 1, `${announcements} in ${spanMillis} ms`);
    assert.ok(announcements >= 3, `${announcements} in ${spanMillis} ms`);
    const last = manager.changes.at(-1) ?? {};
    assert.equal(last['SavedBytes'], BigInt(TURNS * 100) * 4096n);
    assert.deepEqual(last['LastRetune'], manager.retuned.at(-1));
  });
});

describe('what follows from two looks', { concurrency: true }, () => {
  it("ksmd's CPU time is that between the last two looks, and below 0 when it is not known", async () => {
    await using host = await AgentHost.create({ bus: {} });
    const used = (millis: number) => {
      host.tree.write('proc/57/schedstat', `${millis * 1_000_000} 0 1\n`);
    };
    host.tree.addProcess({ pid: 57, argv: [], residentKb: 0, comm: 'ksmd' });
    used(5000);
    await host.started();
    const manager = await client(host);
    const look = async () => {
      await manager.retune();
      const { KsmdCpuPercent } = await manager.properties();
      return Number(KsmdCpuPercent);
    };
    assert.equal((await manager.properties())['KsmdCpuPercent'], -1);
    await sleep(1000);
    used(5100);
    const percent = await look();
    assert.ok(percent > 2 && percent <= 10, String(percent));
    await sleep(300);
    assert.equal(await look(), 0);
    await sleep(300);
    used(10);
    assert.equal(await look(), -1, 'a counter that goes backwards');
    await sleep(300);
    host.tree.remove('proc/57');
    assert.equal(await look(), -1);
  });
});
