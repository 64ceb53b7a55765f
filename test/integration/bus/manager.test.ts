import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DBusError, Variant } from 'dbus-next';
import { AgentHost, decision, decisions, retune } from '../../support/agentHost.js';
import { type DaemonProcess, eventually } from '../../support/daemon.js';
import { type Dict, ManagerClient } from '../../support/dbus/managerClient.js';
import { VERSION } from '../../support/version.js';

const PROPERTIES = {
  Version: 's',
  Policy: 's',
  ConfigFile: 's',
  ConfiguredPolicy: 's',
  Policies: 'as',
  Run: 'u',
  PagesToScan: 'u',
  SleepMillisecs: 'u',
  SavedBytes: 't',
  SharedBytes: 't',
  ZeroBytes: 't',
  FreedBytes: 't',
  BeingFreedBytes: 't',
  SharingRatio: 'd',
  KsmdCpuPercent: 'd',
  BookkeepingBytes: 't',
  ProfitBytes: 'x',
  AvailableBytes: 't',
  GuestCount: 'u',
  GuestMemoryBytes: 't',
  LibvirtConnected: 'b',
  DryRun: 'b',
  Hold: 's',
  HoldUntilUSec: 't',
  LastRetune: 'a{sv}',
  NextLookUSec: 't',
};

/** The arguments that a caller gives; every method answers with a dictionary, most with that of a retune. */
const METHODS = {
  Retune: [],
  Pause: ['t'],
  Stop: [],
  Resume: [],
  Unmerge: ['b'],
  Estimate: ['t'],
  SetPolicy: ['s'],
  Reload: [],
  Explain: [],
  GetConfiguration: [],
  GetHistory: ['t'],
  GetMetrics: [],
  ListGuests: ['s'],
};
/** What a method answers, where that is not a dictionary. */
const ANSWERS: Readonly<Record<string, string>> = { ListGuests: 'a(sa{sv})', GetMetrics: 'ay' };

const QEMU = ['/usr/bin/qemu-system-x86_64', '-m', '1024', '-name'];
const KSM_STAT = `ksm_rmap_items 40
ksm_zero_pages 300
ksm_merging_pages 700
ksm_process_profit -2000000
ksm_merge_any: no
ksm_mergeable: yes
`;

describe('org.samepaged1.Manager', { concurrency: true }, () => {
  it('ListGuests() gives the guests of the last retune in pages, by their names', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const names = Array.from({ length: 130 }, (_, at) => `guest${String(at).padStart(3, '0')}`);
    for (const [at, name] of names.entries()) host.tree.addGuest(1000 + at, name, 1000);
    await host.started();
    const manager = await host.manager();
    const pageAfter = async (after: string) => {
      const page = (await manager.command('ListGuests', 's', [after])) as unknown;
      return (page as [string, Record<string, unknown>][]).map(([name, guest]) => [name, Object.keys(guest)] as const);
    };
    const first = await pageAfter('');
    const fields = ['Id', 'ResidentBytes', 'ConfiguredBytes', 'FreedBytes', 'Manager', 'Mergeable', 'Obstacles'];
    assert.deepEqual(first[0], ['guest000', fields]);
    const all = [...first, ...(await pageAfter('guest099')), ...(await pageAfter('guest129'))];
    assert.deepEqual([first.length, all.map(([name]) => name)], [100, names]);
  });

  it("ListGuests() has a guest's merging in whole MiB, and why KSM cannot merge it", async () => {
    await using host = await AgentHost.create({ bus: {} });
    host.tree.addProcess({ pid: 101, argv: [...QEMU, 'guest=web'], residentKb: 1000 });
    host.tree.write('proc/101/ksm_stat', KSM_STAT);
    host.tree.addProcess({ pid: 102, argv: [...QEMU, 'guest=db', '-machine', 'mem-merge=off'], residentKb: 1000 });
    await host.started();
    const page = (await (await host.manager()).command('ListGuests', 's', [''])) as unknown;
    const guests = new Map(page as [string, Record<string, unknown>][]);
    const { Manager, Mergeable, Obstacles, MergedBytes, ProfitBytes } = guests.get('web') ?? {};
    assert.deepEqual([Manager, Mergeable, Obstacles], ['libvirt', true, []]);
    assert.deepEqual([MergedBytes, ProfitBytes], [3n * 1024n ** 2n, -(1024n ** 2n)]);
    assert.deepEqual([guests.get('db')?.['Mergeable'], guests.get('db')?.['Obstacles']], [false, ['nosharepages']]);
  });

  it('Retune() gives the decision that followed, and it is in the kernel when it returns', async () => {
    await using host = await AgentHost.create({ bus: {} });
    await host.started();
    host.memoryIsShort();
    host.tree.addGuest(101, 'web', 2_000_000);
    const before = Date.now();
    const reply = await (await host.manager()).retune();
    assert.equal(host.pace, '1 300 10');

    const { RealtimeUSec, ...rest } = reply;
    const millis = Number(RealtimeUSec) / 1000;
    assert.ok(millis >= before && millis <= Date.now(), `${String(millis)} is not now`);
    const KIB = 1024n;
    assert.deepEqual(rest, {
      Triggers: ['asked for by D-Bus'],
      GuestEvents: [],
      Policy: 'ksmtuned',
      Reason: 'free-below-reserve',
      Routine: false,
      Sentence:
        'guests use 1.9 GiB + 3.2 GiB reserve < 16.0 GiB, but free 2.2 GiB < 3.2 GiB: ' +
        'merging, faster by 300 (300 pages every 10 ms)',
      Changes: ['use_zero_pages 0 -> 1', 'pages_to_scan 100 -> 300', 'sleep_millisecs 20 -> 10', 'run 0 -> 1'],
      Problems: [],
      TotalBytes: 16_777_216n * KIB,
      FreeBytes: 2_290_000n * KIB,
      CommittedBytes: 2_000_000n * KIB,
      GuestCount: 1,
    });
  });

  it('properties of the Manager are what is in the tree', async () => {
    await using host = await AgentHost.create({ bus: {} });
    host.memoryIsShort();
    host.tree.addGuest(101, 'web', 2_000_000);
    host.tree.setKsm('pages_sharing', 1000);
    host.tree.setKsm('pages_shared', 300);
    host.tree.setKsm('pages_unshared', 700);
    host.tree.setKsm('ksm_zero_pages', 24);
    host.tree.setKsm('general_profit', -5_000_000);
    const before = Date.now();
    await host.started();
    const { LastRetune, NextLookUSec, ...rest } = await (await host.manager()).properties();
    const HOUR = 3_600_000;
    const nextLook = Number(NextLookUSec) / 1000;
    assert.ok(nextLook >= before + HOUR && nextLook <= Date.now() + HOUR, String(nextLook));
    const numbers = [host.tree.ksm('run'), host.tree.ksm('pages_to_scan'), host.tree.ksm('sleep_millisecs')].map(
      Number,
    );
    assert.deepEqual(rest, {
      Version: VERSION,
      Policy: 'ksmtuned',
      ConfiguredPolicy: 'ksmtuned',
      ConfigFile: host.configFile,
      Policies: ['ksmtuned', 'adaptive', 'advisor'],
      Run: numbers[0],
      PagesToScan: numbers[1],
      SleepMillisecs: numbers[2],
      SavedBytes: 1024n * 4096n,
      SharedBytes: 1000n * 4096n,
      ZeroBytes: 24n * 4096n,
      FreedBytes: 0n,
      BeingFreedBytes: 0n,
      SharingRatio: 3.33,
      KsmdCpuPercent: -1,
      BookkeepingBytes: 2000n * 64n,
      ProfitBytes: -5_000_000n,
      AvailableBytes: 10_500_000n * 1024n,
      GuestCount: 1,
      GuestMemoryBytes: 2_000_000n * 1024n,
      LibvirtConnected: false,
      DryRun: false,
      Hold: '',
      HoldUntilUSec: 0n,
    });
    assert.deepEqual((LastRetune as Dict)['Triggers'], ['start']);
  });
});

describe('org.samepaged1.Manager of one samepaged', () => {
  let host: AgentHost;
  let daemon: DaemonProcess;
  let manager: ManagerClient;
  before(async () => {
    host = await AgentHost.create({ bus: {} });
    daemon = await host.started();
    manager = await host.manager();
  });
  after(() => host[Symbol.asyncDispose]());

  it('the Manager has its methods, Retuned and the properties with their types, and nothing else', async () => {
    const xml = await manager.introspect();
    const [, body = ''] = /<interface name="org\.samepaged1\.Manager">([^]*?)<\/interface>/.exec(xml) ?? [];
    const found = [...body.matchAll(/<(method|signal|property|arg) ([^>]*?)\/?>/g)].map(
      ([, kind = '', attributes = '']) => {
        const pairs = [...attributes.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => `${key}=${value}`);
        return [kind, ...pairs.filter((pair) => pair !== 'name=undefined').sort()].join(' ');
      },
    );
    // An argument is told with the member that it belongs to.
    const members = found.reduce<string[]>(
      (all, part) => (part.startsWith('arg ') ? [...all.slice(0, -1), `${all.at(-1) ?? ''}, ${part}`] : [...all, part]),
      [],
    );
    const methods = Object.entries(METHODS).map(([name, types]) =>
      [
        `method name=${name}`,
        ...types.map((type) => `arg direction=in type=${type}`),
        `arg direction=out type=${ANSWERS[name] ?? 'a{sv}'}`,
      ].join(', '),
    );
    const properties = Object.entries(PROPERTIES).map(
      ([name, type]) => `property access=read name=${name} type=${type}`,
    );
    assert.deepEqual(members.sort(), [...methods, ...properties, 'signal name=Retuned, arg type=a{sv}'].sort());
  });

  it('properties of the Manager cannot be written', async () => {
    await assert.rejects(manager.setProperty('Run', new Variant('u', 2)), DBusError);
    assert.equal(host.pace, '0 100 20');
  });

  it('a hundred callers of Retune at once each get an answer, from few retunes', async () => {
    const replies = await Promise.all(Array.from({ length: 100 }, () => manager.retune()));
    assert.equal(replies.length, 100);
    for (const reply of replies) assert.equal(reply['Reason'], 'enough-memory');
    await decision(daemon, 2);
    assert.ok(decisions(daemon).length < 60, String(decisions(daemon).length));
  });

  it('Retune() that fails is an error with the reason, and is told', async () => {
    const good = `${host.tree.read('proc/meminfo')}\n`;
    host.tree.write('proc/meminfo', 'MemFree: 1 kB\n');
    const failed = () => manager.retuned.filter(({ Failure }) => Failure !== undefined);
    await assert.rejects(manager.retune(), (error: DBusError) => {
      assert.equal(error.type, 'org.samepaged1.Error.RetuneFailed');
      assert.match(error.text, /proc\/meminfo: expected a line "MemTotal: NUMBER kB"/);
      return true;
    });
    await eventually(() => failed().length === 1);
    assert.match(String(failed()[0]?.['Failure']), /MemTotal/);
    assert.deepEqual((await manager.properties())['LastRetune'], failed()[0]);
    host.tree.write('proc/meminfo', good);
  });

  it('SIGUSR1 retunes', async () => {
    host.memoryIsShort();
    assert.match((await retune(daemon)).msg, /^asked for by SIGUSR1: /);
    await host.paceIs('1 300 10');
  });

  it('a retune that is under way when SIGTERM comes is answered, and then the host is given back', async () => {
    const answer = manager.retune().catch((error: unknown) => error);
    assert.equal(await daemon.end(), 0);
    const reply = await answer;
    assert.ok(reply instanceof Error || (reply as Dict)['Reason'] === 'free-below-reserve');
    assert.equal(host.pace, '0 100 20');
  });
});
