import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { EXIT } from '../../../src/errors.js';
import { AgentHost, decision, ended, reload, retune, warnings } from '../../support/agentHost.js';
import { runCtl } from '../../support/daemon.js';

const LIMIT = 'sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_none';
const SHOWN = 'transparent_hugepage/khugepaged/max_ptes_none';

/** A host whose memory is short, so that KSM merges, with the key set. */
async function merging(limit: number | string = 0, options: Parameters<typeof AgentHost.create>[0] = {}) {
  const host = await AgentHost.create({ ...options, config: { KSM_THP_MAX_PTES_NONE: limit } });
  host.memoryIsShort();
  return host;
}

describe("KSM_THP_MAX_PTES_NONE, khugepaged's max_ptes_none", { concurrency: true }, () => {
  it('max_ptes_none is set before ksmd begins to merge, and put back at the end', async () => {
    await using host = await merging(0, { bus: {} });
    const daemon = await host.started();
    assert.equal(host.tree.read(LIMIT), '0');
    assert.match((await decision(daemon, 1)).msg, new RegExp(`${SHOWN} 511 -> 0, run 0 -> 1\\]$`));
    assert.deepEqual(warnings(daemon), []);
    assert.equal(await daemon.end(), 0);
    assert.equal(host.tree.read(LIMIT), '511');
    assert.equal(existsSync(host.ledgerFile), false);
  });

  it('max_ptes_none is left alone while nothing is merged', async () => {
    await using host = await merging();
    host.memoryIsEnough();
    const daemon = await host.started();
    assert.equal(host.tree.read(LIMIT), '511');
    host.memoryIsShort();
    await retune(daemon);
    assert.equal(host.tree.read(LIMIT), '0');
    host.memoryIsEnough();
    host.tree.setKsm('pages_sharing', 1000);
    await retune(daemon);
    assert.equal(host.tree.read(LIMIT), '0', 'khugepaged would take back what is merged');
    host.tree.setKsm('pages_sharing', 0);
    await retune(daemon);
    assert.equal(host.tree.read(LIMIT), '511');
  });

  it('max_ptes_none is put back by the next samepaged after a SIGKILL', async () => {
    await using host = await merging();
    await using first = await host.started();
    await first.end('SIGKILL');
    assert.equal(host.tree.read(LIMIT), '0');
    host.configure({});
    const second = await host.started();
    await second.line(new RegExp(`before it the host had .*${SHOWN} 511`));
    assert.equal(host.tree.read(LIMIT), '511');
    assert.equal(await second.end(), 0);
    assert.equal(host.tree.read(LIMIT), '511');
  });

  it('max_ptes_none is set again under another value, and put back when a reload finds the key gone', async () => {
    await using host = await merging();
    const daemon = await host.started();
    host.configure({ KSM_THP_MAX_PTES_NONE: 64 });
    await reload(daemon);
    await decision(daemon, 2);
    assert.equal(host.tree.read(LIMIT), '64');
    host.configure({});
    await reload(daemon);
    await decision(daemon, 3);
    assert.equal(host.tree.read(LIMIT), '511');
  });

  it('max_ptes_none stays while merging is paused by hand, and is put back when everything is unmerged', async () => {
    await using host = await merging(0, { bus: {} });
    host.tree.setKsm('pages_sharing', 1000);
    await host.started();
    await runCtl(['--bus', host.address, 'pause']);
    assert.deepEqual([host.tree.ksm('run'), host.tree.read(LIMIT)], ['0', '0']);
    await runCtl(['--bus', host.address, 'unmerge']);
    assert.deepEqual([host.tree.ksm('run'), host.tree.read(LIMIT)], ['2', '511']);
    await runCtl(['--bus', host.address, 'resume']);
    assert.deepEqual([host.tree.ksm('run'), host.tree.read(LIMIT)], ['1', '0']);
  });

  it('a max_ptes_none that something else changes is reported and set again', async () => {
    await using host = await merging();
    const daemon = await host.started();
    host.tree.write(LIMIT, '511\n');
    await retune(daemon);
    assert.equal(host.tree.read(LIMIT), '0');
    await daemon.line(
      new RegExp(`^${SHOWN} is 511 but samepaged had set it to 0: something else changed it; samepaged sets it again$`),
    );
  });

  it('max_ptes_none is only told in a dry run', async () => {
    await using host = await merging();
    const daemon = await host.started({ args: ['--dry-run'] });
    assert.match((await decision(daemon, 1)).msg, new RegExp(`would set .*${SHOWN} 511 -> 0`));
    assert.equal(host.tree.read(LIMIT), '511');
  });

  it('KSM_THP_MAX_PTES_NONE on a kernel without transparent huge pages is named once', async () => {
    await using host = await merging(0, { bus: {} });
    host.tree.remove('sys/kernel/mm/transparent_hugepage');
    const daemon = await host.started();
    await retune(daemon);
    assert.deepEqual(warnings(daemon), [`this kernel has no ${SHOWN}: it is left out`]);
    assert.equal(host.tree.ksm('run'), '1');
  });

  for (const value of ['512', '-1', 'none']) {
    it(`KSM_THP_MAX_PTES_NONE=${value} is refused in one line`, async () => {
      await using host = await merging(value);
      const daemon = host.start();
      assert.equal(await ended(daemon), EXIT.config);
      assert.equal(daemon.other.length, 1, daemon.output);
      assert.match(
        daemon.other[0] ?? '',
        /ksmtuned\.conf:\d+: KSM_THP_MAX_PTES_NONE=\S+: expected a whole number of pages from 0 to 511, or nothing$/,
      );
    });
  }
});
