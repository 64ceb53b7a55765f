import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { after, before, describe, it } from 'node:test';
import { removeScratch, scratchDirectory } from '../../support/scratch.js';

/** In the place of samepaged: gives its reader questions (JSON, [pid, file] each), and prints the answers as JSON. */
const PROGRAM = (reader: string) => `
import { ksmStatReader } from ${JSON.stringify(reader)};
const reader = ksmStatReader(process.env);
const ask = ([pid, file]) => reader?.read(pid, file).catch((error) => error.constructor.name);
for (const signal of JSON.parse(process.env.SIGNALS ?? '[]')) {
  // Of systemctl kill: to every process of the unit, and so to the reader.
  process.on(signal, () => undefined);
  process.kill(0, signal);
}
console.log(JSON.stringify(await Promise.all(JSON.parse(process.env.QUESTIONS).map(ask))));
process.exit();
`;

describe('what deploy/systemd/service.sh starts beside samepaged', () => {
  let directory: string;
  before(async () => {
    directory = await scratchDirectory('reader');
    const module = pathToFileURL('dist/src/host/ksmStatReader.js').href;
    const script = readFileSync('deploy/systemd/service.sh', 'utf8');
    const here = script.replace(/^node=.*/m, `node='${process.execPath}'`).replaceAll('/usr/lib/samepaged', directory);
    writeFileSync(join(directory, 'service'), here);
    writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(directory, 'samepaged.js'), PROGRAM(module));
  });
  after(() => removeScratch(directory));

  async function answers(questions: readonly (readonly [unknown, string])[], signals: readonly string[] = []) {
    const env = { ...process.env, RUNTIME_DIRECTORY: directory, QUESTIONS: JSON.stringify(questions) };
    // A session of its own: the signals are for its process group.
    const words = ['--wait', 'sh', join(directory, 'service')];
    const { stdout } = await promisify(execFile)('setsid', words, {
      env: { ...env, SIGNALS: JSON.stringify(signals) },
    });
    return JSON.parse(stdout) as unknown;
  }

  it('the ksm_stat reader of the service gives each answer to its question, also after signals', async () => {
    const sleeper = spawn('sleep', ['60']);
    try {
      const own = readFileSync(`/proc/${sleeper.pid}/ksm_stat`, 'latin1');
      assert.notEqual(own, '');
      const questions = [0, 1, 2].flatMap(() => [
        [sleeper.pid, 'ksm_stat'] as const,
        [2 ** 30, 'ksm_stat'] as const,
        [sleeper.pid, 'ksm_merging_pages'] as const,
      ]);
      const signals = ['SIGHUP', 'SIGUSR1', 'SIGTERM', 'SIGINT'];
      assert.deepEqual(
        await answers(questions, signals),
        [0, 1, 2].flatMap(() => [own, '', '0\n']),
      );
    } finally {
      sleeper.kill('SIGKILL');
    }
  });

  it('the ksm_stat reader of the service reads nothing else, whatever the question is', async () => {
    const hostile = [
      ['self', 'ksm_stat'],
      ['1/../../etc', 'ksm_stat'],
      ['1', '../../etc/passwd'],
      ['1', 'status'],
      ['', 'ksm_stat'],
      ['', ''],
      ['1 2', 'ksm_stat'],
      ['*', 'ksm_stat'],
      ['$(id)', 'ksm_stat'],
      ['1', 'ksm_stat; id'],
      ['9'.repeat(5000), 'ksm_stat'],
    ] as const;
    assert.deepEqual(
      await answers(hostile),
      hostile.map(() => ''),
    );
  });

  it('the ksm_stat reader of the service is not there for --give-back', async () => {
    writeFileSync(join(directory, 'samepaged.js'), 'console.log(String(process.env.SAMEPAGED_KSM_STAT))');
    const { stdout } = await promisify(execFile)('sh', [join(directory, 'service'), '--give-back']);
    assert.equal(stdout, 'undefined\n');
  });
});
