import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { DBusError } from 'dbus-next';
import { AgentHost, decisions, reload, retune } from '../../support/agentHost.js';
import { type CommandResult, type DaemonProcess, eventually, runCtl } from '../../support/daemon.js';
import { ManagerClient } from '../../support/dbus/managerClient.js';

async function ctl(host: AgentHost, ...words: string[]): Promise<CommandResult> {
  return runCtl(['--bus', host.address, ...words]);
}

async function client(host: AgentHost): Promise<ManagerClient> {
  return host.manager();
}

async function held(manager: ManagerClient): Promise<{ Hold: unknown; HoldUntilUSec: unknown }> {
  const { Hold, HoldUntilUSec } = await manager.properties();
  return { Hold, HoldUntilUSec };
}

const FREE = { Hold: '', HoldUntilUSec: 0n };

/** A host that merges, with a page count of 300. */
async function mergingHost(): Promise<AgentHost> {
  const host = await AgentHost.create({ bus: {} });
  host.memoryIsShort();
  return host;
}

describe('samepagectl stop, pause, unmerge and resume', { concurrency: true }, () => {
  const verbs = [
    { verb: 'stop', kind: 'stopped', pace: '0 300 10', sentence: 'stopped by hand, shared pages stay shared' },
    { verb: 'pause', kind: 'paused', pace: '0 300 10', sentence: 'paused by hand' },
    { verb: 'unmerge', kind: 'unmerged', pace: '2 300 10', sentence: 'everything is unmerged by hand' },
  ] as const;
  for (const { verb, kind, pace, sentence } of verbs) {
    it(`samepagectl ${verb} is in the kernel when it returns, through retunes and reloads, until resume`, async () => {
      await using host = await mergingHost();
      const daemon = await host.started();
      await host.paceIs('1 300 10');
      assert.deepEqual(await ctl(host, verb), {
        status: 0,
        stdout: `${sentence}: not merging until somebody resumes\nrun 1 -> ${pace.charAt(0)}\n`,
        stderr: '',
      });
      assert.equal(host.pace, pace);
      const manager = await client(host);
      assert.deepEqual(await held(manager), { Hold: kind, HoldUntilUSec: 0n });
      assert.match((await ctl(host, 'status')).stdout, new RegExp(`^KSM is .*\\n {2}${sentence}`));

      assert.equal((await retune(daemon))['reason'], kind);
      await reload(daemon);
      await eventually(() => decisions(daemon).find(({ msg }) => msg.startsWith(`reload: ${sentence}`)));
      assert.equal(host.pace, pace);

      const resumed = await ctl(host, 'resume');
      assert.equal(resumed.status, 0);
      assert.match(resumed.stdout, /merging, faster by 300 \(600 pages every 10 ms\)\npages_to_scan 300 -> 600, run /);
      assert.equal(host.pace, '1 600 10', 'the policy goes on from the page count that it had');
      assert.deepEqual(await held(manager), FREE);
      assert.equal(await daemon.end(), 0);
      assert.equal(host.pace, '0 100 20');
    });
  }

  it('samepagectl pause 1s ends by itself, and then nothing is held any more', async () => {
    await using host = await mergingHost();
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    const { status, stdout } = await ctl(host, 'pause', '1s');
    assert.equal(status, 0);
    assert.match(stdout, /^paused by hand: not merging for another 1 s, or until somebody resumes\nrun 1 -> 0\n$/);
    await host.paceIs('1 600 10');
    await daemon.line(/^asked for by the end of the pause: .*merging, faster by 300/);
    const manager = await client(host);
    await eventually(
      async () => (await held(manager)).Hold === '',
      () => 'the bus still shows a pause that has ended',
    );
    assert.deepEqual(await held(manager), FREE);
    await eventually(() => !existsSync(host.holdFile));
  });

  it('in a dry run a hold writes nothing, no hold.json either', async () => {
    await using host = await mergingHost();
    await host.started({ args: ['--dry-run'] });
    const before = host.ksmFiles();
    const { status, stdout } = await ctl(host, 'unmerge');
    assert.equal(status, 1);
    assert.match(
      stdout,
      /^dry run, nothing was changed\neverything is unmerged by hand: .*\nwould be set: run 1 -> 2\n$/,
    );
    assert.deepEqual(await held(await client(host)), { Hold: 'unmerged', HoldUntilUSec: 0n });
    assert.deepEqual(host.ksmFiles(), before);
    assert.equal(existsSync(host.holdFile), false);
  });
});

describe('holds of one samepaged', () => {
  let host: AgentHost;
  let daemon: DaemonProcess;
  let manager: ManagerClient;

  before(async () => {
    host = await mergingHost();
    daemon = await host.started();
    manager = await client(host);
  });

  after(async () => {
    assert.equal(await daemon.end(), 0, daemon.output.slice(-2000));
    await host[Symbol.asyncDispose]();
  });

  it('the bus tells a hold and its end as they come', async () => {
    const { Triggers, Changes } = await manager.command('Pause', 't', [3600n]);
    assert.deepEqual([Triggers, Changes], [['asked for by D-Bus Pause'], ['run 1 -> 0']]);
    await manager.command('Resume');
    const told = (name: string) => manager.changes.flatMap((change) => (name in change ? [change[name]] : []));
    await eventually(() => told('Hold').length === 2 && told('Run').length === 2);
    assert.deepEqual(
      [told('Hold'), told('Run')],
      [
        ['paused', ''],
        [0, 1],
      ],
    );
    const [until, none] = told('HoldUntilUSec');
    assert.equal(none, 0n);
    const minutes = (Number(until) / 1000 - Date.now()) / 60_000;
    assert.ok(minutes > 58 && minutes <= 60, `${String(minutes)} minutes from now`);
  });

  it('samepagectl pause 30d is one look, not one after another: no timer waits as long', async () => {
    const before = Date.now();
    const { status, stdout } = await ctl(host, 'pause', '30d');
    assert.equal(status, 0);
    assert.match(stdout, /not merging for another 30 d,/);
    const { HoldUntilUSec } = await held(manager);
    const untilMillis = Number(HoldUntilUSec) / 1000;
    assert.ok(untilMillis >= before + 30 * 86_400_000 && untilMillis <= Date.now() + 30 * 86_400_000);
    for (let asked = 0; asked < 5; asked += 1) await retune(daemon);
    const asTimer = decisions(daemon).filter(({ msg }) => msg.startsWith('timer: '));
    assert.deepEqual([asTimer, daemon.other], [[], []]);
    await manager.command('Resume');
  });

  it('of holds at once the last word counts, and every caller is answered', async () => {
    const answers = await Promise.all([
      manager.command('Stop'),
      manager.command('Pause', 't', [60n]),
      manager.command('Resume'),
      manager.command('Unmerge', 'b', [true]),
      manager.command('Pause', 't', [0n]),
      manager.command('Stop'),
    ]);
    for (const { Triggers } of answers) assert.match(String(Triggers), /asked for by D-Bus/);
    assert.equal(answers.at(-1)?.['Reason'], 'stopped');
    assert.deepEqual(await held(manager), { Hold: 'stopped', HoldUntilUSec: 0n });
    assert.equal((await retune(daemon))['reason'], 'stopped');
    assert.ok(host.pace.startsWith('0 '), host.pace);
    await manager.command('Resume');
  });

  it('a Pause of any length is answered or refused, and the agent stays', async () => {
    for (const seconds of [2n ** 31n, 2n ** 53n, 2n ** 64n - 1n]) {
      await manager.command('Pause', 't', [seconds]).catch((error: unknown) => {
        assert.ok(error instanceof DBusError, String(error));
      });
      assert.match(String((await held(manager)).Hold), /^(paused)?$/);
    }
    await manager.command('Resume');
    assert.deepEqual(await held(manager), FREE);
  });
});
