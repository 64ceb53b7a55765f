import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AgentHost, decision, decisions, ended, reload, retune } from '../../support/agentHost.js';
import { eventually } from '../../support/daemon.js';

const MESSAGE =
  /KSM_POLICY=advisor: it needs the kernel's own advisor \(advisor_mode, Linux 6\.8\).*adaptive works here$/;

describe('a policy that this kernel cannot have', { concurrency: true }, () => {
  it('a policy that this kernel cannot have ends samepaged at its start with file and line, exit 78', async () => {
    await using host = await AgentHost.create({ host: 'kernel-5.10', config: { KSM_POLICY: 'advisor' } });
    host.memoryIsShort();
    const before = host.ksmFiles();
    const daemon = host.start();
    assert.equal(await ended(daemon), 78);
    assert.deepEqual(daemon.lines, []);
    assert.equal(daemon.other.length, 1, daemon.output);
    assert.match(daemon.other[0] ?? '', MESSAGE);
    assert.ok(daemon.other[0]?.startsWith(`samepaged: ${host.configFile}:3: `), daemon.output);
    assert.deepEqual(host.ksmFiles(), before);
    assert.throws(() => host.tree.read('var/run/ksmtune.pid'));
  });

  it('a policy that this kernel cannot have is refused at a reload, and the running one goes on', async () => {
    await using host = await AgentHost.create({ host: 'kernel-5.10' });
    host.memoryIsShort();
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    host.configure({ KSM_POLICY: 'advisor', KSM_SLEEP_MSEC: 50 });
    await reload(daemon);
    const errors = daemon.lines.filter(({ level }) => level === 'error').map(({ msg }) => msg);
    assert.equal(errors.length, 2, daemon.output);
    assert.match(errors[0] ?? '', MESSAGE);
    assert.ok(errors[0]?.startsWith(`${host.configFile}:3: `), errors[0]);
    assert.equal(errors[1], 'the configuration is not reloaded: the running one stays in force');
    await retune(daemon);
    await host.paceIs('1 600 10');
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
  });
});

describe('the policies on their kernels', { concurrency: true }, () => {
  it('adaptive without an advisor is a burst, told in one sentence, and the host is given back', async () => {
    await using host = await AgentHost.create({ host: 'kernel-5.10', config: { KSM_POLICY: 'adaptive', DEBUG: '' } });
    host.memoryIsShort();
    const before = host.ksmFiles();
    const daemon = host.start();
    const { msg, reason } = await decision(daemon, 1);
    assert.equal(reason, 'burst');
    assert.match(
      msg,
      /^start: free 2\.2 GiB < 3\.\d GiB; samepaged has just started: merging with up to 50 % of a core \[/,
    );
    assert.match(msg, /\[pages_to_scan 100 -> \d+, sleep_millisecs 20 -> 10, run 0 -> 1\]$/);
    assert.equal(host.tree.ksm('run'), '1');
    assert.equal(await daemon.end(), 0);
    assert.deepEqual(host.ksmFiles(), before);
  });

  it('a reload from ksmtuned to adaptive begins a burst, whose pace is not worth a line in the log', async () => {
    await using host = await AgentHost.create({ config: { DEBUG: '' } });
    host.memoryIsShort();
    const daemon = await host.started();
    host.configure({ KSM_POLICY: 'adaptive', KSM_CPU_MAX: 20, DEBUG: '' });
    await reload(daemon);
    const { msg } = await decision(daemon, 2);
    assert.match(msg, /^reload: free .*; the policy adaptive has just begun: merging with up to 20 % of a core \[/);
    assert.equal(host.tree.ksm('sleep_millisecs'), '40');
    // These files count no page, so ksmd seems to use less than its budget.
    await eventually(() => Number(host.tree.ksm('pages_to_scan')) > 10_000);
    assert.equal(decisions(daemon).length, 2, daemon.output);
  });

  it('advisor on its kernel sets bounds and target before it is switched on, and all is given back', async () => {
    await using host = await AgentHost.create({ config: { KSM_POLICY: 'advisor' } });
    host.memoryIsShort();
    const before = host.ksmFiles();
    const daemon = await host.started();
    const { msg } = await decision(daemon, 1);
    assert.match(
      msg,
      /advisor_max_cpu \d+ -> 50, .*advisor_target_scan_time \d+ -> 5, advisor_mode none -> scan-time, run 0 -> 1\]$/,
    );
    assert.equal(host.tree.ksm('advisor_mode'), 'scan-time');
    assert.equal(await daemon.end(), 0);
    assert.deepEqual(host.ksmFiles(), { ...before, advisor_mode: 'none\n' });
  });
});
