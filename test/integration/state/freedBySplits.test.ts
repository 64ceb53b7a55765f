import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { AgentHost, retune, warnings } from '../../support/agentHost.js';

const MIB = 1024 ** 2;
const HUGE_PAGE_MIB = 2;
const GUESTS = { web: 701, db: 702 } as const;
const KEPT = 'var/lib/samepaged/freed.json';
const BOOT_ID = 'proc/sys/kernel/random/boot_id';

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
  const manager = await host.manager();
  return Number((await manager.properties())['FreedBytes']) / MIB;
}

/** What a pass left of the guests that guestsRun() starts: it freed 300 MiB of web and 100 of db. */
const PASSED = { web: 700, db: 900, split: 600, pass: 2 };

function guestsRun(host: AgentHost): void {
  host.memoryIsShort();
  for (const [name, pid] of Object.entries(GUESTS)) host.tree.addGuest(pid, name, 1024 * 1024);
  memoryIs(host, { web: 1000, db: 1000, split: 0, pass: 1 });
}

describe('what splits of huge pages freed, after a restart', () => {
  let host: AgentHost;
  /** The file of a samepaged that booked what the pass freed. */
  let kept = '';
  before(async () => {
    host = await AgentHost.create({ bus: {} });
    host.tree.write(BOOT_ID, 'this\n');
    guestsRun(host);
    await (await host.started()).end('SIGKILL');
    memoryIs(host, PASSED);
    const daemon = await host.started();
    assert.equal(await freedMib(host), 400);
    await daemon.end('SIGKILL');
    kept = host.tree.read(KEPT);
  });
  after(() => host[Symbol.asyncDispose]());

  /** Starts samepaged where that file is, after a change; gives what it has, in MiB, and its warnings of the file. */
  async function restarted(change: () => void = () => undefined) {
    guestsRun(host);
    memoryIs(host, PASSED);
    host.tree.write(BOOT_ID, 'this\n');
    host.tree.write(KEPT, kept);
    change();
    const daemon = await host.started();
    await retune(daemon);
    const freed = await freedMib(host);
    await daemon.end();
    return { freed, told: warnings(daemon).filter((text) => text.includes('freed.json')) };
  }

  it('what splits freed is still known after a restart by SIGKILL, and then by SIGTERM', async () => {
    assert.deepEqual(await restarted(), { freed: 400, told: [] });
    kept = host.tree.read(KEPT);
    assert.deepEqual(await restarted(), { freed: 400, told: [] });
  });

  it('what splits freed is less after a restart by what guests used again, and more by what was freed', async () => {
    const { freed } = await restarted(() => {
      memoryIs(host, { web: 850, db: 840, split: 700, pass: 3 });
    });
    assert.equal(freed, 150 + 160);
  });

  it('what splits freed is nothing of another process in place of the guest', async () => {
    const { freed } = await restarted(() => {
      const stat = host.tree.read('proc/701/stat');
      host.tree.write('proc/701/stat', `${stat.replace(' 1000 0 0', ' 5000 0 0')}\n`);
    });
    assert.equal(freed, 100);
  });

  it('what splits freed is nothing after a boot', async () => {
    const { freed } = await restarted(() => {
      host.tree.write(BOOT_ID, 'another\n');
    });
    assert.equal(freed, 0);
  });

  for (const [what, text] of Object.entries({
    'that is cut off': '{"version":1,"guests":[{"na',
    'of another shape': '{"version":1,"guests":"web"}',
    'with a size below 0': '{"version":1,"bootId":"","zeroBytes":0,"splitCreditBytes":-1,"guests":[]}',
  })) {
    it(`what splits freed begins at 0 with a file ${what}, with one line`, async () => {
      const { freed, told } = await restarted(() => {
        host.tree.write(KEPT, text);
      });
      assert.equal(freed, 0);
      assert.equal(told.length, 1, told.join('\n'));
      assert.match(
        told[0] ?? '',
        /\/freed\.json cannot be used \(.+\): what splits of huge pages freed is counted from 0$/,
      );
    });
  }

  it('a file of what splits freed that cannot be written is told once', async () => {
    await using other = await AgentHost.create({ bus: {} });
    other.tree.write('var/lib/samepaged', 'a file where the directory should be\n');
    guestsRun(other);
    const daemon = await other.started();
    await retune(daemon);
    const told = warnings(daemon).filter((line) => line.includes('freed.json'));
    assert.equal(told.length, 1, daemon.output);
    assert.match(told[0] ?? '', /freed\.json cannot be written \(\w+\): .* is counted from 0 after a restart$/);
  });
});
