import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentHost, decision, decisions, retune, warnings } from '../../support/agentHost.js';
import { LibvirtStandIn } from '../../support/dbus/libvirtStandIn.js';

const libvirt = '/org/libvirt/Test';
const config = { KSM_EVENT_RECHECK: '' };
/** libvirt is asked every 5 s whether it is back. */
const TWO_RETRIES_MILLIS = 10_500;

describe('a libvirt-dbus that is late, silent or fails (a stand-in)', { concurrency: true }, () => {
  it('memory figures of libvirt-dbus decide, and what libvirt can set is set through it, before run', async () => {
    await using host = await AgentHost.create({ bus: {}, config });
    using standIn = await LibvirtStandIn.start(host.address, host.tree);
    standIn.behaviour.NodeSetMemoryParameters = 'answer';
    const daemon = await host.started({ libvirt });
    assert.equal(host.pace, '0 100 20');

    standIn.startGuest('big', 14_000_000);
    await host.paceIs('1 64 10');
    assert.deepEqual(standIn.parameters, [{ shm_pages_to_scan: 64, shm_sleep_millisecs: 10 }]);
    assert.equal((await decision(daemon, 2))['reason'], 'committed-above-total');
    assert.deepEqual(warnings(daemon), []);

    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
  });

  it('with a libvirt-dbus silent from the start, samepaged decides without it after 2 s, and says so', async () => {
    await using host = await AgentHost.create({ bus: {}, config });
    using standIn = await LibvirtStandIn.start(host.address, host.tree);
    standIn.behaviour.ListDomains = 'silence';
    host.tree.addGuest(101, 'web', 14_000_000);
    const daemon = await host.started({ libvirt });
    await host.paceIs('1 64 10');
    const first = await decision(daemon, 1);
    assert.equal(first['guests'], 1);
    const late = await daemon.line(/^libvirt does not answer/);
    assert.match(
      late.msg,
      /org\.libvirt did not answer ListDomains within 5 s.*; see that libvirt-dbus and libvirtd run/,
    );
    assert.ok(String(first['time']) < String(late['time']), 'decided before libvirt was given up');
    await retune(daemon);
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
  });

  it('with a libvirt-dbus silent about memory, /proc is asked after 5 s, said once', async () => {
    await using host = await AgentHost.create({ bus: {}, config });
    using standIn = await LibvirtStandIn.start(host.address, host.tree);
    standIn.behaviour.GetAllDomainStats = 'silence';
    host.tree.addGuest(101, 'web', 14_000_000);
    const daemon = host.start({ libvirt });
    assert.equal((await decision(daemon, 1))['guests'], 1);
    await host.paceIs('1 64 10');
    await retune(daemon);
    const told = warnings(daemon).filter((text) => text.includes('did not answer GetAllDomainStats within 5 s'));
    assert.equal(told.length, 1, daemon.output);
    assert.match(told[0] ?? '', /taken from \/proc/);
  });

  it('with a libvirt-dbus late by 1.5 s its figures are used, and turns do not overlap', async () => {
    await using host = await AgentHost.create({ bus: {}, config });
    using standIn = await LibvirtStandIn.start(host.address, host.tree);
    standIn.guests.set('big', 14_000_000);
    standIn.behaviour.GetAllDomainStats = 1500;
    standIn.behaviour.NodeSetMemoryParameters = 'answer';
    const daemon = await host.started({ libvirt });
    for (let sent = 0; sent < 5; sent += 1) standIn.startGuest(`more${String(sent)}`, 1000);
    daemon.child.kill('SIGUSR1');
    const second = await decision(daemon, 2);
    const third = await decision(daemon, 3);
    assert.equal(Number(second['triggers']) + Number(third['triggers']), 6);
    assert.equal(third['guests'], 6);
    assert.ok(Date.parse(String(third['time'])) - Date.parse(String(second['time'])) >= 1400);
  });

  it('an answer of libvirt-dbus that comes after the time-out does no harm', async () => {
    await using host = await AgentHost.create({ bus: {}, config });
    using standIn = await LibvirtStandIn.start(host.address, host.tree);
    standIn.behaviour.GetAllDomainStats = 5300;
    const daemon = await host.started({ libvirt });
    standIn.behaviour.GetAllDomainStats = 'answer';
    standIn.startGuest('big', 14_000_000);
    await host.paceIs('1 64 10');
    assert.equal((await decision(daemon, 2))['guests'], 1);
  });

  it('errors of libvirt-dbus are each said once with libvirt’s words, KSM is set through sysfs', async () => {
    await using host = await AgentHost.create({ bus: {}, config });
    using standIn = await LibvirtStandIn.start(host.address, host.tree);
    standIn.behaviour.GetAllDomainStats = 'error';
    host.memoryIsShort();
    const daemon = await host.started({ libvirt });
    await host.paceIs('1 300 10');
    await retune(daemon);
    await retune(daemon);
    await host.paceIs('1 900 10');
    const told = warnings(daemon);
    assert.equal(told.length, 2, daemon.output);
    assert.match(told[0] ?? '', /GetAllDomainStats failed, says the stand-in.*taken from \/proc/);
    assert.match(told[1] ?? '', /NodeSetMemoryParameters failed, says the stand-in.*written to .*sys\/kernel\/mm\/ksm/);
  });

  it('libvirtd down behind libvirt-dbus is said once with the remedy, and over when it is back', async () => {
    await using host = await AgentHost.create({ bus: {}, config });
    using standIn = await LibvirtStandIn.start(host.address, host.tree);
    standIn.behaviour.ListDomains = 'error';
    const daemon = await host.started({ libvirt });
    await daemon.line(/^libvirt does not answer \(ListDomains failed.*; see that libvirtd runs/);
    const lines = daemon.lines.length;
    await sleep(TWO_RETRIES_MILLIS);
    assert.deepEqual(daemon.lines.slice(lines), []);
    standIn.behaviour.ListDomains = 'answer';
    await daemon.line(/^libvirt is connected/);
    assert.equal(await daemon.end(), 0);
  });

  it('a guest event that never came is repaired by the heartbeat, in both directions', async () => {
    await using host = await AgentHost.create({ bus: {}, config });
    using standIn = await LibvirtStandIn.start(host.address, host.tree);
    standIn.guests.set('gone', 1000);
    const daemon = await host.started({ libvirt });
    standIn.guests.delete('gone');
    standIn.guests.set('silent', 14_000_000);
    const { msg, triggers } = await decision(daemon, 2);
    assert.match(msg, /^guest gone stopped and 1 more: /);
    assert.equal(triggers, 2);
    await host.paceIs('1 64 10');
  });

  it('guest events that contradict the list or come twice do no harm', async () => {
    await using host = await AgentHost.create({ bus: {}, config });
    using standIn = await LibvirtStandIn.start(host.address, host.tree);
    const daemon = await host.started({ libvirt });
    standIn.tell('never was', 'stopped');
    standIn.tell('ghost', 'started');
    standIn.tell('ghost', 'started');
    standIn.tell('ghost', 'stopped');
    standIn.startGuest('real', 1000);
    const told = await decision(daemon, 2);
    assert.equal(told['guests'], 1);
    assert.ok(Number(told['triggers']) <= 3, daemon.output);
    assert.equal(decisions(daemon).length, 2);
    assert.deepEqual(
      warnings(daemon).filter((text) => !text.includes('NodeSetMemoryParameters')),
      [],
    );
  });
});
