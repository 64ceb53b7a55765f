import assert from 'node:assert/strict';
import { test } from 'node:test';
import { absent, known } from '../../../src/doctor/fact.js';
import type { Facts, TriedPolicy } from '../../../src/doctor/facts.js';
import { GIB, checkTable, findingOf } from '../../support/examples/doctorFacts.js';

const DAY = 86_400_000;
const MINUTE_NANOS = 60e9;

/** A day of ksmtuned, with 4 GiB saved for 30 minutes of CPU, beside adaptive. */
function trial(gib: number, minutes: number, recorded: Partial<TriedPolicy> = {}): Pick<Facts, 'policyTrial'> {
  const was = { policy: 'ksmtuned', savedBytes: 4 * GIB, ksmdCpuNanos: 30 * MINUTE_NANOS, ...recorded };
  const other = { policy: 'adaptive', savedBytes: gib * GIB, ksmdCpuNanos: minutes * MINUTE_NANOS };
  return { policyTrial: known({ millis: DAY, recorded: was, other }) };
}

const SWITCH = /^samepagectl policy adaptive$/;

checkTable('policy', [
  {
    name: 'a tenth more is clearly more, whatever it costs, and the cost is said',
    facts: trial(4.5, 60),
    level: 'note',
    found:
      /^in the last 1 d of the history adaptive would have saved 4\.5 GiB on average for 1 h of ksmd CPU; ksmtuned: 4\.0 GiB for 30 min \(simulated\)$/,
    remedy: SWITCH,
  },
  { name: 'a twentieth more is not clearly more', facts: trial(4.2, 30), level: 'ok', found: /4\.2 GiB/ },
  { name: 'less is not clearly more', facts: trial(3, 1), level: 'ok', found: /3\.0 GiB/ },
  { name: 'the same for half the CPU time', facts: trial(3.95, 15), level: 'note', found: /15 min/, remedy: SWITCH },
  { name: 'the same for more than half of the CPU time', facts: trial(4, 16), level: 'ok', found: /16 min/ },
  {
    name: 'the same for half of next to no CPU time',
    facts: trial(4, 1, { ksmdCpuNanos: 5 * MINUTE_NANOS }),
    level: 'ok',
    found: /5 min/,
  },
  {
    name: 'a few MiB where nothing was saved',
    facts: trial(0.05, 1, { savedBytes: 0, ksmdCpuNanos: 0 }),
    level: 'ok',
    found: /0 B/,
  },
  {
    name: 'without samepaged the key is named',
    facts: { ...trial(8, 30), daemon: known(undefined), tuners: known([]) },
    level: 'note',
    found: /8\.0 GiB/,
    remedy: /^# KSM_POLICY=adaptive in \/etc\/ksmtuned\.conf/,
  },
]);

test('the policy check leaves out a history that does not show enough', () => {
  assert.equal(findingOf('policy', { policyTrial: absent('not enough recorded') }), undefined);
});
