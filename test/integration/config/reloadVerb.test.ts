import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { AgentHost } from '../../support/agentHost.js';
import { type CommandResult, runCtl } from '../../support/daemon.js';
import { type Dict, ManagerClient } from '../../support/dbus/managerClient.js';

async function ctl(host: AgentHost, ...words: string[]): Promise<CommandResult> {
  return runCtl(['--bus', host.address, ...words]);
}

async function shortHost(config = {}): Promise<AgentHost> {
  const host = await AgentHost.create({ bus: {}, config });
  host.memoryIsShort();
  return host;
}

describe('samepagectl reload', { concurrency: true }, () => {
  it('samepagectl reload puts a good file in force, and it is in the kernel when it returns', async () => {
    await using host = await shortHost();
    const daemon = await host.started();
    host.configure({ KSM_NPAGES_MAX: 333, KSM_NPAGE_MIN: 7 });
    const { status, stdout, stderr } = await ctl(host, 'reload');
    assert.deepEqual([status, stderr], [0, '']);
    assert.equal(host.pace, '1 333 10');
    const [first, warning, ...rest] = stdout.split('\n');
    assert.equal(first, 'The configuration is in force.');
    assert.equal(
      warning,
      `warning: ${host.configFile}:4: unknown key KSM_NPAGE_MIN; did you mean KSM_NPAGES_MIN? (ignored)`,
    );
    assert.match(rest.join('\n'), /^guests use .*\(333 pages every 10 ms\)\npages_to_scan 300 -> 333\n$/);
    await daemon.line(/^configuration reloaded$/);
    await daemon.line(/^reload: /);
  });

  it('samepagectl reload says of a bad file each error with file and line, exit 78, and the one before stays', async () => {
    await using host = await shortHost({ KSM_NPAGES_MAX: 100 });
    const daemon = await host.started();
    host.configure({ KSM_NPAGES_MAX: 'lots', KSM_ON_EXIT: 'explode' });
    const { status, stdout } = await ctl(host, 'reload');
    assert.equal(status, 78);
    const [first = '', second = '', third] = stdout.split('\n');
    assert.ok(first.startsWith(`${host.configFile}:3: KSM_NPAGES_MAX=lots: expected a whole number of pages`), first);
    assert.ok(second.startsWith(`${host.configFile}:4: KSM_ON_EXIT=explode: expected one of`), second);
    assert.equal(third, 'The configuration is not used: the previous one stays in force.');
    await daemon.line(/^the configuration is not reloaded/);
    const manager = await host.manager();
    await manager.command('Retune');
    assert.equal(host.pace, '1 100 10');

    const answer = JSON.parse((await ctl(host, 'reload', '--json')).stdout) as Record<string, unknown>;
    assert.deepEqual([answer['taken'], (answer['problems'] as string[]).length], [false, 2]);
    host.configure({});
    assert.equal((await manager.command('Reload'))['Taken'], true, 'and a good one is taken then');
  });

  it('samepagectl reload refuses a policy that this kernel cannot do, with the line that names it', async () => {
    await using host = await AgentHost.create({ host: 'kernel-5.10', bus: {} });
    await host.started();
    host.configure({ KSM_POLICY: 'advisor' });
    const { status, stdout } = await ctl(host, 'reload');
    assert.equal(status, 78);
    assert.ok(stdout.startsWith(`${host.configFile}:3: KSM_POLICY=advisor: it needs the kernel's own advisor`), stdout);
  });
});

describe('samepagectl reload of the same file', () => {
  let host: AgentHost;
  let manager: ManagerClient;

  before(async () => {
    host = await shortHost();
    await host.started();
    manager = await host.manager();
  });

  after(() => host[Symbol.asyncDispose]());

  it('many samepagectl reload of the same file at once each get an answer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? manager.command('Reload') : manager.command('Retune'))),
    );
    for (const [at, answer] of answers.entries()) {
      const retune = at % 2 === 0 ? (answer['Retune'] as Dict) : answer;
      assert.equal(retune['Reason'], 'free-below-reserve');
    }
  });

  it('samepagectl reload of the same file keeps a hold', async () => {
    await manager.command('Stop');
    const { stdout } = await ctl(host, 'reload');
    assert.match(stdout, /^The configuration is in force\.\nstopped by hand/);
    await manager.command('Resume');
  });

  it('samepagectl reload tells what failed when the look after it does', async () => {
    host.tree.write('proc/meminfo', 'MemFree: 1 kB\n');
    const { status, stdout } = await ctl(host, 'reload');
    assert.equal(status, 0, 'the configuration is taken');
    assert.match(stdout, /^The configuration is in force\.\n.*proc\/meminfo: expected a line "MemTotal/);
  });
});
