import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AgentHost, retune, warnings } from '../../support/agentHost.js';
import { freePort, httpGet, valueIn } from '../../support/metrics.js';

const ARGS = ['--stand-by', '--watch-config'];

async function servingHost(): Promise<AgentHost & { port: number }> {
  const port = await freePort();
  const host = await AgentHost.create({ config: { KSM_METRICS_LISTEN: `127.0.0.1:${port}` } });
  host.memoryIsShort();
  return Object.assign(host, { port });
}

describe('--stand-by', { concurrency: true }, () => {
  it('samepaged --stand-by waits beside ksmtuned, says why on /ready, and ends at SIGTERM without a change', async () => {
    await using host = await servingHost();
    const { port } = host;
    const before = host.ksmFiles();
    host.tree.addProcess({ pid: 77, argv: ['/bin/bash', '/usr/sbin/ksmtuned'], residentKb: 1 });
    const daemon = host.start({ args: ARGS });
    await daemon.line(/metrics are served/);
    const why = 'ksmtuned (pid 77) tunes KSM on this host';
    assert.equal((await daemon.line(/stands by/)).msg.startsWith(`${why}: samepaged stands by`), true);
    assert.deepEqual(await httpGet({ port }, '/ready'), {
      status: 503,
      type: 'text/plain; charset=utf-8',
      body: `${why}\n`,
    });
    assert.equal((await httpGet({ port }, '/live')).status, 200);
    const { body } = await httpGet({ port });
    assert.equal(valueIn(body, 'samepaged_standing_by'), 1);
    assert.equal(await daemon.end(), 0);
    assert.deepEqual(host.ksmFiles(), before);
  });

  it('samepaged --stand-by gives KSM up to a virt-handler that sets it, whose values stay', async () => {
    await using host = await servingHost();
    const { port } = host;
    host.tree.addProcess({ pid: 88, argv: ['/usr/bin/virt-handler'], residentKb: 1 });
    const daemon = await host.started({ args: ARGS });
    await host.paceIs('1 300 10');
    await daemon.line(/metrics are served/);
    assert.equal((await httpGet({ port }, '/ready')).status, 200);
    assert.equal(valueIn((await httpGet({ port })).body, 'samepaged_standing_by'), 0);
    host.tree.setKsm('pages_to_scan', 164);
    host.tree.setKsm('sleep_millisecs', 100);
    await retune(daemon);
    await daemon.line(/virt-handler \(pid 88\) tunes KSM on this host: samepaged stands by, changes nothing/);
    assert.equal(host.pace, '0 164 100');
    const unready = await httpGet({ port }, '/ready');
    assert.deepEqual([unready.status, unready.body], [503, 'virt-handler (pid 88) tunes KSM on this host\n']);
    assert.ok(warnings(daemon).some((text) => text.includes('pages_to_scan is 164 but samepaged had set it to 300')));
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 164 100');
  });
});

describe('--watch-config', { concurrency: true }, () => {
  it('samepaged --watch-config takes a changed drop-in without a signal, and says when it cannot', async () => {
    await using host = await servingHost();
    const { port } = host;
    const daemon = await host.started({ args: ARGS });
    await daemon.line(/metrics are served/);
    const [dropIn, valid] = ['etc/ksmtuned.conf.d/50-site.conf', 'samepaged_configuration_valid'];
    host.tree.write(dropIn, 'KSM_SLEEP_MSEC=25\n');
    await daemon.line(/configuration reloaded/);
    await host.paceIs('1 600 25');
    host.tree.write(dropIn, 'KSM_SLEEP_MSEC=many\n');
    await daemon.line(/the running one stays in force/);
    assert.equal(valueIn((await httpGet({ port })).body, valid), 0);
    host.tree.write(dropIn, 'KSM_SLEEP_MSEC=30\n');
    await host.paceIs('1 900 30');
    assert.equal(await daemon.end(), 0);
  });
});
