import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AgentHost, type Settings, retune, warnings } from '../../support/agentHost.js';

/** 9.5 GiB are saved, 1 GiB is available, and memory is short. */
async function fullHost(config: Settings = {}): Promise<AgentHost> {
  const host = await AgentHost.create({ bus: {}, config });
  host.memoryIsShort();
  host.tree.setMeminfo({ MemAvailable: 1024 ** 2 });
  host.tree.setKsm('pages_shared', 1000);
  host.tree.setKsm('pages_sharing', 2_500_000);
  return host;
}

const INSTEAD =
  'run is set to 0 instead of 2: unmerging needs 9.5 GiB; 1.0 GiB are available, of which a tenth must stay free';

describe('a host that would run out of memory by unmerging', { concurrency: true }, () => {
  it('a host that was found with run=2 and has no room is left stopped, with one line, until the next end', async () => {
    await using host = await fullHost();
    host.tree.setKsm('run', 2);
    const daemon = await host.started();
    assert.equal(host.tree.ksm('run'), '1');
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
    assert.deepEqual(warnings(daemon), [INSTEAD]);

    // As the unit runs it after the end.
    assert.equal((await host.giveBack()).status, 0);
    assert.equal(host.pace, '0 100 20');

    host.tree.setKsm('pages_sharing', 0);
    const next = await host.started();
    assert.equal(await next.end(), 0);
    assert.equal(host.pace, '2 100 20');
  });

  it('a host without room is stopped and not unmerged for a samepaged that was killed', async () => {
    await using host = await fullHost();
    host.tree.setKsm('run', 2);
    await (await host.started()).end('SIGKILL');
    const { status, output } = await host.giveBack();
    assert.equal(status, 0, output);
    assert.match(output, /run is set to 0 instead of 2: unmerging needs 9\.5 GiB/);
    assert.equal(host.pace, '0 100 20');
  });

  it('an old hold.json that says unmerged leaves a host without room stopped, and unmerges when it fits', async () => {
    await using host = await fullHost();
    host.tree.setKsm('run', 1);
    host.tree.write('var/lib/samepaged/hold.json', '{"kind":"unmerged"}\n');
    const daemon = await host.started();
    assert.equal(host.tree.ksm('run'), '0');
    await retune(daemon);
    assert.deepEqual(warnings(daemon), [INSTEAD]);

    host.tree.setMeminfo({ MemAvailable: 15_000_000 });
    await retune(daemon);
    assert.equal(host.tree.ksm('run'), '2');
  });

  it('a host without room that an earlier samepaged unmerged by force is stopped by the next', async () => {
    await using host = await fullHost();
    host.tree.setKsm('run', 1);
    host.tree.write('var/lib/samepaged/hold.json', '{"kind":"unmerged","isForced":true}\n');
    await host.started();
    assert.equal(host.tree.ksm('run'), '0');
  });

  it('a host whose kernel miscounts zero pages is left stopped and not unmerged', async () => {
    await using host = await fullHost({ KSM_ON_EXIT: 'unmerge', KSM_USE_ZERO_PAGES: 1 });
    host.tree.setKsm('pages_sharing', 10);
    host.tree.setKsm('ksm_zero_pages', -1);
    const daemon = await host.started();
    assert.equal(await daemon.end(), 0);
    assert.equal(host.tree.ksm('run'), '0');
    await daemon.line(
      /^run is set to 0 instead of 2: how much .* is not known \(ksm_zero_pages is -1, which this kernel/,
    );
  });
});
