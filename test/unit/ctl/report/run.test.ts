import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../../../../src/ctl/report/run.js';
import { VERBS } from '../../../../src/ctl/verbs.js';
import type { VerbInput, VerbTable } from '../../../../src/ctl/verb.js';

const verb = (show: (input: VerbInput) => string): VerbTable[string] => ({
  summary: '',
  options: [],
  examples: [],
  run: (input) => Promise.resolve({ status: 0, output: show(input) }),
});
const verbs: VerbTable = {
  ...Object.fromEntries(Object.keys(VERBS).map((name) => [name, verb(() => `what ${name} shows`)])),
  explain: verb(() => {
    throw new Error('samepaged is not running');
  }),
  guests: verb(({ json }) => (json ? '{"guests":[{"name":"vault (1)","plainName":"vault"}]}' : 'vault 2.0Gi')),
  history: verb(({ json }) => (json ? '{"guestEvents":[{"guest":"gone"}]}' : 'gone stopped, vault started')),
  config: verb(({ json }) =>
    json ? '{"entries":[{"key":"KSM_FORBID_GUESTS","value":"vault,ghost*"}]}' : 'KSM_FORBID_GUESTS=vault,ghost*',
  ),
};
const input = { terminal: { columns: 80, colour: true, unicode: true, interactive: true }, names: false } as VerbInput;

test('a report has what each verb shows, also of one that fails, and no name of a guest', async () => {
  const { status, output } = await run(input, verbs);
  assert.equal(status, 0);
  assert.match(output, /^== samepagectl version ==\nwhat version shows\n\n== samepagectl status ==/);
  assert.match(output, /== samepagectl explain ==\nsamepaged is not running\n/);
  assert.match(output, /== samepagectl guests ==\nguest-2 2\.0Gi\n/);
  assert.match(output, /== samepagectl history ==\nguest-3 stopped, guest-2 started\n/);
  assert.match(output, /== Kernel ==\nLinux \d/);
  assert.doesNotMatch(output, /vault|gone|ghost/);
});

test('a report with --names keeps them', async () => {
  assert.match((await run({ ...input, names: true }, verbs)).output, /gone stopped, vault started/);
});
