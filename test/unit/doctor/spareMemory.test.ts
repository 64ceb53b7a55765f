import { known, unknown } from '../../../src/doctor/fact.js';
import type { Facts } from '../../../src/doctor/facts.js';
import { configured, DAEMON, GIB, KSM, MEMORY, checkTable, guestOf } from '../../support/examples/doctorFacts.js';

const RUNNING = known({ ...KSM, run: 1 });
/** 20 percent of 16 GiB are the reserve: 3.2 GiB. */
const RESERVE = (16 * GIB) / 5;
const free = (bytes: number) => known({ ...MEMORY, memFreeBytes: bytes, cachedBytes: 0 });
const big = (bytes: number) => guestOf({ name: 'big', residentBytes: bytes, configuredBytes: bytes });

const ABSENT: Partial<Facts> = { daemon: known(undefined), tuners: known([]) };
const UNASKED: Partial<Facts> = { daemon: unknown('no bus') };
const deciding = (sentence: string, parts: Partial<typeof DAEMON> = {}) =>
  known({ ...DAEMON, policy: 'adaptive', ...parts, lastRetune: { ...DAEMON.lastRetune, sentence } });

checkTable('spare-memory', [
  {
    name: 'short, and adaptive rests as two passes brought nothing',
    facts: { memory: free(GIB), daemon: deciding('nothing to gain: resting') },
    level: 'ok',
    found: /^nothing to gain: resting$/,
  },
  {
    name: 'enough, and samepaged merges as more is promised than there is',
    facts: { ksm: RUNNING, daemon: deciding('guests may use 20.0 GiB: merging') },
    level: 'ok',
    found: /^guests may use 20\.0 GiB: merging$/,
  },
  {
    name: 'short, and it rests because it is held',
    facts: { memory: free(GIB), daemon: deciding('stopped by hand', { hold: 'stopped' }) },
    level: 'note',
    found: /^memory is short and ksmd rests \(stopped by hand\): guests use 0 B of 16\.0 GiB; 1\.0 GiB free/,
    remedy: /^samepagectl resume$/,
  },
  {
    name: 'short, and it rests whatever a dry run would do',
    facts: { memory: free(GIB), daemon: deciding('merging', { dryRun: true }) },
    level: 'note',
    found: /^memory is short and ksmd rests:/,
    remedy: /^echo 1 > \/sys\/kernel\/mm\/ksm\/run$/,
  },
  {
    name: 'enough, and it merges after a look that failed',
    facts: { ksm: RUNNING, daemon: known({ ...DAEMON, lastRetune: { triggers: [], changes: [], problems: [] } }) },
    level: 'note',
    found: /^memory is plenty and ksmd merges anyway: guests use 0 B of 16\.0 GiB; 10\.0 GiB free/,
    remedy: /^samepagectl retune$/,
  },
  {
    name: 'enough, and it rests',
    facts: ABSENT,
    level: 'ok',
    found: /^enough \(10\.0 GiB free, 3\.2 GiB reserve\), and ksmd rests$/,
  },
  {
    name: 'short, and it merges',
    facts: { ...ABSENT, ksm: RUNNING, memory: free(GIB) },
    level: 'ok',
    found: /^short \(1\.0 GiB free, 3\.2 GiB reserve\), and ksmd merges$/,
  },
  {
    name: 'enough, and it merges without samepaged',
    facts: { ...ABSENT, ksm: RUNNING },
    level: 'note',
    found: /plenty/,
    remedy: /^echo 0 > \/sys\/kernel\/mm\/ksm\/run$/,
  },
  {
    name: 'enough, and it merges beside a samepaged that only /proc shows',
    facts: { ...UNASKED, ksm: RUNNING },
    level: 'note',
    found: /plenty/,
    remedy: /^samepagectl retune$/,
  },
  {
    name: 'enough, and it merges beside a samepaged that may want it so',
    facts: { ...UNASKED, ksm: RUNNING, configuration: configured({ KSM_WHEN: 'always' }) },
    level: 'unknown',
    found: /^memory is plenty and .*, perhaps as samepaged wants it \(KSM_POLICY=ksmtuned, KSM_WHEN=always\): guests/,
  },
  {
    name: 'short, and it rests beside a samepaged with another rule',
    facts: { ...UNASKED, memory: free(GIB), configuration: configured({ KSM_POLICY: 'adaptive' }) },
    level: 'unknown',
    found: /^memory is short and ksmd rests, perhaps .*KSM_POLICY=adaptive/,
  },
  {
    name: 'free just at the reserve is short',
    facts: { ...ABSENT, ksm: RUNNING, memory: free(RESERVE) },
    level: 'ok',
    found: /^short/,
  },
  {
    name: 'free just above the reserve is enough',
    facts: { ...ABSENT, ksm: RUNNING, memory: free(Math.ceil(RESERVE) + 1024) },
    level: 'note',
    found: /plenty/,
    remedy: /^echo 0/,
  },
  {
    name: 'guests and reserve that just fill the total are short',
    facts: { ...ABSENT, ksm: RUNNING, guests: known([big(16 * GIB - RESERVE)]) },
    level: 'ok',
    found: /^short/,
  },
  {
    name: 'short, and it rests',
    facts: { ...ABSENT, memory: free(GIB) },
    level: 'note',
    found: /^memory is short and ksmd rests: guests use 0 B of 16\.0 GiB; 1\.0 GiB free, 3\.2 GiB reserve$/,
    remedy: /^echo 1 > \/sys\/kernel\/mm\/ksm\/run$/,
  },
  {
    name: 'by the configured reserve',
    facts: { ...ABSENT, ksm: RUNNING, configuration: configured({ KSM_THRES_COEF: 80 }) },
    level: 'ok',
    found: /^short \(10\.0 GiB free, 12\.8 GiB reserve\)/,
  },
  {
    name: 'by the configured accounting: shared memory is free by ksmtuned’s',
    facts: {
      ...ABSENT,
      memory: known({ ...MEMORY, memFreeBytes: 2 * GIB, shmemBytes: 2 * GIB }),
      configuration: configured({ KSM_MEMORY_ACCOUNTING: 'legacy' }),
    },
    level: 'ok',
    found: /^enough \(4\.0 GiB free/,
  },
  { name: 'unreadable', facts: { memory: unknown('no meminfo') }, level: 'unknown', found: /^no meminfo$/ },
]);
