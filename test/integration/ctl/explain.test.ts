import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { AgentHost, retune } from '../../support/agentHost.js';
import { type CommandResult, type DaemonProcess, runCtl } from '../../support/daemon.js';
import { ManagerClient } from '../../support/dbus/managerClient.js';

async function ctl(host: AgentHost, ...words: string[]): Promise<CommandResult> {
  return runCtl(['--bus', host.address, ...words]);
}

describe('samepagectl explain', { concurrency: true }, () => {
  it('samepagectl explain works the decision through, and what it says would change it does', async () => {
    await using host = await AgentHost.create({ bus: {}, config: { KSM_THRES_COEF: 25 } });
    host.memoryIsEnough();
    host.tree.addGuest(101, 'web', 2_097_152);
    const daemon = await host.started();
    const { status, stdout } = await ctl(host, 'explain');
    assert.equal(status, 0);
    assert.match(stdout, /^Decision: enough-memory \(policy ksmtuned\)\n {2}guests use 2\.0 GiB \+ 4\.0 GiB reserve </);
    assert.match(stdout, /^ {2}guests +2\.0 GiB {2}resident memory of 1 guest$/m);
    assert.match(stdout, /^ {2}KSM_THRES_COEF=25 \(.*ksmtuned\.conf:3\):/m);
    assert.match(stdout, /^ {2}KSM_WHEN=needed: when to merge/m);
    const more = /guests may use (\d+\.\d) GiB more: start one more 8 GiB guest/.exec(stdout)?.[1];
    assert.ok(more, stdout);

    const kb = Math.ceil((Number(more) + 0.1) * 1024 ** 2);
    host.tree.addGuest(102, 'new', kb);
    host.tree.setMeminfo({ MemFree: 9_000_000 - kb });
    assert.equal((await retune(daemon))['reason'], 'free-below-reserve');
    assert.equal(host.tree.ksm('run'), '1');
    assert.match((await ctl(host, 'explain')).stdout, /memory is short/);
  });
});

describe('samepagectl explain where memory is short', () => {
  let host: AgentHost;
  let daemon: DaemonProcess;
  let manager: ManagerClient;

  before(async () => {
    host = await AgentHost.create({ bus: {} });
    host.memoryIsShort();
    daemon = await host.started();
    manager = await host.manager();
  });

  after(() => host[Symbol.asyncDispose]());

  it('samepagectl explain has numbers for programs', async () => {
    const answer = JSON.parse((await ctl(host, 'explain', '--json')).stdout) as Record<string, unknown>;
    assert.equal(answer['reason'], 'free-below-reserve');
    const terms = answer['terms'] as { name: string; value: number; unit: string; source: string }[];
    assert.deepEqual(
      terms.find(({ name }) => name === 'total'),
      { name: 'total', value: 16_777_216 * 1024, unit: 'bytes', source: '/proc/meminfo, less hugepage pools' },
    );
    assert.deepEqual((answer['keys'] as unknown[])[0], {
      key: 'KSM_SLEEP_MSEC',
      value: '10',
      origin: 'default',
    });
  });

  for (const policy of ['adaptive', 'advisor']) {
    it(`samepagectl explain of the policy ${policy} has its numbers too`, async () => {
      await manager.command('SetPolicy', 's', [policy]);
      const { status, stdout } = await ctl(host, 'explain');
      assert.equal(status, 0);
      assert.match(stdout, new RegExp(`^Decision: \\S+ \\(policy ${policy}\\)\n`));
      assert.match(stdout, /\nNumbers\n {2}total +16\.0 GiB {2}/);
      assert.match(stdout, /^ {2}KSM_CPU_MAX=50: /m);
      for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
    });
  }

  it('samepagectl explain of a hold says how it ends', async () => {
    await manager.command('SetPolicy', 's', ['default']);
    await manager.command('Pause', 't', [600n]);
    const { stdout } = await ctl(host, 'explain');
    await manager.command('Resume');
    assert.match(stdout, /^Decision: paused \(policy ksmtuned\)\n {2}paused by hand: .*\n\n.*\n.*samepagectl resume/);
  });

  it('the explanation is not part of what is signalled', async () => {
    host.memoryIsEnough();
    const reply = await manager.retune();
    assert.deepEqual(
      ['Terms', 'Comparisons', 'Keys'].filter((name) => name in reply),
      [],
    );
    const { Terms } = await manager.command('Explain');
    assert.equal((Terms as unknown[]).length, 4);
  });

  it('samepagectl explain of a failed look says what failed', async () => {
    host.tree.write('proc/meminfo', 'MemFree: 1 kB\n');
    daemon.child.kill('SIGUSR1');
    await daemon.line(/no decision/);
    const { status, stdout } = await ctl(host, 'explain');
    assert.equal(status, 0);
    assert.match(stdout, /^The last retune failed: nothing was decided\n {2}.*proc\/meminfo/);
  });
});
