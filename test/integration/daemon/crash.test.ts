import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { AgentHost, ended, retune, warnings } from '../../support/agentHost.js';

const OTHER_USERS = { skip: process.getuid?.() === 0 ? false : 'root is needed to be another user' };
const BOOT_ID = 'proc/sys/kernel/random/boot_id';

describe('after a crash', { concurrency: true }, () => {
  it('the start after a crash says so, and its SIGTERM restores what the host had before the first', async () => {
    await using host = await AgentHost.create();
    host.tree.write(BOOT_ID, 'aaaa\n');
    host.memoryIsShort();
    const before = host.ksmFiles();
    await using first = await host.started();
    await host.paceIs('1 300 10');
    assert.equal(await first.end('SIGKILL'), 'SIGKILL');

    const second = await host.started();
    const inherited = await second.line(/the last samepaged ended without restoring the host's settings/);
    assert.equal(inherited.level, 'warn');
    assert.match(inherited.msg, /before it the host had use_zero_pages 0, pages_to_scan 100/);
    assert.equal(await second.end(), 0);
    assert.deepEqual(host.ksmFiles(), before);
    assert.equal(existsSync(host.ledgerFile), false);
  });

  it('a second crash does not lose what the first one noted', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    const before = host.ksmFiles();
    for (const pace of ['1 300 10', '1 300 10']) {
      await using daemon = await host.started();
      await host.paceIs(pace);
      host.tree.setKsm('pages_to_scan', 700);
      await daemon.end('SIGKILL');
    }

    await (await host.started()).end();
    assert.deepEqual(host.ksmFiles(), before);
  });

  it('pages_to_scan is noted before it is written: a ledger names every setting that was changed', async () => {
    await using host = await AgentHost.create();
    host.tree.setKsm('run', 1);
    await using daemon = await host.started();
    await host.paceIs('0 100 20');
    assert.deepEqual(noted(host), ['run']);

    host.memoryIsShort();
    await retune(daemon);
    assert.deepEqual(noted(host).sort(), ['pagesToScan', 'run', 'sleepMillisecs', 'useZeroPages']);
    await daemon.end('SIGKILL');
  });

  it(
    'the start after a crash is not held back by a process of a user that has samepaged’s old pid and name',
    OTHER_USERS,
    async () => {
      await using host = await AgentHost.create();
      host.memoryIsShort();
      const before = host.ksmFiles();
      await using first = await host.started();
      await first.end('SIGKILL');
      const program = join(host.tree.root, 'samepaged');
      copyFileSync('/bin/sleep', program);
      for (const path of [host.tree.root, program]) chmodSync(path, 0o755);
      const stranger = spawn(program, ['60'], { uid: 65_534, gid: 65_534 });
      try {
        const ledger = readFileSync(host.ledgerFile, 'utf8');
        writeFileSync(host.ledgerFile, ledger.replace(/"pid": \d+/, `"pid": ${String(stranger.pid)}`));
        assert.equal(await (await host.started()).end(), 0);
      } finally {
        stranger.kill();
      }
      assert.deepEqual(host.ksmFiles(), before);
    },
  );

  it('the ledger of another boot is ignored', async () => {
    await using host = await AgentHost.create();
    host.tree.write(BOOT_ID, 'aaaa\n');
    host.memoryIsShort();
    await using first = await host.started();
    await first.end('SIGKILL');
    host.tree.write(BOOT_ID, 'bbbb\n');
    for (const [file, value] of Object.entries({ run: 0, pages_to_scan: 200, sleep_millisecs: 40 })) {
      host.tree.setKsm(file, value);
    }

    const second = await host.started();
    assert.equal(await second.end(), 0);
    assert.equal(host.pace, '0 200 40');
    assert.doesNotMatch(second.output, /the last samepaged/);
  });

  for (const [what, text] of Object.entries({ garbage: 'not JSON\0\n', 'another shape': '{"version":1,"found":[]}' })) {
    it(`a ledger that is ${what} is refused with one sentence, and kept`, async () => {
      await using host = await AgentHost.create();
      host.tree.write('var/lib/samepaged/ledger.json', text);
      host.memoryIsShort();
      const before = host.ksmFiles();
      const daemon = host.start();

      const status = await ended(daemon);
      assert.ok(typeof status === 'number' && status > 0, `status ${String(status)}`);
      assert.equal(readFileSync(host.ledgerFile, 'utf8'), text);
      assert.deepEqual(host.ksmFiles(), before);
      assert.equal(daemon.other.length, 1, `one line, and no stack:\n${daemon.output}`);
      assert.match(
        daemon.other[0] ?? '',
        /^samepaged: .*ledger\.json: .*found something else; check it and remove it$/,
      );
    });
  }

  it('in a state directory that cannot be written nothing is set, which is said once, until it can be', async () => {
    await using host = await AgentHost.create();
    host.tree.write('var/lib/samepaged', 'a file where the directory should be\n');
    host.memoryIsShort();
    const before = host.ksmFiles();
    const daemon = await host.started();
    await retune(daemon);
    assert.deepEqual(host.ksmFiles(), before);
    const told = warnings(daemon).filter((text) => text.includes('ledger.json'));
    assert.equal(told.length, 1, daemon.output);
    assert.match(
      told[0] ?? '',
      /ledger\.json cannot be written \(\w+\): samepaged sets nothing, because a crash would lose what the host had before$/,
    );

    rmSync(dirname(host.ledgerFile));
    await retune(daemon);
    assert.deepEqual(noted(host).sort(), ['pagesToScan', 'run', 'sleepMillisecs', 'useZeroPages']);
    assert.equal(host.tree.ksm('run'), '1');
    assert.equal(await daemon.end(), 0);
    assert.deepEqual(host.ksmFiles(), before);
  });

  it('a state directory that can no longer be written is one line at the end, and all is given back', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    const before = host.ksmFiles();
    const daemon = await host.started();
    const directory = dirname(host.ledgerFile);
    renameSync(directory, `${directory}.away`);
    writeFileSync(directory, '');
    assert.equal(await daemon.end(), 0);
    assert.deepEqual(host.ksmFiles(), before);
    assert.deepEqual(daemon.other, []);
  });
});

/** The settings the ledger says were changed. */
function noted(host: AgentHost): string[] {
  return (JSON.parse(readFileSync(host.ledgerFile, 'utf8')) as { changed: string[] }).changed;
}
