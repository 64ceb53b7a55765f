import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KEYS, type KeyName } from '../../../../src/config/keys.js';
import { ksmtunedPolicy } from '../../../../src/core/policies/ksmtuned/policy.js';
import { explainScreen } from '../../../../src/ctl/explain/screen.js';
import type { ExplanationReply } from '../../../../src/api/replies.js';
import { assertGolden } from '../../../support/golden.js';
import { GIB, PLAIN, REPLY } from '../../../support/examples/ctlExamples.js';
import { KSMTUNED_DEFAULTS, sampleOf, ksmtunedMemory } from '../../../support/examples/examples.js';

const NOTHING: ExplanationReply = { triggers: [], changes: [], problems: [], comparisons: [], notes: [], keys: [] };

/** What the daemon tells of ksmtuned's decision on a host of 23.5 GiB. */
function explained(freeGiB: number, committedGiB: number): ExplanationReply {
  const [, decision] = ksmtunedPolicy(KSMTUNED_DEFAULTS).decide(
    ksmtunedMemory(64),
    sampleOf({
      memory: { totalBytes: 23.5 * GIB, freeBytes: freeGiB * GIB, committedBytes: committedGiB * GIB },
      guests: Array.from({ length: 13 }, (_, at) => ({
        name: `guest${at}`,
        residentBytes: (committedGiB / 13) * GIB,
        configuredBytes: 2 * GIB,
      })),
    }),
    [],
  );
  const { terms = [], comparisons = [], notes = [], keys = [], change } = decision.working ?? {};
  return {
    ...REPLY,
    reason: decision.reason,
    sentence: decision.sentence,
    terms: [...terms],
    comparisons: [...comparisons],
    notes: [...notes],
    keys: keys.map((key) => ({
      key,
      value: KEYS[key as KeyName].fallback,
      origin: key === 'KSM_THRES_COEF' ? '/etc/ksmtuned.conf:4' : 'default',
    })),
    ...(change === undefined ? {} : { change }),
  };
}

const SCREENS: Readonly<Record<string, ExplanationReply>> = {
  'memory is short': explained(3.1, 19.5),
  'memory is enough': explained(9, 8),
  'a hold': { ...NOTHING, policy: 'ksmtuned', reason: 'stopped', sentence: 'stopped by hand: not merging' },
  'a policy without its working': { ...NOTHING, policy: 'new', reason: 'burst', sentence: 'merging' },
  'every unit': {
    ...NOTHING,
    policy: 'new',
    reason: 'burst',
    sentence: 'merging',
    terms: [
      { name: 'a', value: 20, unit: 'percent', source: 'KSM_THRES_COEF' },
      { name: 'long name', value: 7, unit: 'count', source: 'counted' },
      { name: 'b', value: 9999, unit: 'milliseconds', source: 'measured' },
      { name: 'c', value: 90_000, unit: 'milliseconds', source: 'measured' },
      { name: 'd', value: 64, unit: 'pages', source: 'the decision before' },
    ],
    keys: [{ key: 'KSM_OF_TOMORROW', value: '1', origin: 'default' }],
  },
  'a failed look': { ...NOTHING, failure: '/proc/meminfo: expected MemTotal above 0' },
  'before the first look': NOTHING,
};

describe('the screen of samepagectl explain', () => {
  const drawn = Object.entries(SCREENS).map(([name, reply]) => [name, explainScreen(reply, PLAIN)] as const);

  test('the screen of samepagectl explain says what it said', () => {
    assertGolden('explain.txt', drawn.map(([name, screen]) => `== ${name}\n${screen}\n`).join('\n'));
  });

  test('the screen of samepagectl explain is at most 80 columns wide', () => {
    for (const line of drawn.flatMap(([, screen]) => screen.split('\n'))) assert.ok(line.length <= 80, line);
  });
});
