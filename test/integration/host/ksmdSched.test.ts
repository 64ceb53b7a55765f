import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Ksmd } from '../../../src/host/ksmd.js';
import { AgentHost, type Settings, reload, warnings } from '../../support/agentHost.js';
import { eventually } from '../../support/daemon.js';

const ADAPTIVE: Settings = { KSM_POLICY: 'adaptive', KSM_WHEN: 'always' };
/** ksmd of this machine; it is not touched. */
const isSeen = new Ksmd('').sched() !== undefined;
const REAL = {
  skip: process.getuid?.() === 0 && isSeen ? false : 'root is needed, on a machine that shows its ksmd',
};

async function hostWith(config: Settings): Promise<AgentHost> {
  const host = await AgentHost.create({ config });
  host.tree.addKsmd();
  return host;
}

/** Waits for it, as what is written is seen a little later. */
async function schedIs(host: AgentHost, expected: string): Promise<void> {
  await eventually(() => (host.tree.ksmdSched === expected ? true : undefined));
}

describe("ksmd's scheduling class", { concurrency: true }, () => {
  it("ksmd's scheduling class is noted, set before ksmd runs, and put back at the end", async () => {
    await using host = await hostWith(ADAPTIVE);
    const daemon = await host.started();
    const { msg } = await daemon.line(/^start: /);
    assert.match(msg, /\[ksmd's scheduling other 5 -> idle 5, .*run 0 -> 1\]/);
    assert.equal(host.tree.ksmdSched, 'idle 5');
    const { found } = JSON.parse(readFileSync(host.ledgerFile, 'utf8')) as { found: Record<string, unknown> };
    assert.equal(found['ksmdSched'], 'other 5');
    assert.equal(await daemon.end(), 0);
    assert.equal(host.tree.ksmdSched, 'other 5');
    assert.equal(existsSync(host.ledgerFile), false);
  });

  it("ksmd's scheduling class is put back by the next samepaged after a crash", async () => {
    await using host = await hostWith(ADAPTIVE);
    await using first = await host.started();
    await schedIs(host, 'idle 5');
    await first.end('SIGKILL');
    host.configure({ KSM_POLICY: 'ksmtuned' });
    const second = await host.started();
    await schedIs(host, 'other 5');
    assert.equal(await second.end(), 0);
    assert.equal(host.tree.ksmdSched, 'other 5');
  });

  it('KSM_KSMD_SCHED=keep gives the scheduling class back at a reload, other is set by hand', async () => {
    await using host = await hostWith(ADAPTIVE);
    const daemon = await host.started();
    await schedIs(host, 'idle 5');
    for (const [choice, expected] of [
      ['keep', 'other 5'],
      ['idle', 'idle 5'],
      ['other', 'other 5'],
    ] as const) {
      host.configure({ ...ADAPTIVE, KSM_KSMD_SCHED: choice });
      await reload(daemon);
      await schedIs(host, expected);
    }
  });

  it("the policy ksmtuned leaves ksmd's scheduling class alone, unless it is asked to set it", async () => {
    await using host = await hostWith({ KSM_WHEN: 'always' });
    const daemon = await host.started();
    await host.paceIs('1 64 10');
    assert.equal(host.tree.ksmdSched, 'other 5');
    host.configure({ KSM_WHEN: 'always', KSM_KSMD_SCHED: 'idle' });
    await reload(daemon);
    await schedIs(host, 'idle 5');
  });

  it("somebody else who changes ksmd's scheduling class is named", async () => {
    await using host = await hostWith(ADAPTIVE);
    const daemon = await host.started();
    await schedIs(host, 'idle 5');
    host.tree.addKsmd({ nice: 10 });
    await daemon.line(/ksmd's scheduling is other 10 but samepaged had set it to idle 5: something else changed it/);
    await schedIs(host, 'idle 5');
  });

  it("where ksmd's scheduling class cannot be seen, nobody hears of it", async () => {
    await using host = await AgentHost.create({ config: ADAPTIVE });
    const daemon = await host.started();
    await daemon.end();
    assert.doesNotMatch(warnings(daemon).join('\n'), /sched/);
  });

  it("without CAP_SYS_NICE it is said once that ksmd's scheduling class cannot be set", REAL, () => {
    const program = `
      const { Ksmd } = await import(${JSON.stringify(new URL('../../../src/host/ksmd.js', import.meta.url).href)});
      const ksmd = new Ksmd('');
      const before = ksmd.sched();
      const why = await ksmd.setSched(before === 'idle 5' ? 'other 5' : 'idle 5').catch(({ message }) => message);
      console.log(JSON.stringify([why, ksmd.sched() ?? 'unknown']));`;
    const words = ['--bounding-set', '-sys_nice', '--inh-caps', '-sys_nice', process.execPath];
    const { stdout, stderr } = spawnSync('setpriv', [...words, '--input-type=module', '--eval', program], {
      encoding: 'utf8',
    });
    assert.equal(stderr, '');
    const [why, after] = JSON.parse(stdout) as [string, string];
    assert.match(
      why,
      /^ksmd's scheduling cannot be set to \w+ 5: chrt: .*Operation not permitted \(CAP_SYS_NICE is needed\): it is left alone$/,
    );
    assert.equal(after, 'unknown');
  });
});
