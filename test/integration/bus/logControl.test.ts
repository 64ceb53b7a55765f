import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { DBusError, type MessageBus, Variant } from 'dbus-next';
import { AgentHost, reload } from '../../support/agentHost.js';
import { call } from '../../support/dbus/busClient.js';
import { Child } from '../../support/child.js';
import { type DaemonProcess, eventually } from '../../support/daemon.js';
import { ManagerClient, published } from '../../support/dbus/managerClient.js';
import { DAEMON } from '../../support/programs.js';

const INTERFACE = 'org.freedesktop.LogControl1';
const PROPERTIES = {
  destination: 'org.samepaged1',
  path: '/org/freedesktop/LogControl1',
  interface: 'org.freedesktop.DBus.Properties',
};
/** A configuration with which LogLevel is info. */
const QUIET = { DEBUG: '' };

async function get(bus: MessageBus, name: string): Promise<unknown> {
  const [value] = await call(bus, { ...PROPERTIES, member: 'Get', signature: 'ss', body: [INTERFACE, name] });
  return (value as Variant).value;
}

async function set(bus: MessageBus, name: string, value: string): Promise<void> {
  const body = [INTERFACE, name, new Variant('s', value)];
  await call(bus, { ...PROPERTIES, member: 'Set', signature: 'ssv', body });
}

/** A line that is logged at every level from err on, and no sooner than all before it. */
async function mark(host: AgentHost, daemon: DaemonProcess, manager: ManagerClient): Promise<number> {
  const text = `mark${String(daemon.lines.length)}`;
  host.configure({ ...QUIET, KSM_NPAGES_MAX: text });
  await manager.command('Reload');
  await daemon.line(new RegExp(text));
  return daemon.lines.findIndex(({ msg }) => msg.includes(text));
}

describe('org.freedesktop.LogControl1', { concurrency: true }, () => {
  it('LogLevel sets what the log has', async () => {
    await using host = await AgentHost.create({ bus: {}, config: QUIET });
    host.memoryIsShort();
    const daemon = await host.started();
    const bus = await host.bus.connect();
    const manager = await ManagerClient.on(bus);
    assert.equal(await get(bus, 'LogLevel'), 'info');
    const logged: Record<string, string[]> = {};
    for (const level of ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug']) {
      await set(bus, 'LogLevel', level);
      assert.equal(await get(bus, 'LogLevel'), level);
      const skip = daemon.lines.length;
      // A decision, a warning and an error.
      await manager.retune();
      host.configure({ ...QUIET, WALLPAPER: level });
      await manager.command('Reload');
      host.configure({ ...QUIET, KSM_NPAGES_MIN: 'x' });
      await manager.command('Reload');
      await set(bus, 'LogLevel', 'err');
      const end = await mark(host, daemon, manager);
      const levels = daemon.lines.slice(skip, end).filter(({ msg }) => !msg.includes('is not reloaded'));
      logged[level] = [...new Set(levels.map((line) => line.level))].sort();
      await set(bus, 'LogLevel', 'info');
      await manager.retune();
    }
    assert.deepEqual(logged, {
      emerg: [],
      alert: [],
      crit: [],
      err: ['error'],
      warning: ['error', 'warn'],
      notice: ['error', 'warn'],
      info: ['error', 'info', 'warn'],
      debug: ['debug', 'error', 'info', 'warn'],
    });
  });

  it('the LOGFILE goes by DEBUG alone', async () => {
    for (const DEBUG of ['', '1']) {
      await using host = await AgentHost.create({ bus: {} });
      const file = `${host.tree.root}/ksmtuned.log`;
      host.configure({ DEBUG, LOGFILE: file });
      host.memoryIsShort();
      const daemon = await host.started();
      const bus = await host.bus.connect();
      const manager = await ManagerClient.on(bus);
      assert.equal(await get(bus, 'LogLevel'), 'info');
      const text = () => readFileSync(file, 'utf8').split('\n').slice(0, -1);
      const [lines, before] = [daemon.lines.length, text().length];
      await set(bus, 'LogLevel', DEBUG === '' ? 'debug' : 'err');
      await manager.retune();
      const hasCall = () =>
        text()
          .slice(before)
          .some((line) => line.includes('KSMCTL'));
      if (DEBUG === '1')
        await eventually(
          () => (hasCall() ? true : undefined),
          () => text().join('\n'),
        );
      else await daemon.line(/^KSMCTL/, { skip: lines });
      assert.equal(hasCall(), DEBUG === '1');
    }
  });

  it('a log level set by hand outlives reloads, until one changes DEBUG', async () => {
    await using host = await AgentHost.create({ bus: {}, config: QUIET });
    host.memoryIsShort();
    const daemon = await host.started();
    const bus = await host.bus.connect();
    await set(bus, 'LogLevel', 'notice');
    await set(bus, 'LogLevel', 'debug');
    host.configure({ ...QUIET, KSM_NPAGES_MAX: 2000 });
    await reload(daemon);
    assert.equal(await get(bus, 'LogLevel'), 'debug');
    await set(bus, 'LogLevel', 'info');
    host.configure({ DEBUG: 1 });
    await reload(daemon);
    assert.equal(await get(bus, 'LogLevel'), 'debug');
    host.configure(QUIET);
    await reload(daemon);
    assert.equal(await get(bus, 'LogLevel'), 'info');
  });

  it('what LogControl1 cannot do it refuses, and says what there is', async () => {
    await using host = await AgentHost.create({ bus: {}, config: { DEBUG: 1 } });
    await host.started();
    const bus = await host.bus.connect();
    assert.equal(await get(bus, 'SyslogIdentifier'), 'samepaged');
    assert.equal(await get(bus, 'LogTarget'), 'console');
    await set(bus, 'LogTarget', 'console');
    const refused = async (name: string, value: string) => {
      const error: unknown = await set(bus, name, value).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof DBusError);
      assert.equal(error.type, 'org.freedesktop.DBus.Error.InvalidArgs');
      return error.text;
    };
    assert.equal(
      await refused('LogLevel', 'loud'),
      'no log level "loud"; there are emerg, alert, crit, err, warning, notice, info, debug: it stays debug',
    );
    assert.equal(
      await refused('LogTarget', 'kmsg'),
      'no log target "kmsg"; samepaged writes to stdout, which is the console here: it stays that',
    );
    assert.match(await refused('SyslogIdentifier', 'other'), /does not have write access/);
    assert.deepEqual([await get(bus, 'LogLevel'), await get(bus, 'SyslogIdentifier')], ['debug', 'samepaged']);
  });

  it('LogTarget is journal where stdout is the journal', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const log = `${host.tree.root}/output`;
    host.tree.write('output', '');
    const { dev, ino } = statSync(log);
    const env = { JOURNAL_STREAM: `${String(dev)}:${String(ino)}` };
    const daemon = Child.start(process.execPath, [DAEMON, ...host.args()], { log, env });
    try {
      const bus = await host.bus.connect();
      await published(bus);
      assert.equal(await get(bus, 'LogTarget'), 'journal');
    } finally {
      await daemon.kill('SIGTERM');
    }
  });
});
