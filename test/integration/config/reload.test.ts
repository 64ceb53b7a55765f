import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AgentHost, decision, reload, retune, warnings } from '../../support/agentHost.js';

describe('SIGHUP', { concurrency: true }, () => {
  it('SIGHUP takes a good file at once', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    const daemon = await host.started();
    await host.paceIs('1 300 10');

    host.configure({ KSM_NPAGES_MAX: 350, KSM_SLEEP_MSEC: 25 });
    await reload(daemon);
    await host.paceIs('1 350 25');
    assert.match((await decision(daemon, 2)).msg, /^reload: /);

    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
  });

  it('a new interval counts from SIGHUP on', async () => {
    await using host = await AgentHost.create();
    const daemon = await host.started();
    host.configure({ KSM_MONITOR_INTERVAL: 1 });
    await reload(daemon);
    assert.match((await decision(daemon, 3)).msg, /^timer: /);
  });

  it('after SIGHUP what KSM_ON_EXIT says now is what is done', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    const daemon = await host.started();
    host.configure({ KSM_ON_EXIT: 'leave' });
    await reload(daemon);
    await host.paceIs('1 600 10');
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '1 600 10');
  });

  it('SIGHUP with a bad file tells every error, and the running configuration stays', async () => {
    await using host = await AgentHost.create({ config: { KSM_NPAGES_MAX: 100 } });
    host.memoryIsShort();
    const daemon = await host.started();
    await host.paceIs('1 100 10');

    host.configure({ KSM_NPAGES_MAX: 'lots', KSM_ON_EXIT: 'explode', KSM_SLEEP_MSEC: 50 });
    await reload(daemon);
    const errors = daemon.lines.filter(({ level }) => level === 'error').map(({ msg }) => msg);
    assert.equal(errors.length, 3, daemon.output);
    assert.match(errors[0] ?? '', /ksmtuned\.conf:3: KSM_NPAGES_MAX=lots: expected a whole number of pages/);
    assert.match(errors[1] ?? '', /ksmtuned\.conf:4: KSM_ON_EXIT=explode: expected one of/);
    assert.equal(errors[2], 'the configuration is not reloaded: the running one stays in force');

    await retune(daemon);
    assert.equal(host.pace, '1 100 10');
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
  });

  it('SIGHUP with a good file after a bad one takes it', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    const daemon = await host.started();
    host.configure({ KSM_NPAGES_BOOST: 'lots' });
    await reload(daemon);
    host.configure({ KSM_NPAGES_MAX: 307 });
    await reload(daemon);
    await host.paceIs('1 307 10');
  });

  it('warnings of the configuration are told at the start and at each SIGHUP', async () => {
    const config = { KSM_NPAGES_MIN: 500, KSM_NPAGES_MAX: 400 };
    await using host = await AgentHost.create({ config });
    const daemon = await host.started();
    const told = () => warnings(daemon).filter((text) => text.includes('is above KSM_NPAGES_MAX')).length;
    assert.equal(told(), 1);
    await reload(daemon);
    assert.equal(told(), 2);
    host.configure({ KSM_NPAGE_MAX: 400 });
    await reload(daemon);
    assert.equal(told(), 2);
    await daemon.line(/ksmtuned\.conf:3: unknown key KSM_NPAGE_MAX; did you mean KSM_NPAGES_MAX\?/);
  });

  it('many SIGHUP at once do not lose a decision or the configuration', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    const daemon = await host.started();
    host.configure({ KSM_NPAGES_MAX: 333 });
    for (let sent = 0; sent < 50; sent += 1) daemon.child.kill(sent % 2 === 0 ? 'SIGHUP' : 'SIGUSR1');
    await host.paceIs('1 333 10');
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
  });
});
