import assert from 'node:assert/strict';
import { release } from 'node:os';
import { type TestContext, describe, test } from 'node:test';
import { POLICY_NAMES } from '../../../src/config/keys.js';
import { Daemon } from '../../../src/api/client.js';
import { NotRunning } from '../../../src/api/notRunning.js';
import { config } from '../../../src/ctl/config.js';
import { policy } from '../../../src/ctl/policy.js';
import { reload } from '../../../src/ctl/reload.js';
import type { ReloadReply, RetuneReply } from '../../../src/api/replies.js';
import { retune } from '../../../src/ctl/retune.js';
import { status } from '../../../src/ctl/status/verb.js';
import type { Verb, VerbInput, VerbResult } from '../../../src/ctl/verb.js';
import { version } from '../../../src/ctl/version.js';
import { VERSION } from '../../../src/version.js';
import { PLAIN, PROPERTIES, REPLY, inputOf } from '../../support/examples/ctlExamples.js';

/** What comes of a verb when the daemon answers `answer`, or when it is not there; no bus is asked. */
async function run(
  context: TestContext,
  verb: Verb,
  answer: unknown,
  input: Partial<VerbInput> = {},
): Promise<VerbResult> {
  context.mock.method(Daemon, 'with', () =>
    answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer),
  );
  return verb.run(inputOf(input));
}

const GONE = new NotRunning('samepaged is not running on BUS');

describe('samepagectl status', () => {
  test('samepagectl status --json has everything and says that the daemon runs', async (context) => {
    const { status: exit, output } = await run(context, status, PROPERTIES, { json: true });
    assert.equal(exit, 0);
    const { unknownKsmFiles, ...told } = JSON.parse(output) as { unknownKsmFiles: unknown };
    assert.deepEqual(told, { running: true, ...PROPERTIES });
    assert.ok(Array.isArray(unknownKsmFiles), 'those of the kernel that this test runs on');
  });

  test('samepagectl status without a daemon ends with 3, says why, and what the kernel does by itself', async (context) => {
    const { status: exit, output } = await run(context, status, GONE);
    assert.equal(exit, 3);
    assert.match(output, /samepaged is not running on BUS\.\n(The kernel by itself|KSM|\/sys)/);
  });
});

describe('samepagectl retune', () => {
  const sentence = REPLY.sentence ?? '';
  const rows: { name: string; reply: RetuneReply; text: string; status?: number }[] = [
    {
      name: 'says the decision and what changed',
      reply: REPLY,
      text: `${sentence}\npages_to_scan 100 -> 364, run 0 -> 1`,
    },
    {
      name: 'says that nothing had to change',
      reply: { ...REPLY, changes: [] },
      text: `${sentence}\nnothing had to be changed`,
    },
    {
      name: 'says every problem',
      reply: { ...REPLY, changes: ['run 0 -> 1'], problems: ['one', 'two'] },
      text: `${sentence}\nrun 0 -> 1\nwarning: one\nwarning: two`,
    },
    {
      name: 'says that a dry run changed nothing, and fails',
      reply: { ...REPLY, dryRun: true, changes: ['run 0 -> 1'] },
      text: `dry run, nothing was changed\n${sentence}\nwould be set: run 0 -> 1`,
      status: 1,
    },
    {
      name: 'says that a dry run would change nothing',
      reply: { ...REPLY, dryRun: true, changes: [] },
      text: `dry run, nothing was changed\n${sentence}\nnothing would have to be changed`,
    },
    {
      name: 'says what the kernel did not take, and fails',
      reply: { ...REPLY, changes: [], failed: ['run 0 -> 1'], problems: ['run cannot be written (EROFS)'] },
      text: `${sentence}\ncould not be set: run 0 -> 1\nwarning: run cannot be written (EROFS)`,
      status: 1,
    },
  ];
  for (const { name, reply, text, status: exit = 0 } of rows) {
    test(`samepagectl retune ${name}`, async (context) => {
      assert.deepEqual(await run(context, retune, reply), { status: exit, output: text });
    });
  }

  test('samepagectl retune on a terminal does not break words', async (context) => {
    const terminal = { ...PLAIN, columns: 40, interactive: true };
    const { output } = await run(context, retune, REPLY, { terminal });
    for (const line of output.split('\n')) assert.ok(line.length <= 40, line);
    assert.equal(output.replaceAll('\n', ' '), `${sentence} pages_to_scan 100 -> 364, run 0 -> 1`);
  });

  test('samepagectl retune --json prints the reply', async (context) => {
    const { output } = await run(context, retune, REPLY, { json: true });
    assert.deepEqual(JSON.parse(output), REPLY);
  });
});

describe('samepagectl policy', () => {
  test('samepagectl policy marks the policy in force and says whether it was set by hand', async (context) => {
    const { output } = await run(context, policy, PROPERTIES);
    assert.match(output, /^ {2}\* ksmtuned {2}\S.*\n {4}adaptive {2}\S.*\n {4}advisor {3}\S.*\n\nin force: ksmtuned$/);
    const byHand = await run(context, policy, { ...PROPERTIES, policy: 'adaptive' });
    assert.match(byHand.output, /^ {4}ksmtuned .*\n {2}\* adaptive /);
    assert.match(byHand.output.replaceAll('\n', ' '), /set by hand instead of ksmtuned; samepagectl policy default/);
  });

  test('samepagectl policy without a daemon shows the policies and ends with 3', async (context) => {
    const { status: exit, output } = await run(context, policy, GONE);
    assert.equal(exit, 3);
    assert.match(output, /adaptive[^]*samepaged is not running on BUS: which policy is in force is not known$/);
    assert.doesNotMatch(output, /\*/);
  });
});

describe('samepagectl reload', () => {
  const taken: ReloadReply = { taken: true, problems: ['f:1: unknown key X'], retune: { ...REPLY, changes: [] } };

  test('samepagectl reload says that the configuration is taken, what was passed over, and what came of it', async (context) => {
    assert.deepEqual(await run(context, reload, taken), {
      status: 0,
      output: [
        'The configuration is in force.',
        'warning: f:1: unknown key X',
        REPLY.sentence,
        'nothing had to be changed',
      ].join('\n'),
    });
  });

  test('samepagectl reload says each error of a configuration that is refused, and ends with 78', async (context) => {
    const { status: exit, output } = await run(context, reload, { taken: false, problems: ['f:1: a', 'f:2: b'] });
    assert.equal(exit, 78);
    assert.equal(output, 'f:1: a\nf:2: b\nThe configuration is not used: the previous one stays in force.');
  });
});

describe('on a terminal of 40 columns', () => {
  const reason = 'no D-Bus at the system bus: connect ENOENT /run/dbus/system_bus_socket';
  const rows: readonly (readonly [name: string, verb: Verb, answer: unknown])[] = [
    ['status without a daemon', status, new NotRunning(reason)],
    ['policy without a daemon', policy, new NotRunning(reason)],
    ['version without a daemon', version, new NotRunning(reason)],
    [
      'config',
      config,
      {
        source: `${reason}; it would start with`,
        entries: [{ key: 'KSM_POLICY', value: 'adaptive', origin: 'f:1' }],
        waiting: ['KSM_POLICY', 'KSM_NPAGES_MAX'],
        problems: ['/etc/ksmtuned.conf:1: unknown key KSM_COLOUR; did you mean nothing? (ignored)'],
      },
    ],
  ];
  for (const [name, verb, answer] of rows) {
    test(`${name} fits a terminal of 40 columns`, async (context) => {
      const terminal = { ...PLAIN, columns: 40, interactive: true };
      const { output } = await run(context, verb, answer, { terminal });
      for (const line of output.split('\n')) assert.ok(line.length <= 40, line);
      assert.ok(output.replaceAll(/\n(# )?/g, ' ').includes(reason), output);
      if (verb === config) assert.match(output, /^((#.*|KSM_POLICY=adaptive {2}# f:1|)\n?)+$/);
    });
  }
});

describe('samepagectl version', () => {
  const rows: { name: string; daemon: unknown; output: string; json: object }[] = [
    {
      name: 'shows those of samepagectl and the daemon',
      daemon: VERSION,
      output: `samepagectl ${VERSION}\nsamepaged ${VERSION}`,
      json: { command: VERSION, daemon: VERSION, differ: false },
    },
    {
      name: 'says that the two differ',
      daemon: '9.9.9',
      output: `samepagectl ${VERSION}\nsamepaged 9.9.9\nThey differ. To run what is installed: systemctl restart samepaged`,
      json: { command: VERSION, daemon: '9.9.9', differ: true },
    },
    {
      name: 'shows its own without a daemon',
      daemon: GONE,
      output: `samepagectl ${VERSION}\nsamepaged is not running on BUS`,
      json: { command: VERSION, daemon: null, differ: false },
    },
  ];
  for (const { name, daemon, output, json } of rows) {
    test(`samepagectl version ${name}`, async (context) => {
      assert.deepEqual(await run(context, version, daemon), { status: 0, output });
      const told = await run(context, version, daemon, { json: true });
      const build = { bundled: false, node: process.version, kernel: release(), policies: POLICY_NAMES };
      assert.deepEqual(JSON.parse(told.output), { ...json, ...build });
    });
  }
});
