import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { runCtl } from '../../support/daemon.js';
import { assertGolden } from '../../support/golden.js';
import { HostTree } from '../../support/hostTree.js';

/** Nobody answers there, on no machine. */
const NO_BUS = ['--bus', 'unix:path=/nonexistent/samepaged'];

interface PlainFinding {
  readonly id: string;
  readonly level: 'problem' | 'note' | 'unknown' | 'ok';
  readonly title: string;
  readonly found: string;
  readonly why: string;
  readonly mend: string | null;
}

async function doctor(root: string, ...options: readonly string[]) {
  const { status, stdout, stderr } = await runCtl(['doctor', '--json', '--root', root, ...NO_BUS, ...options]);
  assert.equal(stderr, '');
  const findings = JSON.parse(stdout) as PlainFinding[];
  const ids = (level: PlainFinding['level']) =>
    findings.filter((finding) => finding.level === level).map(({ id }) => id);
  return { status, findings, problems: ids('problem'), unknown: ids('unknown') };
}

describe('samepagectl doctor', { concurrency: true }, () => {
  for (const host of ['numa', 'kernel-6.12']) {
    it(`samepagectl doctor of ${host} is as a person reads it, on 80 columns and without colour`, async () => {
      const { stdout, stderr } = await runCtl(['doctor', '--root', `fixtures/hosts/${host}`, ...NO_BUS]);
      assert.equal(stderr, '');
      assert.ok(stdout.split('\n').every((line) => line.length <= 80));
      assertGolden(`doctor-${host}.txt`, stdout);
    });
  }

  it('samepagectl doctor --root with a bus that is not named does not ask this machine’s bus', async () => {
    const { status, stdout } = await runCtl(['doctor', '--json', '--root', 'fixtures/hosts/kernel-6.12']);
    const findings = JSON.parse(stdout) as PlainFinding[];
    const bus = findings.find(({ id }) => id === 'bus');
    assert.equal(bus?.level, 'unknown');
    assert.match(bus.found, /asked only where --bus names one$/);
    assert.equal(status, 0);
  });

  it('samepagectl doctor has a problem on a host without KSM, and checks nothing that stands on KSM', async () => {
    const { status, problems, findings } = await doctor('fixtures/hosts/no-ksm');
    assert.deepEqual([status, problems, findings.length], [1, ['ksm-in-kernel'], 13]);
  });

  it('samepagectl doctor of this machine says something of every check, and ends as its problems say', async () => {
    const { status, stdout, stderr } = await runCtl(['doctor', '--json', ...NO_BUS]);
    assert.equal(stderr, '');
    const findings = JSON.parse(stdout) as PlainFinding[];
    assert.ok(findings.length >= 12);
    assert.equal(status, findings.some(({ level }) => level === 'problem') ? 1 : 0);
  });

  it('samepagectl doctor says what is wrong in the kernel’s files, and checks the rest', async () => {
    using tree = HostTree.create('numa');
    tree.write('proc/meminfo', 'MemTotal: many kB\n');
    const { problems, unknown, findings } = await doctor(tree.root);
    assert.deepEqual(unknown, ['libvirt-dbus', 'spare-memory', 'promised-memory', 'split-headroom']);
    assert.deepEqual(problems, ['ksm-services', 'advisor', 'bus', 'numad']);
    const { found } = findings.find(({ id }) => id === 'spare-memory') ?? {};
    assert.match(found ?? '', /proc\/meminfo: MemTotal: expected a whole number, found "many"$/);
  });

  it('samepagectl doctor says nothing of policies where the history is too short', async () => {
    using tree = HostTree.create();
    const lines = readFileSync('fixtures/history/two-hours.jsonl', 'utf8').split('\n');
    tree.write('var/lib/samepaged/history.log', `${lines.slice(0, 30).join('\n')}\nnot a line\n`);
    const { findings, unknown } = await doctor(tree.root);
    assert.ok(findings.every(({ id }) => id !== 'policy'));
    assert.deepEqual(unknown, ['libvirt-dbus']);
  });

  it('samepagectl doctor has a problem with file and line for a configuration with errors', async () => {
    using tree = HostTree.create();
    tree.write('etc/ksmtuned.conf', '\nKSM_NPAGES_MAX=lots\n');
    const { problems, findings } = await doctor(tree.root);
    assert.ok(problems.includes('configuration'));
    const { found } = findings.find(({ id }) => id === 'configuration') ?? {};
    assert.match(found ?? '', /etc\/ksmtuned\.conf:2: KSM_NPAGES_MAX=lots: expected a whole number of pages/);
  });
});

describe('samepagectl doctor mistyped', () => {
  it('samepagectl doctor --root without the files is one line, exit 64', async () => {
    using tree = HostTree.create();
    tree.remove('sys');
    const { status, stdout, stderr } = await runCtl(['doctor', '--root', tree.root]);
    assert.equal(status, 64);
    assert.equal(stdout, '');
    assert.equal(stderr, `samepagectl: --root ${tree.root} has no sys: it must hold a copy of /proc and /sys\n`);
  });
});
