import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { run } from '../../../../src/ctl/doctor/run.js';
import type { VerbInput } from '../../../../src/ctl/verb.js';

interface PlainFinding {
  readonly id: string;
  readonly level: 'problem' | 'note' | 'unknown' | 'ok';
  readonly found: string;
  readonly why: string;
  readonly mend: string | null;
}

/** Nobody answers on that bus, on no machine. */
const INPUT = {
  ...{ json: true, bus: 'unix:path=/nonexistent/samepaged', libvirt: '/org/libvirt/QEMU' },
  terminal: { columns: 80, colour: false, unicode: true, interactive: false },
} as VerbInput;

interface Expected {
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

/** What is to be found on each host of fixtures/hosts; see its README.md. */
const HOSTS: Readonly<Record<string, Expected>> = {
  'kernel-5.10': { problems: [], notes: ['daemon', 'bus'] },
  'kernel-6.1': {
    problems: ['bus'],
    notes: [
      'daemon',
      'other-tuners',
      'ksm-services',
      'guests-mergeable',
      'split-headroom',
      'sharing-limit',
      'transparent-hugepages',
    ],
  },
  'kernel-6.12': { problems: ['bus'], notes: ['daemon'] },
  numa: {
    problems: ['ksm-services', 'advisor', 'bus', 'promised-memory', 'split-headroom', 'numad'],
    notes: ['guests-mergeable', 'hugepage-pools', 'sharing-limit', 'transparent-hugepages', 'numa-merging'],
  },
  'arm64-16k': {
    problems: ['bus', 'profit'],
    notes: ['page-size', 'guests-only-costing', 'transparent-hugepages'],
  },
  'no-ksm': { problems: ['ksm-in-kernel'], notes: ['daemon', 'bus', 'libvirtd'] },
};

describe('doctor on the hosts of fixtures/hosts', () => {
  test('the test of doctor knows what to expect of every host in fixtures/hosts', () => {
    const hosts = readdirSync('fixtures/hosts').filter((name) => !name.endsWith('.md'));
    assert.deepEqual(hosts.sort(), Object.keys(HOSTS).sort());
  });

  for (const [host, { problems, notes }] of Object.entries(HOSTS)) {
    test(`doctor finds ${problems.length} problems and ${notes.length} notes on the host ${host}`, async () => {
      const { status, output } = await run({ ...INPUT, root: `fixtures/hosts/${host}` });
      const findings = JSON.parse(output) as PlainFinding[];
      const ids = (level: PlainFinding['level']) =>
        findings.filter((finding) => finding.level === level).map(({ id }) => id);
      assert.deepEqual(ids('problem'), problems);
      assert.deepEqual(ids('note'), notes);
      assert.deepEqual(ids('unknown'), ['libvirt-dbus']);
      assert.equal(status, problems.length > 0 ? 1 : 0);
      assert.equal(ids('ok').length, (host === 'no-ksm' ? 13 : 24) - problems.length - notes.length - 1);
      for (const { id, found, why, mend } of findings) {
        assert.ok(found !== '' && why.endsWith('.'), id);
        for (const line of mend?.split('\n') ?? []) assert.ok(line.length <= 76, line);
      }
    });
  }
});
