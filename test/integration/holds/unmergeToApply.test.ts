import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { AgentHost, type Settings, reload, retune, warnings } from '../../support/agentHost.js';
import { type DaemonProcess, eventually, runCtl } from '../../support/daemon.js';
import { LibvirtStandIn } from '../../support/dbus/libvirtStandIn.js';

const BOTH = { KSM_MERGE_ACROSS_NODES: 0, KSM_MAX_PAGE_SHARING: 512 };

/** A host that shares pages, whose kernel would answer EBUSY to both. */
async function sharingHost(config: Settings, bus?: object): Promise<AgentHost> {
  const host = await AgentHost.create(bus === undefined ? { config } : { config, bus });
  host.memoryIsShort();
  host.tree.setKsm('pages_shared', 1000);
  host.tree.setKsm('pages_sharing', 100_000);
  return host;
}

function both(host: AgentHost): string {
  return `${host.tree.ksm('merge_across_nodes')} ${host.tree.ksm('max_page_sharing')}`;
}

function toldOf(daemon: DaemonProcess): string[] {
  return warnings(daemon).filter((text) => /merge_across_nodes|max_page_sharing/.test(text));
}

describe('what the kernel takes only while nothing is shared', { concurrency: true }, () => {
  it('a setting that waits for nothing shared is told once with what must happen, and set when it is so', async () => {
    await using host = await sharingHost(BOTH);
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    await retune(daemon);
    await reload(daemon);
    await daemon.line(/^reload: /);
    assert.equal(both(host), '1 256');
    const told = toldOf(daemon);
    assert.equal(told.length, 2, daemon.output);
    assert.match(
      told[0] ?? '',
      /^merge_across_nodes stays 1 and is not set to 0: .* while nothing is shared; samepagectl unmerge, then resume/,
    );
    assert.match(told[1] ?? '', /^max_page_sharing stays 256 and is not set to 512: .*KSM_UNMERGE_TO_APPLY is not set/);

    host.tree.setKsm('pages_shared', 0);
    await retune(daemon);
    assert.equal(both(host), '0 512');
    assert.equal(toldOf(daemon).length, 2);
    assert.equal(await daemon.end(), 0);
    assert.equal(both(host), '1 256');
    assert.equal(existsSync(host.ledgerFile), false);
  });

  it('a setting that waits for nothing shared is set by samepagectl unmerge', async () => {
    await using host = await sharingHost(BOTH, {});
    await host.started();
    const { status, stdout } = await runCtl(['--bus', host.address, 'unmerge']);
    assert.equal(status, 0);
    assert.match(stdout, /\nrun 1 -> 2, merge_across_nodes 1 -> 0, max_page_sharing 256 -> 512\n$/);
    assert.equal(`${host.tree.ksm('run')} ${both(host)}`, '2 0 512');
  });

  it('a setting that waits is not in the way of what is as it should be already', async () => {
    await using host = await sharingHost({ KSM_MERGE_ACROSS_NODES: 1, KSM_MAX_PAGE_SHARING: 256 }, {});
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    assert.deepEqual(warnings(daemon), []);
  });

  it('a setting that cannot be restored at the end is reported, and the ledger keeps it for the next samepaged', async () => {
    await using host = await AgentHost.create({ config: { KSM_MERGE_ACROSS_NODES: 0 } });
    host.memoryIsShort();
    const before = host.ksmFiles();
    const first = await host.started();
    host.tree.setKsm('pages_shared', 1000);
    assert.equal(await first.end(), 0);
    assert.equal(both(host), '0 256');
    assert.equal(host.pace, '0 100 20');
    assert.match(toldOf(first)[0] ?? '', /^merge_across_nodes stays 0 and is not set to 1: /);
    assert.equal(existsSync(host.ledgerFile), true);

    host.tree.setKsm('pages_shared', 0);
    const second = await host.started();
    assert.equal(await second.end(), 0);
    assert.deepEqual(host.ksmFiles(), before);
    assert.equal(existsSync(host.ledgerFile), false);
  });
});

describe('KSM_UNMERGE_TO_APPLY=1', { concurrency: true }, () => {
  const config = { ...BOTH, KSM_UNMERGE_TO_APPLY: 1 };

  it('KSM_UNMERGE_TO_APPLY=1 sets a waiting setting at the start, and gives it back at the end', async () => {
    await using host = await sharingHost(config, {});
    const before = host.ksmFiles();
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    assert.equal(both(host), '0 512');
    assert.deepEqual(warnings(daemon), []);
    assert.equal(await daemon.end(), 0);
    assert.deepEqual(host.ksmFiles(), before);
    assert.equal(existsSync(host.ledgerFile), false);
  });

  it('KSM_UNMERGE_TO_APPLY=1 unmerges (run=2) before it asks libvirt, and merges again after', async () => {
    await using host = await sharingHost({ ...config, KSM_EVENT_RECHECK: '' }, {});
    using standIn = await LibvirtStandIn.start(host.address, host.tree);
    standIn.behaviour.NodeSetMemoryParameters = 1000;
    const daemon = host.start({ libvirt: '/org/libvirt/Test' });
    await eventually(() => standIn.calls.includes('NodeSetMemoryParameters'));
    assert.equal(`${host.tree.ksm('run')} ${both(host)}`, '2 1 256', 'libvirt has not answered yet');
    await host.paceIs('1 300 10');
    assert.equal(both(host), '0 512');
    assert.deepEqual(standIn.parameters, [
      { shm_merge_across_nodes: 0, shm_pages_to_scan: 300, shm_sleep_millisecs: 10 },
    ]);
    assert.equal(await daemon.end(), 0);
  });

  it('Retuned lists the setting of KSM_UNMERGE_TO_APPLY=1, and later retunes do not unmerge again', async () => {
    await using host = await sharingHost({}, {});
    const daemon = await host.started();
    const manager = await host.manager();
    host.configure(config);
    await reload(daemon);
    await eventually(() => manager.retuned.length === 1);
    const [first] = manager.retuned;
    assert.deepEqual(first?.['Triggers'], ['reload']);
    const changes = first['Changes'] as string[];
    for (const change of ['merge_across_nodes 1 -> 0', 'max_page_sharing 256 -> 512']) {
      assert.ok(changes.includes(change), changes.join(', '));
    }
    assert.deepEqual(first['Problems'], []);
    assert.deepEqual((await manager.retune())['Changes'], ['pages_to_scan 600 -> 900']);
    assert.equal(host.tree.ksm('run'), '1');
  });

  it('KSM_UNMERGE_TO_APPLY=1 with ksmd stopped leaves it stopped', async () => {
    await using host = await sharingHost(config);
    host.memoryIsEnough();
    const daemon = await host.started();
    assert.equal(`${host.tree.ksm('run')} ${both(host)}`, '0 0 512');
    assert.equal(await daemon.end(), 0);
  });

  it('KSM_UNMERGE_TO_APPLY=1 waits while it may not fit into memory: that is told with the figures', async () => {
    await using host = await sharingHost(config);
    host.tree.setMeminfo({ MemAvailable: 100_000 });
    host.tree.setKsm('pages_sharing', 1_000_000);
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    await retune(daemon);
    assert.equal(both(host), '1 256');
    const told = toldOf(daemon);
    assert.equal(told.length, 2, daemon.output);
    const figures = 'unmerging needs 3.8 GiB; 97.7 MiB are available, of which a tenth must stay free';
    for (const text of told) assert.ok(text.includes(figures), text);

    host.tree.setMeminfo({ MemAvailable: 8_000_000 });
    await retune(daemon);
    assert.equal(both(host), '0 512');
    await host.paceIs('1 900 10');
    assert.equal(toldOf(daemon).length, 2);
  });

  it('KSM_UNMERGE_TO_APPLY=1 in a dry run is only told', async () => {
    await using host = await sharingHost(config);
    const before = host.ksmFiles();
    const daemon = await host.started({ args: ['--dry-run'] });
    await daemon.line(
      /\[would set run 0 -> 2, merge_across_nodes 1 -> 0, max_page_sharing 256 -> 512, .*run 2 -> 1\]$/,
    );
    assert.deepEqual(host.ksmFiles(), before);
  });
});
