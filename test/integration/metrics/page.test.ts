import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AgentHost, retune } from '../../support/agentHost.js';
import { eventually, runCtl } from '../../support/daemon.js';
import { assertGolden } from '../../support/golden.js';
import { freePort, httpGet, valueIn } from '../../support/metrics.js';
import { VERSION } from '../../support/version.js';

/** The text without what differs from run to run. */
function timeless(page: string): string {
  return page
    .replaceAll(VERSION, 'VERSION')
    .replaceAll(/^(samepaged_last_decision_timestamp_seconds|samepaged_event_to_applied_seconds_sum) .*$/gm, '$1 TIME')
    .replaceAll(/^(samepaged_event_to_applied_seconds_bucket\{le="[\d.]+"\}) .*$/gm, '$1 COUNT');
}

describe('the metrics of a daemon', { concurrency: true }, () => {
  it('the metrics of a daemon are as they were, and as promtool wants them', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const port = await freePort();
    host.configure({
      KSM_METRICS_LISTEN: `127.0.0.1:${port}`,
      KSM_METRICS_GUESTS: 1,
      KSM_FORBID_GUESTS: 'vault',
      KSM_EVENT_RECHECK: '',
    });
    host.tree.write('sys/devices/system/node/node1/meminfo', 'Node 1 MemTotal: 2048 kB\nNode 1 MemFree: 1024 kB\n');
    host.tree.write('proc/vmstat', 'cow_ksm 1000\nksm_swpin_copy 7\n');
    host.tree.addProcess({ pid: 77, argv: ['ksmd'], residentKb: 0, comm: 'ksmd' });
    host.tree.write('proc/77/schedstat', '12500000000 250000000 99\n');
    for (const [file, value] of Object.entries({
      pages_shared: 300,
      pages_sharing: 1000,
      general_profit: -5_000_000,
    })) {
      host.tree.setKsm(file, value);
    }
    host.tree.addGuest(101, 'web "1"', 2_000_000);
    host.tree.addGuest(102, 'vault', 1_000_000);
    const daemon = await host.started();
    host.tree.setKsm('sleep_millisecs', 500);
    await retune(daemon);
    host.tree.addProcess({
      pid: 103,
      argv: ['/usr/bin/qemu-system-x86_64', '-name', 'huge', '-m', '1024', '-mem-path', '/dev/hugepages'],
      residentKb: 100,
    });
    await daemon.line(/guest huge started/);
    const page = await eventually(async () => {
      const { body } = await httpGet({ port });
      const seen = valueIn(body, 'samepaged_guests_not_mergeable{obstacle="hugepages"}') === 1;
      return seen ? body : undefined;
    });
    assertGolden('metrics.txt', timeless(page));
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: page, encoding: 'utf8' });
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });

    const printed = await eventually(async () => {
      const { stdout: text } = await runCtl(['metrics', '--bus', host.address]);
      return text === page ? text : undefined;
    });
    assert.equal(printed, page, 'samepagectl metrics prints the same');
  });

  it('metrics are served nowhere unless asked for, and samepagectl metrics has them all the same', async () => {
    await using host = await AgentHost.create({ bus: {} });
    host.tree.remove('run/libvirt');
    const daemon = await host.started({ libvirt: '/org/libvirt/QEMU' });
    assert.deepEqual(listening(daemon.pid), []);
    const { status, stdout, stderr } = await runCtl(['metrics', '--bus', host.address]);
    assert.deepEqual([status, stderr], [0, '']);
    assert.equal(valueIn(stdout, 'samepaged_retunes_total{trigger="start"}'), 1);
    assert.equal(valueIn(stdout, 'samepaged_connected{peer="libvirt"}'), undefined, 'nobody misses libvirt here');
  });

  it('the metrics of a daemon count what happened before anybody asked', async () => {
    await using host = await AgentHost.create({ bus: {} });
    host.memoryIsShort();
    const daemon = await host.started();
    host.tree.setKsm('pages_to_scan', 7);
    await retune(daemon);
    host.tree.setKsm('sleep_millisecs', 700);
    await retune(daemon);
    const { stdout } = await runCtl(['metrics', '--bus', host.address]);
    assert.equal(valueIn(stdout, 'samepaged_retunes_total{trigger="manual"}'), 2);
    assert.equal(valueIn(stdout, 'samepaged_changes_by_others_total'), 2);
    // After the second change samepaged waits, with everything that makes the pace.
    assert.equal(valueIn(stdout, 'samepaged_settings_left_to_others'), 3);
    assert.equal(valueIn(stdout, 'samepaged_connected{peer="bus"}'), 1);
    assert.equal(valueIn(stdout, 'samepaged_merging'), 1);
  });
});

describe('samepagectl metrics --output', { concurrency: true }, () => {
  it('samepagectl metrics --output replaces the file as a whole, and says when samepaged does not run', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const directory = join(host.tree.root, 'textfile');
    mkdirSync(directory);
    const file = join(directory, 'samepaged.prom');
    writeFileSync(file, 'old');
    const daemon = await host.started();
    const args = ['metrics', '--bus', host.address, '--output', file];
    assert.deepEqual(await runCtl(args), { status: 0, stdout: '', stderr: '' });
    assert.equal(valueIn(readFileSync(file, 'utf8'), 'samepaged_up'), 1);
    assert.equal(readFileSync(file, 'utf8').at(-1), '\n');

    await daemon.end();
    const { status, stderr } = await runCtl(args);
    assert.equal(status, 3);
    assert.match(stderr, /^samepagectl: samepaged is not running on /);
    assert.match(readFileSync(file, 'utf8'), /^# HELP samepaged_up .*\n# TYPE samepaged_up gauge\nsamepaged_up 0\n$/);
  });

  it('samepagectl metrics --output makes no directory: one that is not there is an error of one line', async () => {
    await using host = await AgentHost.create({ bus: {} });
    await host.started();
    const file = join(host.tree.root, 'none/samepaged.prom');
    const { status, stderr } = await runCtl(['metrics', '--bus', host.address, '--output', file]);
    assert.deepEqual([status, stderr.replaceAll(/\s+/g, ' ')], [1, `samepagectl: ${file} cannot be written (ENOENT) `]);
    assert.equal(existsSync(join(host.tree.root, 'none')), false);
  });
});

/** The lines of /proc/net/tcp that a process listens with. */
function listening(pid: number): readonly string[] {
  const { stdout } = spawnSync('find', [`/proc/${pid}/fd`, '-lname', 'socket:*', '-printf', '%l\n'], {
    encoding: 'utf8',
  });
  const inodes = new Set(Array.from(stdout.matchAll(/\d+/g), ([inode]) => inode));
  const LISTEN = '0A';
  return ['tcp', 'tcp6']
    .flatMap((name) => readFileSync(`/proc/${pid}/net/${name}`, 'utf8').split('\n').slice(1))
    .filter((line) => line.trim().split(/\s+/)[3] === LISTEN && inodes.has(line.trim().split(/\s+/)[9] ?? ''));
}
