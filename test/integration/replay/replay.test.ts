import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type CommandResult, runDaemon } from '../../support/daemon.js';
import { assertGolden } from '../../support/golden.js';
import { DAEMON } from '../../support/programs.js';
import { removeScratch, scratchDirectory } from '../../support/scratch.js';

// What samepaged records in two hours and a half on a virtual host (test/support/simulation/replayHost.ts): six guests, later twelve.
const LINES = 'fixtures/history/two-hours.jsonl';
const DOCUMENT = 'fixtures/history/two-hours.json';
/** The first fifty minutes, with three of the guests that start, for what needs no more: half of a run is the simulation. */
const SHORT_LINES = 60;
const SHORT_END = '2026-01-05T08:50:30Z';

process.env.TZ = 'UTC';

interface Document {
  readonly samples: readonly { readonly time: string; readonly ksmdCpuNanos: number }[];
  readonly decisions: readonly { readonly time: string }[];
  readonly guestEvents: readonly { readonly time: string }[];
}

describe('samepaged --replay', { concurrency: 2 }, () => {
  let directory = '';
  let short = '';
  let asRecorded: CommandResult;
  before(async () => {
    directory = await scratchDirectory('replay');
    write('ksmtuned.conf', '');
    short = write('short.jsonl', shortText);
    asRecorded = await replay(short, '--policy', 'ksmtuned');
  });
  after(() => removeScratch(directory));

  /** With a configuration of its own, that the host's does not matter. */
  const replay = (path: string, ...args: readonly string[]): Promise<CommandResult> =>
    runDaemon(['--replay', path, '--config', join(directory, 'ksmtuned.conf'), ...args]);
  const write = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };

  const shortText = readFileSync(LINES, 'utf8').split('\n').slice(0, SHORT_LINES).join('\n') + '\n';
  const whole = JSON.parse(readFileSync(DOCUMENT, 'utf8')) as Document;
  const untilEnd = <T extends { readonly time: string }>(entries: readonly T[]) =>
    entries.filter(({ time }) => Date.parse(time) < Date.parse(SHORT_END));

  /** The short document with other samples and decisions. */
  const changed = (
    name: string,
    change: (sample: Document['samples'][number], index: number) => object,
    decide: (index: number) => object = () => ({}),
  ): string => {
    const samples = untilEnd(whole.samples).map((sample, index) => ({ ...sample, ...change(sample, index) }));
    const decisions = untilEnd(whole.decisions).map((decision, index) => ({ ...decision, ...decide(index) }));
    return write(name, JSON.stringify({ ...whole, samples, decisions, guestEvents: untilEnd(whole.guestEvents) }));
  };

  it('samepaged --replay tells what was recorded, what another policy decides, and its result', async () => {
    const { status, stdout, stderr } = await replay(LINES, '--policy', 'adaptive');
    assert.equal(stderr, '');
    assert.equal(status, 0);
    assertGolden('replay.txt', stdout);
  });

  it('samepaged --replay takes what samepagectl history --json prints as well', async () => {
    const path = changed('short.json', () => ({}));
    const { stdout, stderr } = await replay(path, '--policy', 'ksmtuned');
    assert.equal(stderr, '');
    assert.equal(stdout, asRecorded.stdout.replace(short, path));
  });

  it('samepaged --replay has nothing to compare where the policy is the recorded one', () => {
    const { stdout } = asRecorded;
    assert.match(stdout, /\n {2}5 Jan 08:20:\d\d {2}replayed {2}guests use .*\n/);
    assert.match(stdout, /\nThere is nothing to compare: this is what was recorded\. .*\n$/);
  });

  it('samepaged --replay compares a configuration with that of the host, and names its file', async () => {
    const config = write('faster.conf', 'KSM_NPAGES_BOOST=2000\nKSM_NPAGES_MAX=10000\nNONSENSE=1\n');
    const { stdout, stderr } = await runDaemon(['--replay', short, '--config', config]);
    assert.equal(stderr, `${config}:3: unknown key NONSENSE (ignored)\n`);
    assert.match(stdout, /\n {2}5 Jan 08:20:\d\d {2}faster\.conf {2}guests use /);
    assert.match(stdout, new RegExp(`\nwith ${config}: 90 % .* earlier .*, .* ksmd CPU \\(simulated\\)\n$`));
  });

  it('samepaged --replay leaves out a comparison on a host that does not resemble the recorded one', async () => {
    // Much was saved for a moment, and nothing before and after it.
    const path = changed('odd.json', (_, index) => {
      return { savedBytes: index === 40 ? 12 * 1024 ** 3 : 0, pagesScanned: undefined };
    });
    const { status, stdout } = await replay(path, '--policy', 'adaptive');
    assert.equal(status, 0);
    assert.match(stdout, /\nThat is more than 30 % off: .* would mean nothing\.\n$/);
    assert.doesNotMatch(stdout, /with adaptive:/);
  });

  it('samepaged --replay refuses a record in which ksmd never made two passes, and says why', async () => {
    const path = changed('unfinished.json', () => ({ pagesScanned: 1 }));
    const { status, stdout, stderr } = await replay(path, '--policy', 'adaptive');
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /\nDecisions where they change, as recorded\n {2}5 Jan 08:00:00 {2}recorded {2}guests use /);
    assert.match(stdout, /\n\nNothing is simulated or compared: the record does not show .* ksmd made none\)\.\n$/);
    assert.doesNotMatch(stdout, /in common|adaptive/);
  });

  it('samepaged --replay does not compare CPU time far from the record, and says when there was none', async () => {
    const dear = changed('dear.json', ({ ksmdCpuNanos }) => ({ ksmdCpuNanos: 20 * ksmdCpuNanos }));
    const { stdout } = await replay(dear, '--policy', 'adaptive');
    assert.match(stdout, /\nksmd's CPU is more than 30 % off the record: it is not compared\.\nwith adaptive: .*\n$/);
    assert.doesNotMatch(stdout, /with adaptive: .*CPU/);
    const untold = changed('untold.json', () => ({ ksmdCpuNanos: undefined }));
    assert.match((await replay(untold, '--policy', 'ksmtuned')).stdout, /\n {2}ksmd +not recorded\n/);
  });

  it('samepaged --replay leaves out bad lines and says which', async () => {
    const path = write('damaged.jsonl', shortText.replace('["s"', '["x"'));
    const { status, stderr } = await replay(path, '--policy', 'ksmtuned');
    assert.equal(status, 0);
    assert.equal(stderr, `${path}:2: damaged and left out\n`);
  });

  it('samepaged --replay names the other by its policy where that was asked for', async () => {
    const path = changed(
      'two.json',
      () => ({}),
      (index) => (index > 1 ? { policy: 'advisor' } : {}),
    );
    const { stdout } = await replay(path, '--policy', 'advisor');
    assert.match(stdout, /^ {2}policy {2}ksmtuned, then advisor$/m);
    assert.match(stdout, /\nwith advisor: .*\n$/);
  });

  it('samepaged --replay leaves out what no host has, with its place, and tells what was held by hand', async () => {
    const path = changed(
      'absurd.json',
      (_, index) => (index === 40 ? { guestCount: 1e9 } : {}),
      (index) => (index === 1 ? { reason: 'paused' } : {}),
    );
    const { status, stdout, stderr } = await replay(path, '--policy', 'ksmtuned');
    assert.equal(
      stderr,
      `${path}: samples[40]: guestCount: Expected a whole number from 0 to 10000 but received 1000000000: left out\n`,
    );
    assert.equal(status, 0);
    assert.match(stdout, /^ {2}merging was held by hand 1 time; the replay does not$/m);
  });

  const refused: readonly (readonly [string, () => readonly string[], RegExp])[] = [
    [
      'a missing file',
      () => ['--replay', '/nonexistent/h.jsonl'],
      /^samepaged: \/nonexistent\/h\.jsonl cannot be read \(ENOENT\)\n$/,
    ],
    [
      'an unknown policy',
      () => ['--replay', LINES, '--policy', 'ksm'],
      /--policy ksm: expected one of ksmtuned, adaptive, advisor\n$/,
    ],
    [
      'a recorded policy that it does not know',
      () => [
        '--replay',
        write('future', readFileSync(DOCUMENT, 'utf8').replaceAll('"policy":"ksmtuned"', '"policy":"ksm\\u001bx"')),
      ],
      /^samepaged: a decision of the policy ksm\?x was recorded; expected one of ksmtuned, adaptive, advisor: there is /,
    ],
    ['a policy without a history', () => ['--policy', 'adaptive'], /^samepaged: --policy needs --replay: /],
    [
      'a single sample',
      () => ['--replay', write('one', `${shortText.split('\n').slice(0, 2).join('\n')}\n`)],
      /one: no two samples follow one another: there is nothing to replay\n$/,
    ],
  ];
  for (const [name, args, complaint] of refused) {
    it(`samepaged --replay refuses ${name}, exit 64`, async () => {
      const { status, stdout, stderr } = await runDaemon(args());
      assert.match(stderr, complaint);
      assert.deepEqual([status, stdout], [64, '']);
    });
  }

  it('samepaged --replay needs no right to write anything', { skip: process.getuid?.() !== 0 }, async () => {
    const words = ['--reuid', '65534', '--regid', '65534', '--clear-groups', '--no-new-privs', '--'];
    const command = [process.execPath, DAEMON, '--replay', short, '--policy', 'adaptive'];
    const { stdout } = await promisify(execFile)('setpriv', [...words, ...command]);
    assert.match(stdout, /\nwith adaptive: .* \(simulated\)\n$/);
  });
});
