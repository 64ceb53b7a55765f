import assert from 'node:assert/strict';
import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AgentHost } from '../../support/agentHost.js';
import { runCtl, runDaemon } from '../../support/daemon.js';

describe('a configuration file that not everybody may read', { concurrency: true }, () => {
  it('a configuration file that not everybody may read is in force, and GetConfiguration tells nothing of it', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const path = 'etc/ksmtuned.conf.d/10.conf';
    host.tree.write(path, 'KSM_FORBID_GUESTS=secret1\nsecret2=secret3\n');
    chmodSync(join(host.tree.root, path), 0o640);
    await host.started();
    const manager = await host.manager();
    const configuration = await manager.command('GetConfiguration');
    assert.doesNotMatch(JSON.stringify(configuration), /secret/);
    assert.match(JSON.stringify(configuration), /10\.conf:1, not shown: not everybody may read that file/);
    assert.match(JSON.stringify(configuration), /10\.conf:2: is ignored; not shown/);
  });
});

describe('STATE_DIRECTORY and --config', { concurrency: true }, () => {
  it('--config FILE without that file is an error', async () => {
    const { status, stderr } = await runDaemon(['--config', '/nonexistent/ksm.conf', '--print-config']);
    assert.deepEqual([status, stderr], [78, 'samepaged: /nonexistent/ksm.conf: there is no such file\n']);
  });

  it('STATE_DIRECTORY=a:b is two directories, of which the first is used', async () => {
    await using host = await AgentHost.create();
    host.tree.write('state/keep', '');
    host.memoryIsShort();
    await using daemon = host.start({ env: { STATE_DIRECTORY: `${host.tree.root}/state:/nonexistent` } });
    await host.paceIs('1 300 10');
    assert.ok(statSync(`${host.tree.root}/state/ledger.json`).isFile());
    assert.equal(await daemon.end(), 0);
  });
});

describe('samepagectl and a daemon that hangs', { concurrency: true }, () => {
  it('samepagectl waits ten seconds for a daemon that hangs, and says so', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const daemon = await host.started();
    daemon.child.kill('SIGSTOP');
    const { status, stderr } = await runCtl(['--bus', host.address, 'retune']);
    daemon.child.kill('SIGCONT');
    assert.equal(status, 1);
    assert.match(stderr, /did not answer Retune within 10 s: samepaged hangs, or its bus does; see systemctl status/);
  });
});
