import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentHost, decision, reload, retune, warnings } from '../../support/agentHost.js';
import { DaemonProcess, eventually } from '../../support/daemon.js';
import { LibvirtStandIn } from '../../support/dbus/libvirtStandIn.js';
import { NotifySocket } from '../../support/notifySocket.js';

const UNSET = { STATE_DIRECTORY: undefined, JOURNAL_STREAM: undefined };
/** Signs of life come every 100 ms. */
const WATCHED = { WATCHDOG_USEC: '200000' };
/** Twenty of them. */
const LONG_MILLIS = 2000;
const SENTENCE = /^guests use .*: merging, faster by 300 \(300 pages every 10 ms\)$/;

/** The built daemon as systemd starts it. */
function startService(host: AgentHost, socket: NotifySocket, env: NodeJS.ProcessEnv = {}): DaemonProcess {
  return DaemonProcess.start(host.args(), { ...UNSET, NOTIFY_SOCKET: socket.path, ...env });
}

/** A command systemd-notify of a test's own, found before the real one. */
function replaceCommand(socket: NotifySocket, script: string): NodeJS.ProcessEnv {
  writeFileSync(join(socket.directory, 'systemd-notify'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { PATH: `${socket.directory}:${process.env['PATH'] ?? ''}` };
}

async function becomesSilent(socket: NotifySocket): Promise<void> {
  await eventually(async () => {
    const before = socket.signsOfLife;
    await sleep(LONG_MILLIS);
    return socket.signsOfLife === before;
  });
}

async function isAlive(socket: NotifySocket): Promise<void> {
  const before = socket.signsOfLife;
  await eventually(() => socket.signsOfLife >= before + 3);
}

describe('a service of systemd', { concurrency: true }, () => {
  it('a service without a bus and libvirt is ready with its first decision, and stopping before it ends', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    await using socket = await NotifySocket.open();
    await using daemon = startService(host, socket);
    const [ready = '', status = ''] = (await socket.notice('READY=1')).split('\t');
    assert.equal(ready, 'READY=1');
    assert.match(status.replace('STATUS=', ''), SENTENCE);
    assert.equal(host.pace, '1 300 10');
    assert.equal(await daemon.end(), 0);
    assert.deepEqual(socket.notices.slice(1), ['STOPPING=1']);
  });

  it('the service of systemd is not ready while the first decision waits', async () => {
    await using host = await AgentHost.create({ bus: {} });
    using standIn = await LibvirtStandIn.start(host.address, host.tree);
    standIn.behaviour.GetAllDomainStats = 'silence';
    host.memoryIsShort();
    await using socket = await NotifySocket.open();
    const env = { ...UNSET, NOTIFY_SOCKET: socket.path, ...WATCHED };
    await using daemon = DaemonProcess.start(host.args('/org/libvirt/Test'), env);
    await daemon.line(/^libvirt is connected/);
    await sleep(LONG_MILLIS);
    assert.deepEqual(socket.notices, []);
    await socket.notice('READY=1');
    assert.equal(host.pace, '1 300 10');
  });

  it('the service of systemd tells the status when the reason changes', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    await using socket = await NotifySocket.open();
    await using daemon = startService(host, socket);
    await socket.notice('READY=1');
    await retune(daemon);
    host.memoryIsEnough();
    await retune(daemon);
    assert.match(await socket.notice('STATUS='), /: not merging$/);
    assert.equal(socket.notices.length, 2);
  });

  it('the service of systemd is alive while libvirt never answers in time', async () => {
    await using host = await AgentHost.create({ bus: {}, config: { KSM_MONITOR_INTERVAL: 1 } });
    using standIn = await LibvirtStandIn.start(host.address, host.tree);
    await using socket = await NotifySocket.open();
    const env = { ...UNSET, NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '8000000' };
    await using daemon = DaemonProcess.start(host.args('/org/libvirt/Test'), env);
    await decision(daemon, 1);
    standIn.behaviour.GetAllDomainStats = 'silence';
    await eventually(() => standIn.calls.filter((call) => call === 'GetAllDomainStats').length > 2);
    await isAlive(socket);
  });

  it('the service of systemd is silent while the process is blocked, and alive again after', async () => {
    await using host = await AgentHost.create({ config: { KSM_MONITOR_INTERVAL: 1 } });
    await using socket = await NotifySocket.open();
    await using daemon = startService(host, socket, WATCHED);
    await isAlive(socket);
    daemon.child.kill('SIGSTOP');
    await becomesSilent(socket);
    daemon.child.kill('SIGCONT');
    await isAlive(socket);
  });

  it('the service of systemd is silent while only the loop waits, and alive again after', async () => {
    await using host = await AgentHost.create({ bus: {}, config: { KSM_MONITOR_INTERVAL: 1 } });
    using standIn = await LibvirtStandIn.start(host.address, host.tree);
    await using socket = await NotifySocket.open();
    const env = { ...UNSET, NOTIFY_SOCKET: socket.path, ...WATCHED };
    await using daemon = DaemonProcess.start(host.args('/org/libvirt/Test'), env);
    await isAlive(socket);
    standIn.behaviour.GetAllDomainStats = 'silence';
    await becomesSilent(socket);
    await reload(daemon);
    standIn.behaviour.GetAllDomainStats = 'answer';
    await isAlive(socket);
  });

  it('a watchdog of another process is not answered', async () => {
    await using host = await AgentHost.create();
    await using socket = await NotifySocket.open();
    await using daemon = startService(host, socket, { ...WATCHED, WATCHDOG_PID: '1' });
    await socket.notice('READY=1');
    await sleep(LONG_MILLIS);
    assert.equal(await daemon.end(), 0);
    assert.equal(socket.signsOfLife, 0);
  });

  it('a systemd-notify that `systemctl kill -s USR1` hits as well is run again', async () => {
    await using host = await AgentHost.create();
    await using socket = await NotifySocket.open();
    const env = replaceCommand(
      socket,
      'if mkdir "$0.first" 2>/dev/null; then kill -USR1 $$; fi; PATH=${PATH#*:}; exec systemd-notify "$@"',
    );
    await using daemon = startService(host, socket, env);
    await socket.notice('READY=1');
    assert.equal(existsSync(join(socket.directory, 'systemd-notify.first')), true);
    assert.doesNotMatch(daemon.output, /systemd-notify/);
  });

  const FAILURES = [
    {
      name: 'missing',
      env: () => ({ PATH: '/nonexistent' }),
      told: /^systemd-notify failed \(ENOENT\): systemd does /,
    },
    {
      name: 'refused',
      env: (socket: NotifySocket) => replaceCommand(socket, 'echo "not today" >&2; exit 3'),
      told: /^systemd-notify failed \(3\): not today: systemd does not learn whether samepaged is ready and alive$/,
    },
  ];
  for (const { name, env, told } of FAILURES) {
    it(`a systemd-notify that is ${name} is told once, and tuning goes on`, async () => {
      await using host = await AgentHost.create({ config: { KSM_MONITOR_INTERVAL: 1 } });
      await using socket = await NotifySocket.open();
      await using daemon = startService(host, socket, { ...WATCHED, ...env(socket) });
      await decision(daemon, 3);
      assert.equal(await daemon.end(), 0);
      const [line = '', ...more] = warnings(daemon).filter((text) => text.startsWith('systemd-notify'));
      assert.match(line, told);
      assert.deepEqual(more, []);
    });
  }

  it('samepaged sends no news where nobody waits for them', async () => {
    await using host = await AgentHost.create();
    await using socket = await NotifySocket.open();
    const env = replaceCommand(socket, 'touch "$0.called"');
    await using daemon = DaemonProcess.start(host.args(), { ...UNSET, NOTIFY_SOCKET: undefined, ...WATCHED, ...env });
    await decision(daemon, 1);
    assert.equal(await daemon.end(), 0);
    assert.equal(existsSync(join(socket.directory, 'systemd-notify.called')), false);
  });
});
