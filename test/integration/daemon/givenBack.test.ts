import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { AgentHost, decision, reload, retune, warnings } from '../../support/agentHost.js';
import { eventually, runCtl } from '../../support/daemon.js';

/** The settings that the ledger would put back, by their names there. */
function noted(host: AgentHost): string[] {
  return (JSON.parse(readFileSync(host.ledgerFile, 'utf8')) as { changed: string[] }).changed.sort();
}

const ADVISOR = /^(advisor_|pages_to_scan|sleep_millisecs|run$)/;

function advisorFiles(host: AgentHost): Record<string, string> {
  return Object.fromEntries(Object.entries(host.ksmFiles()).filter(([name]) => ADVISOR.test(name)));
}

describe('what nobody asks for any more is given back while samepaged runs', { concurrency: true }, () => {
  it('what a policy has set is given back when another one takes over', async () => {
    await using host = await AgentHost.create({ bus: {}, config: { KSM_POLICY: 'advisor' } });
    host.memoryIsShort();
    const before = host.ksmFiles();
    const daemon = await host.started();
    assert.equal(host.tree.ksm('advisor_mode'), 'scan-time');
    assert.equal(host.tree.ksm('advisor_max_cpu'), '50');

    host.memoryIsEnough();
    await runCtl(['--bus', host.address, 'policy', 'adaptive']);
    assert.equal(host.tree.ksm('advisor_mode'), 'none');
    assert.deepEqual(
      { ...advisorFiles(host), advisor_mode: before['advisor_mode'] },
      Object.fromEntries(Object.entries(before).filter(([name]) => ADVISOR.test(name))),
    );
    await retune(daemon);
    await eventually(() => noted(host).join() === 'run');
    host.tree.setKsm('advisor_max_cpu', 44);
    await retune(daemon);
    assert.equal(await daemon.end(), 0);
    assert.equal(host.tree.ksm('advisor_max_cpu'), '44', 'it is the host’s again');
    assert.deepEqual(warnings(daemon), []);
  });

  it('what a key has set is given back when a reload finds it gone', async () => {
    await using host = await AgentHost.create({ config: { KSM_USE_ZERO_PAGES: 1, KSM_SMART_SCAN: 0 } });
    const daemon = await host.started();
    assert.deepEqual([host.tree.ksm('use_zero_pages'), host.tree.ksm('smart_scan')], ['1', '0']);
    host.configure({ KSM_SMART_SCAN: 0 });
    await reload(daemon);
    assert.match((await decision(daemon, 2)).msg, / \[use_zero_pages 1 -> 0\]$/);
    assert.deepEqual([host.tree.ksm('use_zero_pages'), host.tree.ksm('smart_scan')], ['0', '0']);
  });

  it('what a samepaged that crashed has set is given back by the next', async () => {
    await using host = await AgentHost.create({ config: { KSM_SMART_SCAN: 0 } });
    await using first = await host.started();
    assert.equal(host.tree.ksm('smart_scan'), '0');
    await first.end('SIGKILL');
    host.configure({});
    await host.started();
    assert.equal(host.tree.ksm('smart_scan'), '1');
  });

  it('in a dry run, giving back is only told', async () => {
    await using host = await AgentHost.create({ config: { KSM_USE_ZERO_PAGES: 1 } });
    const before = host.ksmFiles();
    const daemon = await host.started({ args: ['--dry-run'] });
    host.configure({});
    await reload(daemon);
    assert.match((await decision(daemon, 2)).msg, / \[would set use_zero_pages 1 -> 0\]$/);
    assert.equal((await retune(daemon))['changes'], undefined);
    assert.deepEqual(host.ksmFiles(), before);
  });
});
