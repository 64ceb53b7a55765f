import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AgentHost, decision, decisions, retune, warnings } from '../../support/agentHost.js';
import { startTestGuest } from '../../support/dbus/testDriver.js';

const STAT = 'ksm_rmap_items 1\nksm_merging_pages 1\nksm_process_profit 1\nksm_mergeable: perhaps\n';

describe('a file of a guest that says what nobody understands', { concurrency: true }, () => {
  it('a guest’s file that cannot be parsed costs its own figures and no decision, and is told once', async () => {
    await using host = await AgentHost.create({
      bus: { libvirt: 'test' },
      config: { KSM_EVENT_RECHECK: '', KSM_FORBID_GUESTS: 'odd' },
    });
    host.tree.addGuest(4711, 'odd', 1000);
    host.tree.write('proc/4711/ksm_stat', STAT);
    const daemon = await host.started({ libvirt: '/org/libvirt/Test' });
    await startTestGuest(await host.bus.connect(), 'odd');
    assert.match((await decision(daemon, 2)).msg, /^guest odd started: /);
    const { msg } = await daemon.line(/KSM_FORBID_GUESTS/);
    await retune(daemon);
    const why = `(${host.tree.root}/proc/4711/ksm_stat: ksm_mergeable: expected yes or no, found "perhaps")`;
    assert.match(msg, /^guest odd should not be merged \(KSM_FORBID_GUESTS\), but KSM may merge it /);
    assert.deepEqual(
      warnings(daemon).filter((text) => text !== msg),
      [`what KSM does with guest odd is not known ${why}: its profit is left out`],
    );
    assert.equal(await daemon.end(), 0);
  });

  it('a guest’s file without which memory cannot be counted fails a turn, and the next turns go on', async () => {
    await using host = await AgentHost.create();
    host.tree.addGuest(4711, 'odd', 1000);
    host.tree.remove('proc/4711/status');
    host.tree.write('proc/4711/status/no-file', '');
    const daemon = host.start();
    await daemon.line(/^no decision \(start\): \S+status: it is a directory and no regular file$/);
    host.tree.remove('proc/4711/status');
    host.tree.addGuest(4711, 'odd', 1000);
    assert.match((await retune(daemon)).msg, /^asked for by SIGUSR1: /);
    assert.equal(decisions(daemon)[0]?.['guests'], 1);
    assert.equal(await daemon.end(), 0);
  });
});
