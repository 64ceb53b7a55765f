import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type CommandResult, runDaemon } from '../../support/daemon.js';
import { HostTree } from '../../support/hostTree.js';

const MIB = 1024 * 1024;

/** What --print-config makes of a file of 1 MiB that is made of `pattern`. */
async function printOneMebibyte(pattern: string, last = ''): Promise<CommandResult> {
  using tree = HostTree.create();
  tree.write('etc/ksmtuned.conf', pattern.repeat(Math.ceil(MIB / pattern.length)) + last);
  return await runDaemon(['--print-config', '--config', join(tree.root, 'etc/ksmtuned.conf')]);
}

describe('a configuration file of 1 MiB', () => {
  it('a configuration file of 1 MiB of comments is read to its end', async () => {
    const { status, stdout } = await printOneMebibyte('# nothing here\n', 'KSM_SLEEP_MSEC=33\n');
    assert.equal(status, 0);
    assert.match(stdout, /^KSM_SLEEP_MSEC=33 /m);
  });

  it('a configuration file of 1 MiB on one line is one unexpected value, and shown in short', async () => {
    const { status, stderr } = await printOneMebibyte('9', '\n');
    assert.equal(status, 78);
    assert.ok(stderr.length < 300, `${String(stderr.length)} characters`);

    const value = await printOneMebibyte(`KSM_SLEEP_MSEC=${'9'.repeat(MIB)}\n`);
    assert.equal(value.status, 78);
    assert.match(value.stderr, /:1: KSM_SLEEP_MSEC=9{60}\.\.\.: expected a whole number of milliseconds/);
    assert.ok(value.stderr.length < 400, `${String(value.stderr.length)} characters`);
  });

  it('a configuration file of 1 MiB of bad lines is refused with the first 20 of them', async () => {
    const { status, stderr } = await printOneMebibyte('this is no configuration\n');
    assert.equal(status, 78);
    assert.equal(stderr.trimEnd().split('\n').length, 21);
    assert.match(stderr, /and \d+ more\n$/);
  });

  it('a configuration file of 1 MiB of unknown keys before a bad value tells the value', async () => {
    const { status, stderr } = await printOneMebibyte('KSM_COLOUR=blue\n', 'KSM_SLEEP_MSEC=soon\n');
    assert.equal(status, 78);
    const lines = stderr.trimEnd().split('\n');
    assert.equal(lines.length, 22);
    assert.match(lines[20] ?? '', /KSM_SLEEP_MSEC=soon: expected/);
  });

  it('a configuration file of 1 MiB of unknown keys does not fill the log', async () => {
    const { status, stderr } = await printOneMebibyte('KSM_COLOUR=blue\n', 'KSM_SLEEP_MSEC=33\n');
    assert.equal(status, 0);
    const lines = stderr.trimEnd().split('\n').length;
    assert.ok(lines <= 21, `${String(lines)} lines`);
  });
});
