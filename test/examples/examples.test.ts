import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { VERBS } from '../../src/ctl/verbs.js';
import { AgentHost } from '../support/agentHost.js';
import { call } from '../support/dbus/busClient.js';
import { writeCtlShim } from '../support/ctlShim.js';
import { removeScratch, scratchDirectory } from '../support/scratch.js';

const SHELL_DIRECTORIES = ['etc/bash_completion.d', 'usr/local/share/zsh/site-functions', 'etc/fish/completions'];
/** Verbs that ask libvirt; here they ask its test driver. */
const OF_LIBVIRT = /\bsamepagectl (guests|doctor)\b/g;

/** A guest named in examples, of libvirt's test driver, defined and running. */
async function defineGuest(host: AgentHost, name: string): Promise<void> {
  const bus = await host.bus.connect();
  const xml = `<domain type='test'><name>${name}</name><memory unit='MiB'>64</memory><os><type>hvm</type></os></domain>`;
  const connection = { destination: 'org.libvirt', path: '/org/libvirt/Test', interface: 'org.libvirt.Connect' };
  await call(bus, { ...connection, member: 'DomainDefineXML', signature: 's', body: [xml] });
}

/**
 * Runs a line as documented, by a shell, on a host with a daemon; paths outside /tmp are those of the host's files.
 */
async function runExample(host: AgentHost, directory: string, command: string) {
  const placed = command
    .replaceAll(/(?<= )\/(?=etc\/|usr\/)/g, `${host.tree.root}/`)
    .replaceAll('/tmp/host', resolve('fixtures/hosts/numa'))
    .replaceAll(OF_LIBVIRT, '$& --libvirt /org/libvirt/Test')
    // The copy of a kernel's files has no ksmd that would be done some time.
    .replace(/^sudo samepagectl estimate.*/, 'samepagectl estimate --for 1s --yes');
  const child = spawn('bash', ['-c', placed], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PATH: `${directory}:${process.env['PATH'] ?? ''}`,
      DBUS_SYSTEM_BUS_ADDRESS: host.address,
    },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [status] = (await once(child, 'close')) as [number | null];
  return { placed, status, stdout, stderr };
}

// Three at a time: each has a daemon of its own.
describe('every documented example', { concurrency: 3 }, () => {
  for (const [name, { examples }] of Object.entries(VERBS)) {
    it(`every documented example of samepagectl ${name} does what it says`, async () => {
      const directory = await scratchDirectory('examples');
      try {
        await using host = await AgentHost.create({ bus: { libvirt: 'test' } });
        host.memoryIsShort();
        await writeCtlShim(directory);
        for (const path of SHELL_DIRECTORIES) await mkdir(join(host.tree.root, path), { recursive: true });
        await defineGuest(host, 'vault');
        await host.started({ libvirt: '/org/libvirt/Test' });
        for (const { command } of examples) {
          const { placed, status, stdout, stderr } = await runExample(host, directory, command);
          assert.ok(status === 0 || (name === 'doctor' && status === 1), `${placed}: ${status}\n${stdout}${stderr}`);
          // estimate first says there that pages are shared meanwhile.
          if (name !== 'estimate') assert.equal(stderr, '', placed);
          if (!/>|--output/.test(command)) assert.notEqual(stdout, '', placed);
        }
      } finally {
        await removeScratch(directory);
      }
    });
  }

  it('a documented example is run as it is: a verb that is not there fails', async () => {
    const directory = await scratchDirectory('examples');
    try {
      await using host = await AgentHost.create({ bus: {} });
      await writeCtlShim(directory);
      const { status, stderr } = await runExample(host, directory, 'samepagectl dance > /etc/nothing');
      assert.equal(status, 64);
      assert.match(stderr, /no verb "dance"/);
    } finally {
      await removeScratch(directory);
    }
  });
});
