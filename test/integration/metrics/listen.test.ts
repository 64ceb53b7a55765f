import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AgentHost, reload, retune, warnings } from '../../support/agentHost.js';
import { DaemonProcess, eventually } from '../../support/daemon.js';
import { type Place, freePort, httpGet, valueIn } from '../../support/metrics.js';
import { DAEMON } from '../../support/programs.js';

async function isUp(place: Place): Promise<boolean> {
  return httpGet(place).then(
    ({ body }) => valueIn(body, 'samepaged_up') === 1,
    () => false,
  );
}

/** Without the path of the configuration. */
function warned(host: AgentHost, daemon: DaemonProcess): string[] {
  return warnings(daemon)
    .filter((line) => line.includes('METRICS'))
    .map((line) => line.replaceAll(host.tree.root, 'HOST'));
}

describe('KSM_METRICS_LISTEN', { concurrency: true }, () => {
  it('a reload opens, moves and closes the port of KSM_METRICS_LISTEN', async () => {
    await using host = await AgentHost.create();
    const daemon = await host.started();
    const [first, second] = [await freePort(), await freePort()];
    for (const [port, other] of [
      [first, second],
      [second, first],
    ] as const) {
      host.configure({ KSM_METRICS_LISTEN: `127.0.0.1:${port}` });
      await reload(daemon);
      await eventually(() => isUp({ port }));
      assert.equal(await isUp({ port: other }), false);
    }
    host.configure({});
    await reload(daemon);
    await eventually(async () => !(await isUp({ port: second })));
    assert.equal(await daemon.end(), 0);
  });

  it('KSM_METRICS_LISTEN takes a unix socket for any user, and replaces one that a killed daemon left', async () => {
    await using host = await AgentHost.create();
    const socketPath = join(host.tree.root, 'metrics');
    host.configure({ KSM_METRICS_LISTEN: `unix:${socketPath}` });
    const killed = await host.started();
    await eventually(() => isUp({ socketPath }));
    assert.equal(statSync(socketPath).mode & 0o666, 0o666);
    await killed.end('SIGKILL');
    const daemon = await host.started();
    await eventually(() => isUp({ socketPath }));
    assert.equal(await daemon.end(), 0);
    assert.equal(statSync(socketPath, { throwIfNoEntry: false }), undefined);
  });

  it('a metrics port in use, a foreign address and a missing directory are one warning each', async () => {
    await using host = await AgentHost.create();
    const other = createServer().listen(0, '127.0.0.1').unref();
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const file = join(host.tree.root, 'file');
    host.tree.write('file', 'mine');
    for (const [address, cause] of [
      [`127.0.0.1:${port}`, 'something else listens there (EADDRINUSE)'],
      ['192.0.2.1:9870', 'this host has no such address (EADDRNOTAVAIL)'],
      [
        `unix:${host.tree.root}/none/metrics`,
        'samepaged may not listen there, or the directory is not there (EACCES); in its service it may below /run/samepaged',
      ],
      [`unix:${file}`, 'something else listens there (EADDRINUSE)'],
    ] as const) {
      host.configure({ KSM_METRICS_LISTEN: address });
      const daemon = await host.started();
      await daemon.line(/METRICS/);
      await retune(daemon);
      assert.deepEqual(warned(host, daemon), [
        `HOST/etc/ksmtuned.conf:3: KSM_METRICS_LISTEN=${address.replace(host.tree.root, 'HOST')}: ${cause}: ` +
          'no metrics are served there, everything else goes on',
      ]);
      assert.equal(await daemon.end(), 0);
    }
    assert.equal(host.tree.read('file'), 'mine');
  });

  it('a KSM_METRICS_LISTEN that is no address is an error of the configuration', async () => {
    await using host = await AgentHost.create({ config: { KSM_METRICS_LISTEN: '9870' } });
    const daemon = host.start();
    assert.equal(await daemon.exit(), 78);
    assert.match(
      daemon.other.join('\n'),
      /:3: KSM_METRICS_LISTEN=9870: expected ADDRESS:PORT, as 127\.0\.0\.1:9870 or \[::1\]:9870, or unix:\/PATH, or nothing$/,
    );
  });
});

it('metrics are served on a socket that the service manager opened', async () => {
  await using host = await AgentHost.create();
  const port = await freePort();
  const daemon = [DAEMON, ...host.args()];
  const child = spawn('systemd-socket-activate', ['-l', `127.0.0.1:${port}`, process.execPath, ...daemon], {
    stdio: 'ignore',
  });
  try {
    const page = await eventually(() =>
      httpGet({ port }).then(
        ({ body }) => body,
        () => undefined,
      ),
    );
    assert.equal(valueIn(page, 'samepaged_up'), 1);
    assert.equal(await isUp({ port }), true, 'a second client');
  } finally {
    child.kill('SIGTERM');
  }
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});
