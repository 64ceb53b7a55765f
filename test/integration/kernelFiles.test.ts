import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AgentHost, ended, retune, warnings } from '../support/agentHost.js';
import { type DaemonProcess, eventually } from '../support/daemon.js';
import { ManagerClient } from '../support/managerClient.js';

/** Files as they must not be, and what is to be said of each. */
const MALFORMED: readonly { what: string; path: string; text: string; said: RegExp }[] = [
  {
    what: 'meminfo without MemTotal',
    path: 'proc/meminfo',
    text: 'MemFree: 1 kB\n',
    said: /proc\/meminfo: expected a line "MemTotal: NUMBER kB"/,
  },
  {
    what: 'meminfo with letters',
    path: 'proc/meminfo',
    text: 'MemTotal: 16777216 kB\nMemFree: lots kB\nBuffers: 0 kB\nCached: 0 kB\n',
    said: /proc\/meminfo: MemFree: expected a whole number, found "lots"/,
  },
  {
    what: 'meminfo with MemTotal 0',
    path: 'proc/meminfo',
    text: 'MemTotal: 0 kB\nMemFree: 0 kB\nBuffers: 0 kB\nCached: 0 kB\n',
    said: /proc\/meminfo: expected MemTotal above 0, found "0 kB"/,
  },
  {
    what: 'meminfo with a negative number',
    path: 'proc/meminfo',
    text: 'MemTotal: 16777216 kB\nMemFree: -5 kB\nBuffers: 0 kB\nCached: 0 kB\n',
    said: /proc\/meminfo: MemFree: expected a number of 0 or more, found "-5"/,
  },
  { what: 'an empty meminfo', path: 'proc/meminfo', text: '', said: /proc\/meminfo: expected a line "MemTotal/ },
  {
    what: 'a counter that is no number',
    path: 'sys/kernel/mm/ksm/pages_sharing',
    text: 'many\n',
    said: /ksm\/pages_sharing: expected a whole number, found "many"/,
  },
  {
    what: 'an empty run',
    path: 'sys/kernel/mm/ksm/run',
    text: '',
    said: /ksm\/run: expected a whole number, found ""/,
  },
  {
    what: 'pages_to_scan beyond every number',
    path: 'sys/kernel/mm/ksm/pages_to_scan',
    text: '99999999999999999999999999\n',
    said: /ksm\/pages_to_scan: expected a whole number, found "99999/,
  },
  {
    what: 'an advisor that nobody knows',
    path: 'sys/kernel/mm/ksm/advisor_mode',
    text: 'none [dream-time]\n',
    said: /ksm\/advisor_mode: expected none or scan-time/,
  },
];

const DISPENSABLE = {
  'proc/pressure/memory': 'none\n',
  'proc/pressure/cpu': '',
  'proc/vmstat': 'thp_split_page many\n',
  'sys/kernel/mm/transparent_hugepage/enabled': 'always',
};

/** Asks for looks until the daemon has said this. */
async function looksUntil(daemon: DaemonProcess, said: RegExp): Promise<void> {
  await eventually(
    () => {
      daemon.child.kill('SIGUSR1');
      return warnings(daemon).some((text) => said.test(text));
    },
    undefined,
    () => daemon.output,
  );
}

describe('malformed kernel files', { concurrency: 6 }, () => {
  for (const { what, path, text, said } of MALFORMED) {
    it(`${what}: one clear line, the loop goes on, and recovers when it is mended`, async () => {
      await using host = await AgentHost.create({ bus: {} });
      const daemon = await host.started();
      const manager = await ManagerClient.on(await host.bus.connect());
      const good = `${host.tree.read(path)}\n`;
      host.tree.write(path, text);
      for (let sent = 0; sent < 3; sent += 1) await assert.rejects(manager.retune());
      const told = warnings(daemon).filter((line) => said.test(line));
      assert.equal(told.length, 1, daemon.output);

      host.tree.write(path, good);
      host.memoryIsShort();
      assert.equal((await manager.retune())['Reason'], 'free-below-reserve');
      await host.paceIs('1 300 10');
      assert.equal(await daemon.end(), 0);
      assert.equal(host.pace, '0 100 20');
      assert.deepEqual(daemon.other, []);
    });
  }

  it('files without which it can do: one line each, and it decides and ends as ever', async () => {
    await using host = await AgentHost.create();
    for (const [path, text] of Object.entries(DISPENSABLE)) host.tree.write(path, text);
    host.memoryIsShort();
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    await retune(daemon);
    const told = warnings(daemon).filter((line) => line.endsWith('; going on without it'));
    assert.equal(told.length, Object.keys(DISPENSABLE).length, daemon.output);
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
  });

  it('another file that is malformed after the first is told too', async () => {
    await using host = await AgentHost.create();
    const daemon = await host.started();
    const good = `${host.tree.read('proc/meminfo')}\n`;
    host.tree.write('proc/meminfo', 'MemFree: 1 kB\n');
    await looksUntil(daemon, /MemTotal/);
    host.tree.setKsm('pages_sharing', 'many');
    host.tree.write('proc/meminfo', good);
    await looksUntil(daemon, /pages_sharing: expected a whole number/);
  });

  it('a guest whose process vanished half read is left out', async () => {
    await using host = await AgentHost.create();
    host.tree.addGuest(101, 'whole', 1000);
    for (const [pid, file] of [
      [102, 'stat'],
      [103, 'cmdline'],
      [104, 'status'],
    ] as const) {
      host.tree.addGuest(pid, `half${String(pid)}`, 1000);
      host.tree.remove(`proc/${String(pid)}/${file}`);
    }
    host.tree.write('proc/105/keep', '');
    const daemon = await host.started();
    assert.equal((await retune(daemon))['guests'], 1);
    assert.equal(await daemon.end(), 0);
  });

  it('malformed at the start: one clear line and no stack', async () => {
    await using host = await AgentHost.create();
    host.tree.setKsm('pages_sharing', 'many');
    host.memoryIsShort();
    const daemon = host.start();
    const said = 'ksm/pages_sharing: expected a whole number, found "many"';
    await eventually(() => daemon.output.includes(said) || daemon.child.exitCode !== null);
    daemon.child.kill('SIGTERM');
    await ended(daemon);
    assert.ok(daemon.output.includes(said), daemon.output);
    assert.doesNotMatch(daemon.output, /^ +at /m);
    assert.equal(host.tree.ksm('run'), '0');
  });

  it('malformed at the end: what can be given back is, and the rest is said in one line', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    host.tree.setKsm('pages_sharing', 'many');
    await daemon.end();
    assert.equal(host.pace, '0 100 20', daemon.output);
    assert.doesNotMatch(daemon.output, /^ +at /m);
  });
});
