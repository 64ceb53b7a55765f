import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { CTL, DAEMON, DEMO } from '../../support/programs.js';

/** Runs it with stdout there; `/dev/full` takes nothing. */
function run(script: string, args: readonly string[], stdout = '/dev/full') {
  const words = [process.execPath, script, ...args].map((word) => `'${word}'`).join(' ');
  const to = stdout.startsWith('|') ? stdout : `>${stdout}`;
  const { status, stderr } = spawnSync('bash', ['-c', `set -o pipefail; ${words} ${to}`], { encoding: 'utf8' });
  return { status, stderr };
}

describe('stdout that cannot be written is told in a line', () => {
  const failed = (name: string, status: number) => ({
    status,
    stderr: `${name}: stdout cannot be written (ENOSPC)\n`,
  });

  for (const flag of ['--help', '--print-config']) {
    it(`samepaged ${flag} with a stdout that cannot be written ends with a line`, () => {
      assert.deepEqual(run(DAEMON, [flag, '--config', '/etc/ksmtuned.conf']), failed('samepaged', 74));
    });
  }

  it('samepagectl with a stdout that cannot be written ends with a line', () => {
    assert.deepEqual(run(CTL, ['help']), failed('samepagectl', 1));
  });

  it('demo with a stdout that cannot be written ends with a line', () => {
    assert.deepEqual(run(DEMO, ['--help']), failed('demo', 1));
  });

  it('a reader of stdout that has read enough is no failure', () => {
    assert.deepEqual(run(DAEMON, ['--help'], '| true'), { status: 0, stderr: '' });
    assert.deepEqual(run(CTL, ['help'], '| true'), { status: 0, stderr: '' });
  });
});
