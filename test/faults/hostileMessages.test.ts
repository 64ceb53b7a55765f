import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { HistoryStore } from '../../src/state/history/store.js';
import { AgentHost } from '../support/agentHost.js';
import type { DaemonProcess } from '../support/daemon.js';
import { faultCount, faultSeed } from '../support/faultRuns.js';
import { numbered } from '../support/historyWriter.js';
import { RawBus, type RawMessage } from '../support/dbus/rawBus.js';
import { Wire, pick, randomFrom, randomType } from '../support/dbus/wire.js';

const NO_REPLY_EXPECTED = 1;
const SIGNAL = 4;

/** Sends them on one connection, and asserts that the daemon has passed over them and works on as before. */
async function survives(
  messages: Iterable<RawMessage>,
  check?: (daemon: DaemonProcess) => void,
  prepare?: (host: AgentHost) => Promise<void>,
): Promise<void> {
  await using host = await AgentHost.create({ bus: {} });
  host.memoryIsShort();
  await prepare?.(host);
  const daemon = await host.started();
  const manager = await host.manager();
  const before = [host.pace, await manager.properties()];
  using raw = await RawBus.connect(host.address);
  for (const message of messages) raw.send(message);
  await Promise.race([raw.taken(), daemon.exit().then(() => assert.fail(daemon.output))]);
  assert.deepEqual([host.pace, await manager.properties()], before, daemon.output);
  assert.deepEqual([daemon.child.exitCode, daemon.other], [null, []], daemon.output);
  check?.(daemon);
  await manager.retune();
}

/** Has never had more than 192 MiB of memory; a start takes less than half of it. */
function smallDaemon({ pid }: DaemonProcess): void {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  assert.ok(Number(kibibytes) < 192 * 1024, `${String(kibibytes)} KiB`);
}

function body(write: (wire: Wire) => void, bigEndian = false): Buffer {
  const wire = new Wire(bigEndian);
  write(wire);
  return wire.buffer;
}

/** Of type `av`: as many bytes as that, each four of which become a variant. */
function bytesOfVariants(bytes: number): Buffer {
  const buffer = Buffer.alloc(4 + bytes);
  buffer.writeUInt32LE(bytes);
  for (let at = 4; at < buffer.length; at += 4) buffer.write('\x01y', at, 'latin1');
  return buffer;
}

const NO_DESCRIPTOR = body((wire) => {
  wire.number(0, 4);
});
const NO_DESCRIPTOR_IN_VARIANT = body((wire) => {
  wire.signature('h');
  wire.number(0, 4);
});

describe('what anybody may send', { concurrency: true }, () => {
  for (const [what, type] of Object.entries({ call: 1, signal: SIGNAL })) {
    it(`a ${what} with a file descriptor that did not come along is ignored`, async () => {
      await survives([
        { type, member: 'Explain', signature: 'h', body: NO_DESCRIPTOR },
        { type, member: 'Explain', signature: 'v', body: NO_DESCRIPTOR_IN_VARIANT },
        { type, member: 'Explain' },
      ]);
    });
  }

  it('calls and signals that are too large are not parsed: not even one makes the daemon much larger', async () => {
    const large = { signature: 'av', body: bytesOfVariants(8_000_000), flags: NO_REPLY_EXPECTED };
    const small = { signature: 'av', body: bytesOfVariants(80), flags: NO_REPLY_EXPECTED };
    const messages = [large, small, large].flatMap((message) => [
      { ...message, member: 'Explain' },
      { ...message, member: 'Explain', type: SIGNAL },
    ]);
    await survives(messages, smallDaemon);
  });

  it('large answers of samepaged that nobody fetches are made one after another', async () => {
    const since = body((wire) => {
      wire.number(0, 8);
    });
    const call = { member: 'GetHistory', signature: 't', body: since };
    await survives(Array<RawMessage>(200).fill(call), smallDaemon, async (host) => {
      const directory = join(host.tree.root, 'var/lib/samepaged');
      const store = new HistoryStore({ directory, log: console, nowMillis: Date.now() });
      await store.add(
        Array.from({ length: 2000 }, (_, number) => numbered(number, Date.now())),
        Date.now(),
      );
      assert.ok(Buffer.byteLength(store.since(0).text) > 400_000);
    });
  });

  it('samepaged survives messages of any kind, with bodies of any type, in either byte order', async () => {
    await survives(randomMessages(faultSeed, faultCount(60_000, 3000)));
  });
});

const DBUS_INTERFACES = ['Properties', 'Introspectable', 'Peer'].map((name) => `org.freedesktop.DBus.${name}`);
const INTERFACES = ['org.samepaged1.Manager', ...DBUS_INTERFACES, 'a.__proto__', undefined];
const MEMBERS = ['Explain', 'GetHistory', 'Get', 'GetAll', 'Set', 'Introspect', 'Ping', 'GetMachineId', '__proto__'];
const PATHS = ['/org/samepaged1', '/', '/org/freedesktop/LogControl1', '/__proto__', `/${'a/'.repeat(100)}a`];

/** Valid ones, without those that do something. */
function* randomMessages(seed: number, count: number): Generator<RawMessage> {
  const random = randomFrom(seed);
  for (let left = count; left > 0; left -= 1) {
    const bigEndian = random(4) === 0;
    const type = pick(random, [1, 1, 1, 2, 3, 4, 5, 255]);
    const values = Array.from({ length: random(3) }, () => randomType(random, 6));
    const signature = values.map((value) => value.signature).join('');
    if (signature.length > 255) continue;
    const iface = pick(random, INTERFACES);
    yield {
      type,
      bigEndian,
      flags: random(8),
      path: pick(random, PATHS),
      ...(iface === undefined && type !== SIGNAL ? {} : { interface: iface ?? 'a.b' }),
      member: pick(random, MEMBERS),
      ...(type === 3 ? { errorName: 'a.b' } : {}),
      ...(type === 2 || type === 3 ? { replySerial: 1 + random(50) } : {}),
      signature,
      body: body((wire) => {
        for (const value of values) value.write(wire, random);
      }, bigEndian),
    };
  }
}
