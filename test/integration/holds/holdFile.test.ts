import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, it } from 'node:test';
import { AgentHost, decisions, warnings } from '../../support/agentHost.js';
import { runCtl } from '../../support/daemon.js';
import { ManagerClient } from '../../support/dbus/managerClient.js';

async function shortHost(bus?: object): Promise<AgentHost> {
  const host = await AgentHost.create(bus === undefined ? {} : { bus });
  host.memoryIsShort();
  return host;
}

const HOLD_FILE = 'var/lib/samepaged/hold.json';

describe('a hold over a restart', { concurrency: true }, () => {
  const commands: readonly { readonly call: Parameters<ManagerClient['command']>; kind: string; run: string }[] = [
    { call: ['Stop'], kind: 'stopped', run: '0' },
    { call: ['Pause', 't', [0n]], kind: 'paused', run: '0' },
    { call: ['Pause', 't', [7200n]], kind: 'paused', run: '0' },
    { call: ['Unmerge', 'b', [false]], kind: 'unmerged', run: '2' },
  ];
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`each hold lasts through ${signal}, until resume`, async () => {
      await using host = await shortHost({});
      const before = host.ksmFiles();
      const manager = async () => host.manager();
      let daemon = await host.started();
      for (const { call, kind, run } of commands) {
        await (await manager()).command(...call);
        const { Hold, HoldUntilUSec } = await (await manager()).properties();
        assert.equal(Hold, kind);
        await daemon.end(signal);

        daemon = await host.started();
        assert.equal(decisions(daemon)[0]?.['reason'], kind);
        assert.equal(host.tree.ksm('run'), run);
        const after = await (await manager()).properties();
        assert.deepEqual([after['Hold'], after['HoldUntilUSec']], [kind, HoldUntilUSec]);
        await (await manager()).command('Resume');
        assert.equal(host.tree.ksm('run'), '1');
        assert.equal(existsSync(host.holdFile), false);
      }
      assert.equal(await daemon.end(), 0);
      assert.deepEqual(host.ksmFiles(), before);

      const last = await host.started();
      assert.equal(decisions(last)[0]?.['reason'], 'free-below-reserve', 'resumed is resumed');
    });
  }

  it('a pause that ended meanwhile is over', async () => {
    await using host = await shortHost({});
    host.tree.write(HOLD_FILE, `{"kind":"paused","untilMillis":${String(Date.now() - 1)}}\n`);
    const daemon = await host.started();
    assert.equal(decisions(daemon)[0]?.['reason'], 'free-below-reserve');
    const { Hold, HoldUntilUSec } = await (await host.manager()).properties();
    assert.deepEqual([Hold, HoldUntilUSec], ['', 0n]);
    assert.deepEqual(warnings(daemon), []);
  });

  it('a pause that is still on after a restart ends when it should', async () => {
    await using host = await shortHost();
    host.tree.write(HOLD_FILE, `{"kind":"paused","untilMillis":${String(Date.now() + 5000)}}\n`);
    const daemon = await host.started();
    assert.equal(decisions(daemon)[0]?.['reason'], 'paused');
    await host.paceIs('1 300 10');
  });

  it('a hold over a restart is not taken by a dry run, which leaves the file alone', async () => {
    await using host = await shortHost();
    const text = '{"kind":"unmerged"}\n';
    host.tree.write(HOLD_FILE, text);
    const daemon = await host.started({ args: ['--dry-run'] });
    assert.equal(decisions(daemon)[0]?.['reason'], 'free-below-reserve');
    assert.equal(await daemon.end(), 0);
    assert.equal(readFileSync(host.holdFile, 'utf8'), text);
  });
});

describe('a hold.json that is none of samepaged’s', { concurrency: true }, () => {
  for (const text of ['{"kind":"paus', '{"kind":"paused","untilMillis":"soon"}', '\0\0\0\0']) {
    it(`a hold.json of ${JSON.stringify(text)} is one warning and no hold`, async () => {
      await using host = await shortHost({});
      host.tree.write(HOLD_FILE, text);
      const daemon = await host.started();
      await host.paceIs('1 300 10');
      const told = warnings(daemon);
      assert.equal(told.length, 1, daemon.output);
      assert.match(told[0] ?? '', /var\/lib\/samepaged\/hold\.json cannot be read \(.+\): ignored, nothing is held$/s);
      const { Hold } = await (await host.manager()).properties();
      assert.equal(Hold, '');
      assert.equal(await daemon.end(), 0);
    });
  }
});

describe('a state directory that cannot be written', { concurrency: true }, () => {
  it('a hold is in force with a state directory that cannot be written, and a restart will forget it', async () => {
    await using host = await shortHost({});
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    const directory = dirname(host.holdFile);
    renameSync(directory, `${directory}.away`);
    host.tree.write('var/lib/samepaged', 'a file, no directory');
    const { status, stdout } = await runCtl(['--bus', host.address, 'stop']);
    assert.equal(status, 0);
    assert.match(stdout, /^stopped by hand/);
    assert.equal(host.pace, '0 300 10');
    const told = () => warnings(daemon).filter((text) => text.includes('hold.json'));
    assert.equal(told().length, 1, daemon.output);
    assert.match(told()[0] ?? '', /hold\.json cannot be written \(.+\): after a restart this hold is lost$/);

    assert.equal((await runCtl(['--bus', host.address, 'resume'])).status, 0);
    assert.equal(host.pace, '1 600 10');
    assert.equal(told().length, 1, 'nothing is left that a restart could forget');
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
  });
});
