import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GuestsReport } from '../../../src/ctl/guests/report.js';
import { guests } from '../../../src/ctl/guests/verb.js';
import type { VerbInput } from '../../../src/ctl/verb.js';
import { GuestUsers } from '../../../src/host/guestUsers.js';
import { readMemoryFigures } from '../../../src/host/meminfo.js';
import { call } from '../../support/dbus/busClient.js';
import { runCtl } from '../../support/daemon.js';
import { guestsOf, mergeabilityOf } from '../../support/guestsOf.js';
import { HostTree } from '../../support/hostTree.js';
import { inputOf } from '../../support/examples/ctlExamples.js';
import { PrivateBus } from '../../support/dbus/privateBus.js';

const QEMU = '/usr/bin/qemu-system-x86_64';

function addGuest(tree: HostTree, pid: number, name: string, { more = '', stat = '', status = '' } = {}): void {
  const argv = [QEMU, '-name', `guest=${name},debug-threads=on`, '-m', '1024', ...more.split(' ').filter(Boolean)];
  tree.addProcess({ pid, argv, residentKb: 300 * 1024 });
  if (stat !== '') tree.write(`proc/${pid}/ksm_stat`, stat);
  if (status !== '') tree.write(`proc/${pid}/status`, status);
}

const stat = (merging: number, zero: number, profit: number, mergeable: string) =>
  `ksm_rmap_items 9\nksm_zero_pages ${zero}\nksm_merging_pages ${merging}\nksm_process_profit ${profit}\n` +
  `ksm_merge_any: no\nksm_mergeable: ${mergeable}\n`;

/** What the verb prints, without a samepagectl for each. */
async function table(input: Partial<VerbInput>): Promise<readonly string[]> {
  const { status, output } = await guests.run(inputOf(input));
  assert.equal(status, 0);
  return output.split('\n');
}

describe('samepagectl guests', { concurrency: 4 }, () => {
  it('samepagectl guests from /proc shows every guest, by merged pages, with what keeps it from being merged', async () => {
    using tree = HostTree.create();
    tree.setKsm('pages_sharing', 1000);
    addGuest(tree, 11, 'idle', { stat: stat(0, 0, -4096, 'yes') });
    addGuest(tree, 12, 'web', { stat: stat(2000, 48, 8_000_000, 'yes') });
    addGuest(tree, 13, 'secret', { more: '-machine pc,mem-merge=off', stat: stat(0, 0, 0, 'no') });
    addGuest(tree, 14, 'fs', {
      more: '-machine pc,memory-backend=r -object memory-backend-memfd,id=r,size=1G',
      stat: stat(64, 0, 258048, 'yes'),
    });
    addGuest(tree, 15, 'huge', {
      stat: stat(0, 0, 0, 'yes'),
      status: 'VmRSS:\t 1000 kB\nHugetlbPages:\t 1048576 kB\n',
    });
    const { status, stdout, stderr } = await runCtl(['--root', tree.root, '--libvirt', 'none', 'guests']);
    assert.deepEqual([status, stderr], [0, '']);
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      '                          MERGED  MERGED',
      'GUEST   MEMORY  RESIDENT   PAGES  MEMORY  PROFIT  MERGEABLE',
      'web      1.0Gi     300Mi    2048   8.0Mi   7.6Mi  yes',
      'fs       1.0Gi     300Mi      64   256Ki   252Ki  no: shared',
      'huge     1.0Gi    1000Ki       0       0       0  no: hugepages',
      'idle     1.0Gi     300Mi       0       0  -4.0Ki  yes',
      'secret   1.0Gi     300Mi       0       0       0  no: nosharepages',
      '',
      'shared: KSM merges private memory only; this is shared (virtiofs, memfd)',
      'hugepages: KSM merges pages of the base size only; this is in hugetlbfs',
      'nosharepages: merging is forbidden; samepagectl guests allow -- NAME allows it',
      "MERGED MEMORY is what a guest's merged pages amount to, not what it alone frees:",
      'of equal pages one copy stays. PROFIT is that less what KSM keeps in memory for',
      'the guest. In all KSM saves 3.9 MiB here.',
    ]);
  });

  it('samepagectl guests --json has the same figures in bytes, and leaves out what nobody tells', async () => {
    using tree = HostTree.create();
    tree.setKsm('pages_sharing', 1000);
    addGuest(tree, 12, 'web', { stat: stat(2000, 48, 8_000_000, 'yes') });
    addGuest(tree, 13, 'old', { more: '-overcommit mem-lock=on' });
    tree.write('proc/13/ksm_merging_pages', '7\n');
    const { stdout } = await runCtl(['--json', '--root', tree.root, 'guests']);
    const common = { configuredBytes: 1024 ** 3, residentBytes: 300 * 1024 ** 2 };
    assert.deepEqual(JSON.parse(stdout), {
      source: 'proc',
      guests: [
        {
          id: '12.1000',
          name: 'web',
          pid: 12,
          manager: 'libvirt',
          ...common,
          mergeability: { mergeable: true, obstacles: [], locked: false },
          mergedPages: 2048,
          mergedBytes: 2048 * 4096,
          profitBytes: 8_000_000,
        },
        {
          id: '13.1000',
          name: 'old',
          pid: 13,
          manager: 'libvirt',
          ...common,
          mergeability: { mergeable: true, obstacles: [], locked: true },
          mergedPages: 7,
          mergedBytes: 7 * 4096,
        },
      ],
      hostSavedBytes: 1000 * 4096,
      notes: [],
    });
  });

  it('samepagectl guests on a kernel that does not tell, and one without KSM, says so', async () => {
    using tree = HostTree.create();
    addGuest(tree, 12, 'web');
    const row = 'web     1.0Gi     300Mi       -       -       -  yes';
    const old = await table({ root: tree.root });
    assert.deepEqual(old.slice(2), [
      row,
      '',
      'this kernel does not show what is merged of a process; Linux 5.19 and newer do',
    ]);
    // What the kernel tells of another it can tell: that process is ending.
    addGuest(tree, 13, 'told', { stat: stat(1, 0, 0, 'yes') });
    assert.doesNotMatch((await table({ root: tree.root })).join(' '), /this kernel/);
    tree.remove('proc/13');
    tree.remove('sys/kernel/mm/ksm');
    assert.deepEqual((await table({ root: tree.root })).slice(2), [row, '', 'this kernel has no KSM']);
  });

  it('samepagectl guests where libvirt cannot be reached takes /proc alone, and says so', async () => {
    await using bus = await PrivateBus.start();
    using tree = HostTree.create();
    addGuest(tree, 12, 'web', { stat: stat(1, 0, 0, 'yes') });
    tree.remove('run/libvirt');
    assert.doesNotMatch((await table({ root: tree.root, bus: bus.address })).join(' '), /libvirt/);
    tree.write('run/libvirt/virtqemud-sock', '');
    const lines = await table({ root: tree.root, bus: bus.address });
    assert.ok(lines[2]?.startsWith('web '));
    assert.match(lines.join(' '), /guests are read from \/proc only: libvirt-dbus is not on the bus: install/);
    const gone = await table({ root: tree.root, bus: 'unix:path=/nonexistent' });
    assert.match(gone.join(' '), /guests are read from \/proc only: no D-Bus at unix:path=\/nonexistent: /);
  });

  it("samepagectl guests judges a guest whose process is not seen by libvirt's definition", async () => {
    await using bus = await PrivateBus.start({ libvirt: 'test' });
    using tree = HostTree.create();
    addGuest(tree, 12, 'test', { stat: stat(10, 0, 1, 'yes') });
    addGuest(tree, 13, 'byhand', { stat: stat(20, 0, 1, 'yes') });
    const xml = `<domain type='test'><name>far</name><memory unit='MiB'>64</memory><os><type>hvm</type></os>
      <memoryBacking><nosharepages/></memoryBacking></domain>`;
    const connect = { destination: 'org.libvirt', path: '/org/libvirt/Test', interface: 'org.libvirt.Connect' };
    await call(await bus.connect(), { ...connect, member: 'DomainCreateXML', signature: 'su', body: [xml, 0] });

    const lines = await table({ root: tree.root, bus: bus.address, libvirt: '/org/libvirt/Test' });
    assert.deepEqual(
      lines.slice(2, 5).map((line) => line.split(/ {2,}/)),
      [
        ['byhand', '1.0Gi', '300Mi', '20', '80Ki', '1', 'yes'],
        ['test', '1.0Gi', '300Mi', '10', '40Ki', '1', 'yes'],
        ['far', '-', '-', '-', '-', '-', 'no: nosharepages'],
      ],
    );
    assert.ok(lines.includes('a guest without figures has no QEMU process that can be seen from here'));
    const words = ['--root', tree.root, '--bus', bus.address, '--libvirt', '/org/libvirt/Test'];
    const { stdout } = await runCtl(['--json', ...words, 'guests']);
    assert.equal((JSON.parse(stdout) as GuestsReport).source, 'libvirt');
  });

  it('samepagectl guests without guests says so', async () => {
    using tree = HostTree.create();
    assert.deepEqual(await table({ root: tree.root }), ['no guest is running']);
  });

  it('samepagectl guests --root without the files ends with 64', async () => {
    const { status, stderr } = await runCtl(['--root', '/nonexistent', 'guests']);
    assert.equal(status, 64);
    assert.match(stderr, /^samepagectl: --root \/nonexistent has no proc and no sys: /);
  });
});

describe('guests of other users', { concurrency: true }, () => {
  const PASSWD = 'root:x:0:0::/:/bin/sh\nlibvirt-qemu:x:64055:108::/:/bin/false\nmallory:x:1000:1000::/:/bin/sh\n';
  const status = (user: number) => `Name:\tqemu\nUid:\t${user}\t${user}\t${user}\t${user}\nVmRSS:\t 307200 kB\n`;

  it('guests of other users are shown by samepagectl guests, which says why they do not count', async () => {
    using tree = HostTree.create();
    tree.write('etc/passwd', PASSWD);
    addGuest(tree, 11, 'web', { status: status(64_055) });
    addGuest(tree, 12, 'mine', { status: status(1000) });
    addGuest(tree, 13, 'other', { status: status(1001) });
    const lines = (await table({ root: tree.root, libvirt: 'none' })).join('\n');
    assert.match(lines, /^web .*\n(.*\n)*/m);
    assert.match(lines, /^mine /m);
    const text = lines.replaceAll(/\s+/g, ' ');
    assert.match(text, /mine does not count for decisions: it runs as mallory, who is not in KSM_GUEST_USERS/);
    assert.match(text, /other does not count for decisions: it runs as 1001, who is not in KSM_GUEST_USERS/);
    assert.doesNotMatch(text, /web does not count/);
  });

  it('guests of other users count for no decision, unless KSM_GUEST_USERS has them by name or number', async () => {
    using tree = HostTree.create();
    tree.write('etc/passwd', PASSWD);
    addGuest(tree, 10, 'root', { status: status(0) });
    addGuest(tree, 11, 'web', { status: status(64_055) });
    addGuest(tree, 12, 'mine', { status: status(1000) });
    addGuest(tree, 13, 'other', { status: status(1001) });
    let wanted = 'libvirt-qemu';
    const counted = guestsOf(tree.root, new GuestUsers(tree.root, () => wanted));
    const names = async () => (await counted.list()).guests.map(({ name }) => name).sort();
    assert.deepEqual(await names(), ['root', 'web']);
    assert.deepEqual([...(await counted.kernelGuests()).guests.keys()].sort(), ['10.1000', '11.1000']);
    wanted = 'libvirt-qemu, mallory, 1001';
    assert.deepEqual(await names(), ['mine', 'other', 'root', 'web']);
  });

  it('guests of other users are not taken for the guest whose name they have', async () => {
    using tree = HostTree.create();
    tree.write('etc/passwd', PASSWD);
    addGuest(tree, 11, 'vault', { more: '-machine pc,mem-merge=off', status: status(64_055) });
    addGuest(tree, 12, 'vault', { status: status(1000) });
    const users = new GuestUsers(tree.root, () => 'libvirt-qemu');
    assert.equal((await mergeabilityOf(tree.root, 'vault', users))?.mergeable, false);
  });

  it('no guest is promised more than the host has', async () => {
    using tree = HostTree.create();
    tree.addProcess({ pid: 11, argv: [QEMU, '-name', 'huge', '-m', '99999999T'], residentKb: 1024 });
    const [huge] = (await guestsOf(tree.root).list()).guests;
    assert.equal(huge?.configuredBytes, readMemoryFigures(tree.root).memTotalBytes);
  });
});

describe('mergeability', () => {
  it('mergeability is told by the kernel, by the command line where the kernel says nothing', async () => {
    using tree = HostTree.create();
    addGuest(tree, 11, 'told', { more: '-machine pc,mem-merge=off', stat: stat(0, 0, 0, 'yes') });
    addGuest(tree, 12, 'untold', { more: '-machine pc,mem-merge=off' });
    tree.addProcess({
      pid: 13,
      argv: [QEMU, '-name', 'guest=renamed,process=qemu:renamed'],
      residentKb: 1,
      comm: 'qemu:renamed',
    });
    tree.addProcess({ pid: 14, argv: ['/usr/bin/qemu-img', '-name', 'told'], residentKb: 1, comm: 'qemu-img' });
    assert.equal((await mergeabilityOf(tree.root, 'told'))?.mergeable, true);
    assert.deepEqual((await mergeabilityOf(tree.root, 'untold'))?.obstacles, ['nosharepages']);
    assert.equal((await mergeabilityOf(tree.root, 'renamed'))?.mergeable, true);
    assert.equal(await mergeabilityOf(tree.root, 'nobody'), undefined);
  });
});
