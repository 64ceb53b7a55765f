import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DaemonProcess } from '../../support/daemon.js';
import { AgentHost, retune, warnings } from '../../support/agentHost.js';
import { ManagerClient } from '../../support/dbus/managerClient.js';

const MIB = 1024 ** 2;
const HUGE_PAGE_MIB = 2;
const GUESTS = { web: 701, db: 702 } as const;
const KEPT = 'var/lib/samepaged/freed.json';
/** Guests with this much private memory, in MiB, and so much that was split since boot. */
function memoryIs(host: AgentHost, { web, db, split, pass }: Record<'web' | 'db' | 'split' | 'pass', number>): void {
  for (const [name, mib] of Object.entries({ web, db })) {
    const kb = String(mib * 1024);
    const status = `Name:\tqemu\nVmRSS:\t${kb} kB\nRssAnon:\t${kb} kB\nVmSwap:\t0 kB\n`;
    host.tree.write(`proc/${String(GUESTS[name as 'web' | 'db'])}/status`, status);
  }
  host.tree.write('proc/vmstat', `thp_split_page ${String(split / HUGE_PAGE_MIB)}\nthp_underused_split_page 0\n`);
  host.tree.setKsm('full_scans', pass);
}

async function freedMib(host: AgentHost): Promise<number> {
  const manager = await ManagerClient.on(await host.bus.connect());
  return Number((await manager.properties())['FreedBytes']) / MIB;
}

/** Lets a pass free 300 MiB of web and 100 of db between two samepageds; gives the second, which books it. */
async function freed(host: AgentHost): Promise<DaemonProcess> {
  guestsRun(host);
  await (await host.started()).end('SIGKILL');
  memoryIs(host, { web: 700, db: 900, split: 600, pass: 2 });
  const daemon = await host.started();
  assert.equal(await freedMib(host), 400);
  return daemon;
}

function guestsRun(host: AgentHost): void {
  host.memoryIsShort();
  for (const [name, pid] of Object.entries(GUESTS)) host.tree.addGuest(pid, name, 1024 * 1024);
  memoryIs(host, { web: 1000, db: 1000, split: 0, pass: 1 });
}

describe('what splits of huge pages freed, after a restart', { concurrency: true }, () => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`by ${signal} is still known`, async () => {
      await using host = await AgentHost.create({ bus: {} });
      const daemon = await freed(host);
      await daemon.end(signal);
      const next = await host.started();
      assert.equal(await freedMib(host), 400);
      assert.deepEqual(
        warnings(next).filter((text) => text.includes('freed.json')),
        [],
      );
    });
  }

  it('is less by what guests used again meanwhile, and more by what was freed', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const daemon = await freed(host);
    await daemon.end();
    memoryIs(host, { web: 850, db: 840, split: 700, pass: 3 });
    await host.started();
    assert.equal(await freedMib(host), 150 + 160);
  });

  it('is nothing of another process in place of the guest', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const daemon = await freed(host);
    await daemon.end();
    const stat = host.tree.read('proc/701/stat');
    host.tree.write('proc/701/stat', `${stat.replace(' 1000 0 0', ' 5000 0 0')}\n`);
    await host.started();
    assert.equal(await freedMib(host), 100);
  });

  it('is nothing after a boot', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const daemon = await freed(host);
    await daemon.end();
    host.tree.write('proc/sys/kernel/random/boot_id', 'another\n');
    await host.started();
    assert.equal(await freedMib(host), 0);
  });

  for (const [what, text] of Object.entries({
    'that is cut off': '{"version":1,"guests":[{"na',
    'of another shape': '{"version":1,"guests":"web"}',
    'with a size below 0': '{"version":1,"bootId":"","zeroBytes":0,"splitCreditBytes":-1,"guests":[]}',
  })) {
    it(`with a file ${what} begins at 0, with one line`, async () => {
      await using host = await AgentHost.create({ bus: {} });
      const daemon = await freed(host);
      await daemon.end();
      host.tree.write(KEPT, text);
      const next = await host.started();
      await retune(next);
      assert.equal(await freedMib(host), 0);
      const told = warnings(next).filter((line) => line.includes('freed.json'));
      assert.equal(told.length, 1, next.output);
      assert.match(
        told[0] ?? '',
        /\/freed\.json cannot be used \(.+\): what splits of huge pages freed is counted from 0$/,
      );
    });
  }

  it('a file that cannot be written is told once', async () => {
    await using host = await AgentHost.create({ bus: {} });
    host.tree.write('var/lib/samepaged', 'a file where the directory should be\n');
    guestsRun(host);
    const daemon = await host.started();
    await retune(daemon);
    const told = warnings(daemon).filter((line) => line.includes('freed.json'));
    assert.equal(told.length, 1, daemon.output);
    assert.match(told[0] ?? '', /freed\.json cannot be written \(\w+\): .* is counted from 0 after a restart$/);
  });
});
