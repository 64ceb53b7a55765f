import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { describe, it } from 'node:test';
import { AgentHost, decision, reload, retune, warnings } from '../../support/agentHost.js';
import { eventually } from '../../support/daemon.js';

const PRIORITY: Readonly<Record<string, number>> = { debug: 7, info: 6, warn: 4, error: 3, fatal: 2 };

describe('the log', { concurrency: true }, () => {
  it('the log is JSON lines with level, syslog priority, time and sentence', async () => {
    await using host = await AgentHost.create();
    host.tree.write('etc/ksmtuned.conf', 'DEBUG=1\nWALLPAPER=blue\nKSM_MONITOR_INTERVAL=3600\n');
    const daemon = await host.started();
    host.tree.write('etc/ksmtuned.conf', 'KSM_NPAGES_MAX=x\n');
    await reload(daemon);
    await daemon.end();
    assert.deepEqual(daemon.other, []);
    const levels = new Set<string>();
    for (const line of daemon.lines) {
      levels.add(line.level);
      assert.equal(line['priority'], PRIORITY[line.level], JSON.stringify(line));
      assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.ok(line.msg.length > 0 && !line.msg.includes('\n'));
    }
    assert.deepEqual([...levels].sort(), ['debug', 'error', 'info', 'warn']);
  });

  it('the log has one info line for a decision that changes something, and none for one that changes nothing', async () => {
    await using host = await AgentHost.create({ bus: {}, config: { DEBUG: '', KSM_MONITOR_INTERVAL: 1 } });
    const daemon = host.start();
    await eventually(() => existsSync(host.ledgerFile.replace(/lib.*/, 'run/ksmtune.pid')));
    await new Promise((resolve) => setTimeout(resolve, 2500));
    assert.deepEqual(
      daemon.lines.filter(({ msg }) => msg.includes('merging')),
      [],
    );

    host.memoryIsShort();
    const line = await decision(daemon, 1);
    assert.match(
      line.msg,
      /^timer: .*\[use_zero_pages 0 -> 1, pages_to_scan 100 -> 300, sleep_millisecs 20 -> 10, run 0 -> 1\]$/,
    );
    assert.equal(
      line['changes'],
      'use_zero_pages 0 -> 1, pages_to_scan 100 -> 300, sleep_millisecs 20 -> 10, run 0 -> 1',
    );
    assert.equal(line['guests'], 0);
    host.memoryIsEnough();
    await decision(daemon, 2);
    await host.paceIs('0 300 10');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const told = daemon.lines.filter(({ msg }) => msg.startsWith('timer: '));
    assert.equal(told.length, 2, daemon.output);
    for (const { level } of daemon.lines) assert.equal(level, 'info');
  });

  it('a warning that stays is logged once, and again when it came back', async () => {
    await using host = await AgentHost.create();
    const daemon = await host.started();
    const good = host.tree.read('proc/meminfo');
    const told = () => warnings(daemon).filter((text) => text.includes('MemTotal'));
    for (const times of [1, 2]) {
      host.tree.write('proc/meminfo', 'MemFree: 1 kB\n');
      for (let sent = 0; sent < 5; sent += 1) {
        daemon.child.kill('SIGUSR1');
        await new Promise((resolve) => setTimeout(resolve, 40));
      }
      await eventually(() => told().length === times);
      host.tree.write('proc/meminfo', good);
      await retune(daemon);
      assert.equal(told().length, times, daemon.output);
    }
  });
});

describe('a line of the log', { concurrency: true }, () => {
  it('a line of the log is clean and below 4 KiB, whatever a file had in it', async () => {
    await using host = await AgentHost.create();
    host.tree.write('var/lib/samepaged/hold.json', `{"kind":"${'\u202e\u009b1m'.repeat(3000)}"}`);
    const daemon = await host.started();
    const lines = daemon.lines.map(({ msg }) => msg);
    assert.match(lines.join('\n'), /hold\.json/);
    for (const line of lines) {
      assert.doesNotMatch(line, /[\p{Cc}\p{Cf}]/u);
      assert.ok(Buffer.byteLength(line) < 4096, line.slice(0, 100));
    }
    assert.equal(await daemon.end(), 0);
  });
});

describe('LOGFILE', { concurrency: true }, () => {
  it('LOGFILE with DEBUG=1 has the tuning calls, as ksmtuned’s users look for them', async () => {
    await using host = await AgentHost.create();
    const file = `${host.tree.root}/ksmtuned.log`;
    host.configure({ LOGFILE: file });
    host.tree.addGuest(101, 'web', 2_000_000);
    const daemon = host.start();
    const text = () => (existsSync(file) ? readFileSync(file, 'utf8') : '');
    await eventually(() => text().includes('KSMCTL stop'));
    host.memoryIsShort();
    daemon.child.kill('SIGUSR1');
    await host.paceIs('1 300 10');
    await eventually(() => /KSMCTL start 300 10$/m.test(text()));
    assert.match(text(), /committed 2000000 free 10990000$/m);
    assert.match(text(), /committed 2000000 free 2290000$/m);
    for (const line of text().trimEnd().split('\n')) assert.match(line, /^\d{4}-\d\d-\d\dT[\d:.]+Z: ./);
    assert.deepEqual(
      daemon.lines.filter(({ level }) => level === 'debug'),
      [],
      'debug lines go to the file only',
    );
  });

  it('LOGFILE without DEBUG has what the log has', async () => {
    await using host = await AgentHost.create();
    const file = `${host.tree.root}/ksmtuned.log`;
    host.configure({ DEBUG: '', LOGFILE: file });
    host.memoryIsShort();
    const daemon = await host.started();
    await daemon.end();
    const inFile = readFileSync(file, 'utf8').trimEnd().split('\n');
    assert.deepEqual(
      inFile.map((line) => line.replace(/^\S+: /, '')),
      daemon.lines.map(({ msg }) => msg),
    );
  });

  it('LOGFILE is opened anew by SIGHUP, after a rename', async () => {
    await using host = await AgentHost.create();
    const file = `${host.tree.root}/ksmtuned.log`;
    host.configure({ LOGFILE: file });
    host.memoryIsShort();
    const daemon = await host.started();
    renameSync(file, `${file}.1`);
    daemon.child.kill('SIGUSR1');
    await host.paceIs('1 600 10');
    await eventually(() => readFileSync(`${file}.1`, 'utf8').includes('KSMCTL start 600 10'));
    assert.equal(existsSync(file), false);

    await reload(daemon);
    await host.paceIs('1 900 10');
    await eventually(() => existsSync(file) && readFileSync(file, 'utf8').includes('KSMCTL start 900 10'));
    assert.doesNotMatch(readFileSync(`${file}.1`, 'utf8'), /KSMCTL start 900/);
  });

  it('a LOGFILE that the service may not write is in LOGS_DIRECTORY, and one line says so', async () => {
    // Nobody may create a file in /sys, not even root.
    await using host = await AgentHost.create({ config: { LOGFILE: '/sys/ksmtuned' } });
    const directory = `${host.tree.root}/logs`;
    mkdirSync(directory);
    host.memoryIsShort();
    const daemon = await host.started({ env: { LOGS_DIRECTORY: directory } });
    await eventually(() => /KSMCTL start 300 10$/m.test(readFileSync(`${directory}/ksmtuned`, 'utf8')));
    const told = warnings(daemon).filter((text) => text.includes('LOGFILE'));
    assert.deepEqual(
      told.map((text) => text.replace(/EACCES|EROFS/, 'ERRNO')),
      [`LOGFILE /sys/ksmtuned cannot be written (ERRNO): the log goes to ${directory}/ksmtuned`],
    );
    await reload(daemon);
    await host.paceIs('1 600 10');
    await eventually(() => /KSMCTL start 600 10$/m.test(readFileSync(`${directory}/ksmtuned`, 'utf8')));
  });

  for (const [what, path] of Object.entries({ 'in no directory': '/nonexistent/log', full: '/dev/full' })) {
    it(`a LOGFILE that is ${what} is reported, its lines go to the log, and tuning goes on`, async () => {
      await using host = await AgentHost.create({ config: { LOGFILE: path } });
      host.memoryIsShort();
      const daemon = host.start();
      await host.paceIs('1 300 10');
      daemon.child.kill('SIGUSR1');
      await host.paceIs('1 600 10');
      const told = warnings(daemon).filter((text) => text.includes(`LOGFILE ${path}`));
      assert.equal(told.length, 1, daemon.output);
      await daemon.line(/^KSMCTL start 600 10$/);
      assert.equal(await daemon.end(), 0);
      assert.equal(host.pace, '0 100 20');
    });
  }
});
