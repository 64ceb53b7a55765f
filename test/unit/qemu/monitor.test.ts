import assert from 'node:assert/strict';
import { type Server, createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { offerMemory } from '../../../src/qemu/memoryOffer.js';
import { type QemuMonitor, returnedBy } from '../../../src/qemu/monitor.js';
import { QmpSocket } from '../../../src/qemu/qmpSocket.js';
import { qmpSocketOf } from '../../../src/host/qemuOptions.js';
import { virshUri } from '../../../src/qemu/virshMonitor.js';
import { removeScratch, scratchDirectory } from '../../support/scratch.js';

const GREETING = { QMP: { version: {}, capabilities: [] } };

describe("QEMU's socket", () => {
  let directory = '';
  before(async () => {
    directory = await scratchDirectory('qmp');
  });
  after(() => removeScratch(directory));

  /** A QEMU that says these lines for each command. */
  const qemu = (name: string, answers: Readonly<Record<string, readonly object[]>>): Promise<[string, Server]> => {
    const path = join(directory, name);
    const server = createServer((socket) => {
      socket.write(`${JSON.stringify(GREETING)}\n`);
      socket.on('data', (data) => {
        const { execute } = JSON.parse(String(data)) as { execute: string };
        for (const line of answers[execute] ?? [{ return: {} }]) socket.write(`${JSON.stringify(line)}\n`);
      });
    });
    return new Promise((resolve) => {
      server.listen(path, () => {
        resolve([path, server]);
      });
    });
  };

  test("QEMU's socket gives what a command returned, whatever events come between, and its own words where it refuses", async () => {
    const [path, server] = await qemu('answers', {
      'query-memdev': [{ event: 'RESUME' }, { return: [1] }],
      'qom-set': [{ error: { class: 'GenericError', desc: 'Property not found' } }],
    });
    {
      using monitor = await QmpSocket.connect(path);
      assert.deepEqual(await monitor.execute('query-memdev'), [1]);
      await assert.rejects(monitor.execute('qom-set'), /^Error: QEMU refuses: Property not found$/);
    }
    server.close();
  });

  test('a socket of QEMU’s that nobody listens on is named', async () => {
    await assert.rejects(QmpSocket.connect(join(directory, 'none')), /QEMU's socket .*\/none: ENOENT$/);
  });

  test("QEMU's socket is taken from the command line where QEMU is the one that listens", () => {
    const rows: readonly (readonly [string, string | undefined])[] = [
      ['-qmp unix:/run/q,server=on,wait=off', '/run/q'],
      ['-qmp unix:/run/q,server,nowait', '/run/q'],
      ['-qmp tcp:localhost:4444,server=on', undefined],
      // Proxmox
      [
        '-chardev socket,id=qmp-event,path=/var/run/qmeventd.sock,reconnect=5 -mon chardev=qmp-event,mode=control ' +
          '-chardev socket,id=qmp,path=/var/run/qemu-server/100.qmp,server=on,wait=off -mon chardev=qmp,mode=control',
        '/var/run/qemu-server/100.qmp',
      ],
      // libvirt
      ['-chardev socket,id=charmonitor,fd=34,server=on,wait=off -mon chardev=charmonitor,mode=control', undefined],
      ['-chardev socket,id=a,path=/a,server=on -mon chardev=a,mode=readline', undefined],
    ];
    for (const [words, path] of rows) assert.equal(qmpSocketOf(words.split(' ')), path, words);
  });
});

test("an answer on the socket that is none of QEMU's is said to be one", () => {
  assert.throws(() => returnedBy('x'), /QEMU's answer is not understood: "x"/);
});

test('virsh is told the connection that libvirt-dbus stands for', () => {
  assert.equal(virshUri('/org/libvirt/QEMU', 'unix:path=/run/bus'), 'qemu:///system');
  assert.equal(virshUri('/org/libvirt/QEMU', 'session'), 'qemu:///session');
  assert.equal(virshUri('/org/libvirt/Test', 'system'), undefined);
});

describe('an offer', () => {
  const SIZE = 1024 ** 3;

  /** What is set, in order. */
  const set = async (merge: boolean, offered: boolean, isOffered: boolean | undefined) => {
    const calls: string[] = [];
    const monitor: QemuMonitor = {
      taints: false,
      execute: (command, { path, property, value } = {}) => {
        if (command !== 'query-memdev') calls.push(`${String(path)} ${String(property)}=${String(value)}`);
        return Promise.resolve(['ram-node0', 'memdimm0'].map((id) => ({ id, size: SIZE, merge, share: false })));
      },
      [Symbol.dispose]: () => undefined,
    };
    const bytes = await offerMemory(monitor, offered, () => Promise.resolve(isOffered));
    assert.equal(bytes, 2 * SIZE);
    return calls;
  };

  test('an offer of memory changes with every backend, and for memory that is added later', async () => {
    assert.deepEqual(await set(true, false, true), [
      '/machine mem-merge=false',
      '/objects/ram-node0 merge=false',
      '/objects/memdimm0 merge=false',
    ]);
  });

  test('an offer that the kernel knows otherwise than QEMU is set there and back', async () => {
    assert.deepEqual((await set(false, false, true)).slice(1, 3), [
      '/objects/ram-node0 merge=true',
      '/objects/ram-node0 merge=false',
    ]);
    assert.equal((await set(false, false, undefined)).length, 3);
  });

  test('the offer of a QEMU without backends cannot change', async () => {
    const monitor: QemuMonitor = {
      taints: false,
      execute: () => Promise.resolve([]),
      [Symbol.dispose]: () => undefined,
    };
    await assert.rejects(
      offerMemory(monitor, false, () => Promise.resolve(true)),
      /no memory backend/,
    );
  });
});
