import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { schemaErrors } from '../../../support/jsonSchema.js';
import { PROPERTIES } from '../../../support/examples/ctlExamples.js';

const SCHEMA: unknown = JSON.parse(readFileSync('fixtures/schema/status.schema.json', 'utf8'));
const RUNNING = { running: true, ...PROPERTIES, unknownKsmFiles: [] };
const KSM = { run: 0, pagesToScan: 100, sleepMillisecs: 20, pagesShared: 0, pagesSharing: 0, advisorMode: 'none' };

describe('the schema of samepagectl status --json', () => {
  const good: Readonly<Record<string, object>> = {
    'a daemon that runs': RUNNING,
    'what is not known': { ...RUNNING, ksmdCpuPercent: null },
    'a loss': { ...RUNNING, profitBytes: -1 },
    'before the first look': { ...RUNNING, lastRetune: { triggers: [], changes: [], problems: [] } },
    'a failed look': { ...RUNNING, lastRetune: { triggers: ['timer'], changes: [], problems: [], failure: 'why' } },
    'no daemon': { running: false, reason: 'gone', ksm: KSM, unknownKsmFiles: [] },
    'no daemon and no KSM': { running: false, reason: 'gone', ksm: null, unknownKsmFiles: [] },
    'files that this samepagectl does not know': { ...RUNNING, unknownKsmFiles: ['merge_faster'] },
    'a guest event': {
      ...RUNNING,
      lastRetune: { ...PROPERTIES.lastRetune, guestEvents: [{ name: 'web', change: 'resized' }] },
    },
  };
  for (const [name, value] of Object.entries(good)) {
    test(`the schema of samepagectl status --json fits ${name}`, () => {
      assert.deepEqual(schemaErrors(SCHEMA, value), []);
    });
  }

  const bad: Readonly<Record<string, unknown>> = {
    'a member that is missing': Object.fromEntries(Object.entries(RUNNING).filter(([name]) => name !== 'hold')),
    'a member that is not described': { ...RUNNING, colour: 'blue' },
    'a number as text': { ...RUNNING, savedBytes: '1' },
    'a part of a byte': { ...RUNNING, savedBytes: 1.5 },
    'a size below 0': { ...RUNNING, savedBytes: -1 },
    'more than a core': { ...RUNNING, ksmdCpuPercent: 101 },
    'a hold that there is not': { ...RUNNING, hold: 'asleep' },
    'a look without its triggers': { ...RUNNING, lastRetune: { changes: [], problems: [] } },
    'triggers that are no texts': { ...RUNNING, lastRetune: { triggers: [1], changes: [], problems: [] } },
    'both forms at once': { ...RUNNING, running: false, reason: 'gone', ksm: KSM },
    'KSM without a number that every kernel has': { running: false, reason: 'gone', ksm: {}, unknownKsmFiles: [] },
    'a list': [],
  };
  for (const [name, value] of Object.entries(bad)) {
    test(`the schema of samepagectl status --json does not fit ${name}`, () => {
      assert.notDeepEqual(schemaErrors(SCHEMA, value), []);
    });
  }

  test('the schema of samepagectl status --json is one that the validator understands to the last keyword', () => {
    assert.throws(() => schemaErrors({ ...(SCHEMA as object), pattern: 'x' }, RUNNING), /pattern are not understood/);
  });
});
