import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { AgentHost, ended, retune, warnings } from '../../support/agentHost.js';
import { type DaemonProcess, eventually } from '../../support/daemon.js';
import { ManagerClient } from '../../support/dbus/managerClient.js';

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
];

const DISPENSABLE = {
  'proc/pressure/memory': 'none\n',
  'proc/vmstat': 'thp_split_page many\n',
  'sys/kernel/mm/transparent_hugepage/enabled': 'always',
};

describe('malformed kernel files, one after the other', () => {
  let host: AgentHost;
  let daemon: DaemonProcess;
  let manager: ManagerClient;
  before(async () => {
    host = await AgentHost.create({ bus: {} });
    daemon = await host.started();
    manager = await host.manager();
    host.memoryIsShort();
  });
  after(() => host[Symbol.asyncDispose]());

  for (const [index, { what, path, text, said }] of MALFORMED.entries()) {
    it(`${what} is one clear line, the loop goes on, and recovers when the file is as it should be`, async () => {
      const warned = warnings(daemon).length;
      const good = `${host.tree.read(path)}\n`;
      host.tree.write(path, text);
      for (let sent = 0; sent < 3; sent += 1) await assert.rejects(manager.retune());
      const told = warnings(daemon)
        .slice(warned)
        .filter((line) => said.test(line));
      assert.equal(told.length, 1, daemon.output);

      host.tree.write(path, good);
      assert.equal((await manager.retune())['Reason'], 'free-below-reserve');
      await host.paceIs(`1 ${Math.min(300 * (index + 1), 1250)} 10`);
    });
  }

  it('a second kernel file that is malformed after the first is told too', async () => {
    const warned = warnings(daemon).length;
    const good = `${host.tree.read('proc/meminfo')}\n`;
    host.tree.write('proc/meminfo', 'MemFree: 1 kB\n');
    await assert.rejects(manager.retune());
    host.tree.setKsm('run', 'on');
    host.tree.write('proc/meminfo', good);
    await assert.rejects(manager.retune());
    await eventually(() => warnings(daemon).slice(warned).join('\n').includes('run: expected a whole number'));
    assert.match(warnings(daemon)[warned] ?? '', /MemTotal/);
    host.tree.setKsm('run', 1);
  });

  it('after all malformed kernel files samepaged ends as ever, and gives back', async () => {
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
    assert.deepEqual(daemon.other, []);
  });
});

describe('kernel files that are malformed or gone', { concurrency: 2 }, () => {
  it('kernel files without which samepaged can do are one line each when malformed or gone', async () => {
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

  it('a kernel file malformed at the start is one clear line and no stack', async () => {
    await using host = await AgentHost.create();
    host.tree.setKsm('run', 'on');
    host.memoryIsShort();
    const daemon = host.start();
    assert.equal(await ended(daemon), 69);
    assert.match(daemon.output, /^samepaged: \S+ksm\/run: expected a whole number, found "on"$/);
    assert.equal(host.tree.ksm('run'), 'on');
  });
});

/** What a counter, or another file without which can be decided, must not say. */
const ODD: readonly { file: string; text: string; said: RegExp }[] = [
  {
    file: 'pages_sharing',
    text: 'NaN\n',
    said: /ksm\/pages_sharing: expected a whole number, found "NaN": it is left out$/,
  },
  { file: 'pages_shared', text: '', said: /ksm\/pages_shared: expected a whole number, found "": it is left out$/ },
  {
    file: 'pages_volatile',
    text: '18446744073709551615\n',
    said: /ksm\/pages_volatile: expected a whole number, found "184/,
  },
  { file: 'smart_scan', text: '18446744073709551615\n', said: /ksm\/smart_scan: expected a whole number, found "184/ },
  {
    file: 'advisor_mode',
    text: 'none [dream-time]\n',
    said: /advisor_mode: expected none or scan-time in brackets, found "none/,
  },
];

/** Puts a directory in place of a file. */
function makeDirectory(host: AgentHost, file: string): void {
  host.tree.remove(`sys/kernel/mm/ksm/${file}`);
  host.tree.write(`sys/kernel/mm/ksm/${file}/no-file`, '');
}

/** The warnings, but that there is no bus. */
function oddities(daemon: DaemonProcess): string[] {
  return warnings(daemon).filter((text) => !text.startsWith('no D-Bus'));
}

describe('odd files that are not needed for a decision', () => {
  it('odd files that are not needed for a decision are left out with one line each, and tuning goes on', async () => {
    await using host = await AgentHost.create();
    for (const { file, text } of ODD) host.tree.write(`sys/kernel/mm/ksm/${file}`, text);
    makeDirectory(host, 'pages_unshared');
    const said = [
      ...ODD.map((odd) => odd.said),
      /ksm\/pages_unshared: it is a directory and no regular file: it is left out$/,
    ];
    const daemon = await host.started();
    host.memoryIsShort();
    await retune(daemon);
    assert.equal(host.pace, '1 300 10');
    assert.equal(oddities(daemon).length, said.length, daemon.output);
    for (const line of said) assert.equal(oddities(daemon).filter((text) => line.test(text)).length, 1, String(line));
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
    for (const { file, text } of ODD) assert.equal(host.tree.ksm(file), text.trim());
  });
});

describe('odd at the end: every other setting is given back', { concurrency: 2 }, () => {
  const config = { KSM_SMART_SCAN: 0, KSM_MAX_PAGE_SHARING: 512 };
  const settings = { run: 'NaN\n', pages_to_scan: '', smart_scan: '18446744073709551615\n' };
  it(`${Object.keys(settings).join(', ')} are given back beside odd files, for what they were is known`, async () => {
    await using host = await AgentHost.create({ config });
    host.memoryIsShort();
    const before = host.ksmFiles();
    const daemon = await host.started();
    for (const [file, text] of Object.entries(settings)) host.tree.write(`sys/kernel/mm/ksm/${file}`, text);
    assert.equal(await daemon.end(), 0, daemon.output);
    assert.deepEqual(host.ksmFiles(), before);
    for (const file of Object.keys(settings)) assert.match(daemon.output, new RegExp(`${file} \\? -> \\d`));
    assert.equal(existsSync(host.ledgerFile), false);
  });

  it('an advisor mode that nobody knows is left alone, with one line', async () => {
    await using host = await AgentHost.create({ config: { KSM_POLICY: 'advisor' } });
    host.memoryIsShort();
    const before = host.ksmFiles();
    const daemon = await host.started();
    host.tree.write('sys/kernel/mm/ksm/advisor_mode', 'none scan-time [dream-time]\n');
    assert.equal(await daemon.end(), 0, daemon.output);
    assert.deepEqual(host.ksmFiles(), { ...before, advisor_mode: 'none scan-time [dream-time]\n' });
    assert.equal(oddities(daemon).length, 1, daemon.output);
    assert.match(oddities(daemon)[0] ?? '', /advisor_mode: expected none or scan-time in brackets/);
  });

  it('a directory in place of a setting at the end is one line, and the ledger keeps that setting alone', async () => {
    await using host = await AgentHost.create({ config });
    host.memoryIsShort();
    const daemon = await host.started();
    makeDirectory(host, 'smart_scan');
    assert.equal(await daemon.end(), 0, daemon.output);
    assert.equal(host.pace, '0 100 20');
    assert.equal(host.tree.ksm('max_page_sharing'), '256');
    assert.equal(oddities(daemon).length, 1, daemon.output);
    assert.match(oddities(daemon)[0] ?? '', /smart_scan cannot be set to 1: .*EISDIR/);
    assert.deepEqual((JSON.parse(readFileSync(host.ledgerFile, 'utf8')) as { changed: string[] }).changed, [
      'smartScan',
    ]);
  });

  for (const [path, text] of [
    ['sys/kernel/mm/ksm/pages_sharing', 'NaN\n'],
    ['proc/meminfo', 'MemTotal: many kB\n'],
  ] as const) {
    it(`KSM_ON_EXIT=unmerge stops ksmd instead where ${path} is not understood, and says why`, async () => {
      await using host = await AgentHost.create({ config: { KSM_ON_EXIT: 'unmerge' } });
      host.memoryIsShort();
      const daemon = await host.started();
      host.tree.write(path, text);
      assert.equal(await daemon.end(), 0);
      assert.equal(host.pace, '0 100 20', daemon.output);
      await daemon.line(/^run is set to 0 instead of 2: how much memory unmerging needs is not known \(.*found/);
    });
  }
});
