import assert from 'node:assert/strict';
import { chmodSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AgentHost, decision, retune } from '../../support/agentHost.js';
import { Child } from '../../support/child.js';
import { eventually, runCtl } from '../../support/daemon.js';
import { DAEMON } from '../../support/programs.js';

/** Every file below the directory with its content and the time it was last written. */
function everything(directory: string): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(
    paths.map((path) => [path, `${String(statSync(path).mtimeMs)} ${readFileSync(path, 'latin1')}`]),
  );
}

describe('a dry run', { concurrency: true }, () => {
  it('a dry run writes nothing at all, says what it would set, and goes on as if it had', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    const before = everything(host.tree.root);
    const daemon = host.start({ args: ['--dry-run'] });
    const first = await decision(daemon, 1);
    assert.match(
      first.msg,
      /\[would set use_zero_pages 0 -> 1, pages_to_scan 100 -> 300, sleep_millisecs 20 -> 10, run 0 -> 1\]$/,
    );
    const second = await retune(daemon);
    assert.match(second.msg, /\[would set pages_to_scan 300 -> 600\]$/);
    await daemon.line(/dry run.*--dry-run/);
    assert.equal(await daemon.end(), 0);
    assert.deepEqual(everything(host.tree.root), before);
  });

  it('a dry run shows itself on the bus, with the kernel’s own values', async () => {
    await using host = await AgentHost.create({ bus: {} });
    host.memoryIsShort();
    const daemon = host.start({ args: ['--dry-run'] });
    await decision(daemon, 1);
    const manager = await host.manager();
    const { DryRun, Run, PagesToScan, SleepMillisecs } = await manager.properties();
    assert.deepEqual(
      { DryRun, Run, PagesToScan, SleepMillisecs },
      { DryRun: true, Run: 0, PagesToScan: 100, SleepMillisecs: 20 },
    );
    assert.deepEqual((await manager.retune())['Changes'], ['pages_to_scan 300 -> 600']);
    assert.equal(host.pace, '0 100 20');
  });

  it('a dry run answers a command by hand with what it would change, and fails', async () => {
    await using host = await AgentHost.create({ bus: {} });
    host.memoryIsShort();
    host.tree.setKsm('run', 1);
    const daemon = host.start({ args: ['--dry-run'] });
    await decision(daemon, 1);
    const { status, stdout } = await runCtl(['unmerge', '--bus', host.address]);
    assert.equal(status, 1);
    assert.match(stdout, /^dry run, nothing was changed\neverything is unmerged by hand.*\nwould be set: run 1 -> 2$/m);
    assert.equal(host.tree.ksm('run'), '1');
    assert.match(
      (await runCtl(['status', '--bus', host.address])).stdout,
      /^KSM is merging\n +dry run, nothing is changed/,
    );
  });

  it('a dry run is what somebody without the right to write gets, with a line that says why', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    chmodSync(host.tree.root, 0o755);
    chmodSync(join(host.tree.root, 'sys/kernel/mm/ksm/run'), 0o444);
    const before = everything(host.tree.root);
    const args = [process.execPath, DAEMON, ...host.args()];
    const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--'];
    const words = process.getuid?.() === 0 ? [...nobody, ...args] : ['--', ...args];
    await using other = await AgentHost.create();
    const log = join(other.tree.root, 'output');
    const daemon = Child.start('setpriv', words, { log });
    const output = () => readFileSync(log, 'utf8');
    await eventually(
      () => output().includes('would set'),
      () => output(),
    );
    await daemon.kill('SIGTERM');
    assert.match(output(), /dry run, .*sys\/kernel\/mm\/ksm cannot be written.*not root \(EACCES\)/);
    assert.deepEqual(everything(host.tree.root), before);
  });
});
