import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KsmState } from '../../../src/core/ksm.js';
import { absent, known, unknown } from '../../../src/doctor/fact.js';
import {
  configured,
  DAEMON,
  KSM,
  MERGING,
  checkTable,
  factsOf,
  findingOf,
} from '../../support/examples/doctorFacts.js';
import { examine } from '../../../src/doctor/examine.js';
import { gatherHostFacts } from '../../../src/doctor/facts.js';
import { HostTree } from '../../support/hostTree.js';

/** What Linux 5.10 has. */
const OLD_KSM: KsmState = {
  run: 0,
  pagesToScan: 100,
  sleepMillisecs: 20,
  pagesShared: 0,
  pagesSharing: 0,
};

test('a directory of KSM without run is not taken for a kernel without KSM', async () => {
  using tree = HostTree.create();
  tree.remove('sys/kernel/mm/ksm/run');
  const { ksm } = await gatherHostFacts(tree.root);
  assert.match(
    ksm.state === 'unknown' ? ksm.reason : ksm.state,
    /ksm\/run is not there, which every kernel with KSM has/,
  );
});

test('the configuration that is judged is the one of the samepaged that runs', async () => {
  using tree = HostTree.create();
  tree.write('elsewhere.conf', 'KSM_POLICY=adaptive\n');
  const { configuration } = await gatherHostFacts(tree.root, `${tree.root}/elsewhere.conf`);
  assert.ok(configuration.state === 'known');
  const { file, values } = configuration.value;
  assert.deepEqual([file, values.KSM_POLICY], [`${tree.root}/elsewhere.conf`, 'adaptive']);
});

checkTable('ksm-in-kernel', [
  { name: 'at rest', facts: {}, level: 'ok', found: /^run=0, ksmd rests, 0 B saved$/ },
  { name: 'merging', facts: { ksm: known(MERGING) }, level: 'ok', found: /^run=1, ksmd merges, 2\.0 GiB saved$/ },
  {
    name: 'unmerged, and the page size is not known',
    facts: { ksm: known({ ...KSM, run: 2 }), pageSize: unknown('no auxv') },
    level: 'ok',
    found: /^run=2, everything was unmerged$/,
  },
  {
    name: 'a kernel without KSM',
    facts: { ksm: absent('/sys/kernel/mm/ksm is not there') },
    level: 'problem',
    found: /^\/sys\/kernel\/mm\/ksm is not there: kernel 6\.18\.0 was built without KSM$/,
    remedy: /^grep CONFIG_KSM= /,
  },
  {
    name: 'files that say something else',
    facts: { ksm: unknown('run: expected a whole number, found "x"') },
    level: 'unknown',
    found: /^run: expected a whole number/,
  },
]);

checkTable('kernel-features', [
  {
    name: 'a kernel with everything',
    facts: {},
    level: 'ok',
    found: /^6\.18\.0 has general_profit, ksm_zero_pages, smart_scan, advisor, ksm_stat for each guest$/,
  },
  {
    name: 'a kernel with files that samepaged does not know',
    facts: { unknownKsmFiles: known(['merge_faster', 'pages_dreamt']) },
    level: 'note',
    found: /each guest; samepaged does not know merge_faster, pages_dreamt of \/sys\/kernel\/mm\/ksm$/,
  },
  {
    name: 'an old kernel',
    facts: { ksm: known(OLD_KSM), kernelRelease: known('5.10.0'), perProcessFile: known('none') },
    level: 'ok',
    found:
      /^5\.10\.0 has nothing for each guest \(Linux 5\.19\); lacks general_profit \(Linux 6\.4\), .*, advisor \(Linux 6\.8\)$/,
  },
  {
    name: 'no process to look at',
    facts: { perProcessFile: unknown('no process') },
    level: 'ok',
    found: /advisor$/,
  },
  {
    name: 'policy advisor on a kernel that has it',
    facts: { configuration: configured({ KSM_POLICY: 'advisor' }) },
    level: 'ok',
    found: /advisor/,
  },
  {
    name: 'policy advisor on a kernel without',
    facts: { ksm: known(OLD_KSM), configuration: configured({ KSM_POLICY: 'advisor' }) },
    level: 'problem',
    found: /^KSM_POLICY=advisor, but 6\.18\.0 .*lacks .*advisor \(Linux 6\.8\)$/,
    remedy: /^KSM_POLICY=ksmtuned /,
  },
]);

checkTable('page-size', [
  { name: '4 KiB', facts: {}, level: 'ok', found: /^pages of 4\.0 KiB$/ },
  {
    name: '4 KiB and large batches: nothing to do with the page size',
    facts: { configuration: configured({ KSM_NPAGES_MAX: 5000 }) },
    level: 'ok',
    found: /^pages of 4\.0 KiB$/,
  },
  {
    name: '16 KiB with the numbers for 4 KiB',
    facts: { pageSize: known({ bytes: 16_384, assumed: false }) },
    level: 'note',
    found: /^pages of 16\.0 KiB: a full batch of KSM_NPAGES_MAX=1250 is 19\.5 MiB$/,
    remedy: /KSM_NPAGES_MIN=16\nKSM_NPAGES_MAX=312\nKSM_NPAGES_BOOST=75\nKSM_NPAGES_DECAY=-12$/,
  },
  {
    name: '16 KiB with the numbers that were advised',
    facts: {
      pageSize: known({ bytes: 16_384, assumed: false }),
      configuration: configured({ KSM_NPAGES_MAX: 312 }),
    },
    level: 'ok',
    found: /^pages of 16\.0 KiB$/,
  },
  {
    name: '16 KiB with one page more',
    facts: {
      pageSize: known({ bytes: 16_384, assumed: false }),
      configuration: configured({ KSM_NPAGES_MAX: 313 }),
    },
    level: 'note',
    found: /KSM_NPAGES_MAX=313/,
    remedy: /KSM_NPAGES_MAX=312/,
  },
  {
    name: 'a copy without auxv',
    facts: { pageSize: known({ bytes: 4096, assumed: true }) },
    level: 'unknown',
    found: /4096 bytes are assumed$/,
  },
]);

test('doctor tells a fact that could not be had once, with its reason', () => {
  const finding = findingOf('profit', { ksm: unknown('cannot be read'), pageSize: unknown('cannot be read') });
  assert.equal(finding?.level, 'unknown');
  assert.equal(finding.found, 'cannot be read');
  assert.equal(findingOf('profit', { ksm: unknown('a'), pageSize: unknown('b') })?.found, 'a; b');
});

test('doctor leaves out what is about KSM on a host without KSM', () => {
  const ids = examine(factsOf({ ksm: absent('no KSM') })).map(({ id }) => id);
  assert.ok(ids.includes('ksm-in-kernel') && ids.includes('promised-memory') && ids.includes('libvirtd'));
  for (const id of [
    'kernel-features',
    'advisor',
    'profit',
    'sharing-limit',
    'numa-merging',
    'numad',
    'split-headroom',
  ]) {
    assert.ok(!ids.includes(id), id);
  }
});

test('doctor has the worst first', () => {
  const daemon = known({ ...DAEMON, libvirtConnected: false });
  const facts = factsOf({ ksm: known({ ...MERGING, generalProfit: -1 }), numad: unknown('x'), daemon });
  const levels = examine(facts).map(({ level }) => level);
  assert.deepEqual(levels.slice(0, 4), ['problem', 'note', 'unknown', 'ok']);
});

test('doctor has nothing but ok of a healthy host, and every check says so', () => {
  const findings = examine(factsOf());
  assert.deepEqual(
    findings.filter(({ level }) => level !== 'ok'),
    [],
  );
  assert.equal(new Set(findings.map(({ id }) => id)).size, 25);
});
