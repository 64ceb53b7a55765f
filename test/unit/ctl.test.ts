import assert from 'node:assert/strict';
import { type TestContext, describe, test } from 'node:test';
import { Daemon, type DaemonProperties, type RetuneReply } from '../../src/ctl/client.js';
import { retune } from '../../src/ctl/retune.js';
import { status } from '../../src/ctl/status.js';
import type { Verb } from '../../src/ctl/verb.js';
import { VERBS } from '../../src/ctl/verbs.js';

const NOW = 1_700_000_000_000;
const REPLY: RetuneReply = {
  triggers: ['guest web started'],
  policy: 'ksmtuned',
  reason: 'free-below-reserve',
  sentence: 'guests use 19.5 GiB: merging',
  changes: ['pages_to_scan 100 -> 364', 'run 0 -> 1'],
  problems: [],
  realtimeUSec: (NOW - 42_000) * 1000,
};
const PROPERTIES: DaemonProperties = {
  version: '1.2.3',
  policy: 'ksmtuned',
  run: 1,
  pagesToScan: 364,
  sleepMillisecs: 10,
  savedBytes: 3 * 1024 ** 3,
  guestCount: 2,
  libvirtConnected: true,
  dryRun: false,
  hold: '',
  holdUntilUSec: 0,
  lastRetune: REPLY,
};

/** What a verb prints when the daemon answers `answer`; no bus is asked. */
async function output(context: TestContext, verb: Verb, answer: unknown, json = false): Promise<string> {
  context.mock.timers.enable({ apis: ['Date'], now: NOW });
  context.mock.method(Daemon, 'with', () => Promise.resolve(answer));
  const { status: exitStatus, output: text } = await verb.run({
    bus: 'system',
    json,
    libvirt: 'none',
    force: false,
    gradually: false,
    root: '',
    words: [],
    progress: () => undefined,
  });
  assert.equal(exitStatus, 0);
  return text;
}

describe('samepagectl status', () => {
  test('is one screen', async (context) => {
    assert.deepEqual((await output(context, status, PROPERTIES)).split('\n'), [
      'KSM is merging',
      '  why        guests use 19.5 GiB: merging',
      '  saved      3.0 GiB',
      '  pace       364 pages every 10 ms',
      '  guests     2 guests, from libvirt',
      '  last look  42 s ago: guest web started',
      '  policy     ksmtuned, samepaged 1.2.3',
    ]);
  });

  const rows: { name: string; parts: Partial<DaemonProperties>; lines: readonly string[] }[] = [
    { name: 'at rest', parts: { run: 0 }, lines: ['KSM is not merging', '  pace       ksmd rests'] },
    {
      name: 'unmerged',
      parts: { run: 2 },
      lines: ['KSM is off and everything is unmerged', '  pace       ksmd rests'],
    },
    {
      name: 'without libvirt',
      parts: { libvirtConnected: false, guestCount: 1 },
      lines: ['  guests     1 guest, from /proc (libvirt is not connected)'],
    },
    {
      name: 'in a dry run',
      parts: { dryRun: true },
      lines: ['  policy     ksmtuned, samepaged 1.2.3, dry run: nothing is written'],
    },
    {
      name: 'before the first look',
      parts: { lastRetune: { triggers: [], changes: [], problems: [] } },
      lines: ['  why        no decision yet', '  last look  never'],
    },
    {
      name: 'after a failed look',
      parts: { lastRetune: { triggers: ['timer'], changes: [], problems: [], failure: 'no sample' } },
      lines: ['  why        no sample'],
    },
    {
      name: 'after one trigger more than it has room for',
      parts: { lastRetune: { ...REPLY, triggers: ['a', 'b', 'c', 'd'] } },
      lines: ['  last look  42 s ago: a, b, c and 1 more'],
    },
    {
      name: 'after many triggers',
      parts: { lastRetune: { ...REPLY, triggers: ['a', 'b', 'c', 'd', 'e'] } },
      lines: ['  last look  42 s ago: a, b, c and 2 more'],
    },
  ];
  for (const { name, parts, lines } of rows) {
    test(name, async (context) => {
      const shown = (await output(context, status, { ...PROPERTIES, ...parts })).split('\n');
      for (const line of lines) assert.ok(shown.includes(line), shown.join('\n'));
    });
  }

  test('for programs has everything and says that the daemon runs', async (context) => {
    const text = await output(context, status, PROPERTIES, true);
    assert.deepEqual(JSON.parse(text), { running: true, ...PROPERTIES });
  });
});

describe('samepagectl retune', () => {
  const rows: { name: string; reply: RetuneReply; text: string }[] = [
    {
      name: 'says the decision and what changed',
      reply: REPLY,
      text: 'guests use 19.5 GiB: merging\npages_to_scan 100 -> 364, run 0 -> 1',
    },
    {
      name: 'says that nothing had to change',
      reply: { ...REPLY, changes: [] },
      text: 'guests use 19.5 GiB: merging\nnothing had to be changed',
    },
    {
      name: 'says every problem',
      reply: { ...REPLY, changes: ['run 0 -> 1'], problems: ['one', 'two'] },
      text: 'guests use 19.5 GiB: merging\nrun 0 -> 1\nwarning: one\nwarning: two',
    },
  ];
  for (const { name, reply, text } of rows) {
    test(name, async (context) => {
      assert.equal(await output(context, retune, reply), text);
    });
  }

  test('for programs is the reply', async (context) => {
    assert.deepEqual(JSON.parse(await output(context, retune, REPLY, true)), REPLY);
  });
});

test('every verb has a summary of half a line for the help', () => {
  assert.deepEqual(Object.keys(VERBS).slice(0, 2), ['status', 'retune']);
  for (const { summary } of Object.values(VERBS)) assert.match(summary, /^\S.{5,65}\S$/);
});
