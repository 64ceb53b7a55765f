import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { AgentHost, decision, reload, retune, warnings } from '../../support/agentHost.js';

/** Files of host settings as they are now. */
function settings(host: AgentHost, ...files: string[]): string {
  return files.map((file) => host.tree.ksm(file)).join(' ');
}

describe('host settings', { concurrency: true }, () => {
  const files = ['merge_across_nodes', 'use_zero_pages', 'smart_scan', 'max_page_sharing'] as const;
  const config = {
    KSM_MERGE_ACROSS_NODES: 0,
    KSM_USE_ZERO_PAGES: 1,
    KSM_SMART_SCAN: 0,
    KSM_MAX_PAGE_SHARING: 512,
    KSM_STABLE_NODE_CHAINS_PRUNE_MILLISECS: 3000,
  };

  it('host settings are applied at the start, whether ksmd merges or not, and given back at the end', async () => {
    await using host = await AgentHost.create({ config, bus: {} });
    const before = host.ksmFiles();
    const daemon = await host.started();
    assert.deepEqual(host.ksmFiles(), {
      ...before,
      merge_across_nodes: '0\n',
      use_zero_pages: '1\n',
      smart_scan: '0\n',
      max_page_sharing: '512\n',
      stable_node_chains_prune_millisecs: '3000\n',
    });
    assert.equal(
      (await decision(daemon, 1))['changes'],
      'merge_across_nodes 1 -> 0, max_page_sharing 256 -> 512, use_zero_pages 0 -> 1, smart_scan 1 -> 0, ' +
        'stable_node_chains_prune_millisecs 2000 -> 3000',
    );
    assert.deepEqual(warnings(daemon), []);
    assert.equal(await daemon.end(), 0);
    assert.deepEqual(host.ksmFiles(), before);
    assert.equal(existsSync(host.ledgerFile), false);
  });

  it('host settings are left alone unless they are given', async () => {
    await using host = await AgentHost.create();
    host.tree.setKsm('merge_across_nodes', 0);
    host.tree.setKsm('max_page_sharing', 1000);
    const before = host.ksmFiles();
    const daemon = await host.started();
    assert.deepEqual(host.ksmFiles(), before);
    assert.equal(await daemon.end(), 0);
    assert.deepEqual(host.ksmFiles(), before);
  });

  it('host settings are applied on reload, also while merging is stopped by hand, and given back at the end', async () => {
    await using host = await AgentHost.create();
    host.tree.write('var/lib/samepaged/hold.json', '{"kind":"stopped"}\n');
    host.memoryIsShort();
    const before = host.ksmFiles();
    const daemon = await host.started();
    assert.equal(settings(host, ...files), '1 0 1 256');
    host.configure(config);
    await reload(daemon);
    assert.match((await decision(daemon, 2)).msg, /^reload: stopped by hand.* \[merge_across_nodes 1 -> 0, /);
    assert.equal(settings(host, ...files), '0 1 0 512');
    host.configure({ ...config, KSM_MAX_PAGE_SHARING: 300 });
    await reload(daemon);
    assert.match((await decision(daemon, 3)).msg, / \[max_page_sharing 512 -> 300\]$/);
    assert.equal(await daemon.end(), 0);
    assert.deepEqual(host.ksmFiles(), before);
  });

  it('host settings that somebody else changes are reported and set again', async () => {
    await using host = await AgentHost.create({ config: { KSM_USE_ZERO_PAGES: 1 } });
    const daemon = await host.started();
    host.tree.setKsm('use_zero_pages', 0);
    await retune(daemon);
    assert.equal(host.tree.ksm('use_zero_pages'), '1');
    const { msg } = await daemon.line(/use_zero_pages is 0/);
    assert.equal(
      msg,
      'use_zero_pages is 0 but samepaged had set it to 1: something else changed it; samepaged sets it again',
    );
  });

  it('host settings are only told in a dry run', async () => {
    await using host = await AgentHost.create({ config });
    const before = host.ksmFiles();
    const daemon = await host.started({ args: ['--dry-run'] });
    assert.match((await decision(daemon, 1)).msg, / \[would set merge_across_nodes 1 -> 0, .*smart_scan 1 -> 0/);
    assert.equal((await retune(daemon))['changes'], undefined);
    assert.deepEqual(host.ksmFiles(), before);
  });

  it('the file of a host setting that this kernel lacks is named once and left, the others are set', async () => {
    await using host = await AgentHost.create({
      host: 'kernel-5.10',
      bus: {},
      config: { KSM_SMART_SCAN: 0, KSM_USE_ZERO_PAGES: 1, KSM_MAX_KERNEL_PAGES: 1000 },
    });
    const before = host.ksmFiles();
    const daemon = await host.started();
    await retune(daemon);
    host.memoryIsShort();
    await retune(daemon);
    await host.paceIs('1 300 10');
    assert.deepEqual(warnings(daemon), [
      'KSM_USE_ZERO_PAGES=1: before Linux 6.6 pages that KSM maps to the zero page are neither counted nor given back by unmerging',
      'this kernel has no smart_scan: it is left out',
      'this kernel has no max_kernel_pages: it is left out',
    ]);
    assert.equal(host.tree.ksm('use_zero_pages'), '1');
    assert.equal(await daemon.end(), 0);
    assert.deepEqual(host.ksmFiles(), before);
    assert.equal(existsSync(host.ledgerFile), false);
  });

  for (const [value, pages] of [
    ['', '2097152'],
    ['5000', '5000'],
    ['0', '0'],
  ] as const) {
    it(`max_kernel_pages of a very old kernel is ${pages} with KSM_MAX_KERNEL_PAGES="${value}"`, async () => {
      await using host = await AgentHost.create({ host: 'kernel-5.10', config: { KSM_MAX_KERNEL_PAGES: value } });
      host.tree.setKsm('max_kernel_pages', 77);
      const daemon = await host.started();
      assert.equal(host.tree.ksm('max_kernel_pages'), pages);
      assert.equal(await daemon.end(), 0);
      assert.equal(host.tree.ksm('max_kernel_pages'), '77');
    });
  }

  it('KSM_WHEN=always merges on a host with memory to spare, from the start', async () => {
    await using host = await AgentHost.create({ config: { KSM_WHEN: 'always' } });
    const daemon = await host.started();
    await host.paceIs('1 64 10');
    assert.equal((await decision(daemon, 1))['reason'], 'always');
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
  });
});
