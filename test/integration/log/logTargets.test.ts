import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentHost, decision, reload, retune } from '../../support/agentHost.js';
import { Child } from '../../support/child.js';
import { eventually } from '../../support/daemon.js';
import { DAEMON } from '../../support/programs.js';

/** Starts samepaged by another command than node itself, its output in `log`. */
function startBy(host: AgentHost, before: readonly string[], { env = {}, args = [] as readonly string[] } = {}): Child {
  const [command = '', ...words] = [...before, process.execPath, DAEMON, ...host.args(), ...args];
  return Child.start(command, words, { log: logOf(host), env });
}

function logOf(host: AgentHost): string {
  return `${host.tree.root}/output`;
}

function output(host: AgentHost): string {
  return readFileSync(logOf(host), 'utf8');
}

describe('where the log goes', { concurrency: true }, () => {
  it('to the journal each line of the log has its priority as prefix', async () => {
    await using host = await AgentHost.create({ config: { WALLPAPER: 'blue' } });
    host.memoryIsShort();
    host.tree.write('output', '');
    const { dev, ino } = statSync(logOf(host));
    const env = { JOURNAL_STREAM: `${String(dev)}:${String(ino)}` };
    const daemon = startBy(host, ['env'], { env });
    await eventually(() => output(host).includes('"msg":"start: '));
    await daemon.kill('SIGTERM');
    const lines = output(host).trimEnd().split('\n');
    for (const line of lines) {
      const [, prefix = '', json = ''] = /^<(\d)>(.*)$/.exec(line) ?? [];
      assert.equal(prefix, String((JSON.parse(json) as { priority: number }).priority), line);
    }
    assert.ok(lines.some((line) => /^<4>.*unknown key WALLPAPER/.test(line)));
    assert.ok(lines.some((line) => line.startsWith('<6>')));
    assert.ok(lines.some((line) => line.startsWith('<7>')));
  });

  it('a JOURNAL_STREAM that is another stream’s changes nothing', async () => {
    await using host = await AgentHost.create();
    const daemon = startBy(host, ['env'], { env: { JOURNAL_STREAM: '1:1' } });
    await eventually(() => output(host).includes('"msg":"start: '));
    await daemon.kill('SIGTERM');
    for (const line of output(host).trimEnd().split('\n')) assert.ok(line.startsWith('{'), line);
  });

  for (const [what, size] of Object.entries({
    '80 by 24': 'stty cols 80 rows 24',
    'of unknown size': 'stty cols 0 rows 0',
  })) {
    it(`to a terminal ${what} the log is one screen of what was found, then sentences for a person`, async () => {
      await using host = await AgentHost.create({ config: { DEBUG: '' } });
      const words = [process.execPath, DAEMON, ...host.args('/org/libvirt/Test')];
      const command = `${size}; exec ${words.map((word) => `'${word}'`).join(' ')}`;
      const env = { NO_COLOR: '1', TERM: 'xterm' };
      const terminal = Child.start('script', ['-qefc', command, '/dev/null'], { log: logOf(host), env });
      await eventually(
        () => output(host).includes('Ctrl-C'),
        () => output(host),
      );
      const screen = output(host).replaceAll('\r', '').trimEnd().split('\n');
      assert.ok(screen.length <= 24, `${String(screen.length)} lines:\n${screen.join('\n')}`);
      for (const topic of ['memory', 'KSM', 'guests', 'decision', 'libvirt', 'D-Bus', 'writing']) {
        assert.ok(
          screen.some((line) => line.startsWith(`  ${topic} `)),
          `${topic} is not in:\n${screen.join('\n')}`,
        );
      }
      const pid = Number(host.tree.read('var/run/ksmtune.pid'));
      host.memoryIsShort();
      process.kill(pid, 'SIGUSR1');
      await host.paceIs('1 300 10');
      process.kill(pid, 'SIGINT');
      await eventually(() => !terminal.running);
      const after = output(host).replaceAll('\r', '').split('\n').slice(screen.length);
      const told = after.filter((line) => line.includes('asked for by SIGUSR1: guests use '));
      assert.equal(told.length, 1, after.join('\n'));
      assert.match(told[0] ?? '', /\d\d:\d\d:\d\d.*INFO/);
      assert.equal(host.pace, '0 100 20');
    });
  }

  it('samepaged lives and tunes on while nobody reads its log, and is heard again', async () => {
    await using host = await AgentHost.create();
    const loud = `DEBUG=1\nKSM_MONITOR_INTERVAL=3600\n${`${'A_KEY_NOBODY_KNOWS'.repeat(3)}=1\n`.repeat(15)}`;
    host.tree.write('etc/ksmtuned.conf', loud);
    host.memoryIsShort();
    const daemon = await host.started();
    daemon.child.stdout?.pause();
    for (let sent = 0; sent < 100; sent += 1) {
      daemon.child.kill('SIGHUP');
      await sleep(10);
    }
    daemon.child.stdout?.resume();
    await sleep(100);
    await retune(daemon);
    assert.equal(host.pace, '1 1250 10');
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
  });

  it('samepaged gives the host back when the reader of its log has gone', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    daemon.child.stdout?.destroy();
    daemon.child.kill('SIGUSR1');
    await sleep(300);
    daemon.child.kill('SIGTERM');
    if (daemon.child.exitCode === null) await once(daemon.child, 'exit');
    assert.equal(host.pace, '0 100 20');
    assert.equal(daemon.child.signalCode, null);
  });

  it('a LOGFILE that is given later begins with the SIGHUP', async () => {
    await using host = await AgentHost.create();
    const daemon = await host.started();
    const file = `${host.tree.root}/late.log`;
    host.configure({ LOGFILE: file });
    await reload(daemon);
    await eventually(() => existsSync(file) && readFileSync(file, 'utf8').includes('KSMCTL stop'));
    await daemon.end();
    assert.doesNotMatch(readFileSync(file, 'utf8'), /: start: /);
  });

  it('the first decision is logged before SIGTERM ends samepaged, however early that comes', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    const daemon = host.start();
    await daemon.line(/./);
    daemon.child.kill('SIGTERM');
    assert.equal(await daemon.end(), 0);
    assert.equal(host.pace, '0 100 20');
    if (daemon.lines.some(({ reason }) => reason !== undefined)) await decision(daemon, 1);
  });
});
