import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { AgentHost, warnings } from '../support/agentHost.js';

/** What `systemctl enable` and `systemctl mask` leave. */
function link(host: AgentHost, path: string, target: string): void {
  const file = join(host.tree.root, 'etc/systemd/system', path);
  mkdirSync(dirname(file), { recursive: true });
  symlinkSync(target, file);
}

const TOLD = (service: string) =>
  `${service} is enabled and would fight samepaged at the next boot: systemctl disable --now ${service}`;

describe('services that tune KSM too', { concurrency: true }, () => {
  for (const service of ['ksm.service', 'ksmtuned.service']) {
    it(`${service} enabled is told with the command, and samepaged works`, async () => {
      await using host = await AgentHost.create({ bus: {} });
      link(host, `multi-user.target.wants/${service}`, `/usr/lib/systemd/system/${service}`);
      host.memoryIsShort();
      const daemon = await host.started();
      await host.paceIs('1 300 10');
      assert.deepEqual(warnings(daemon), [TOLD(service)]);
      assert.equal(await daemon.end(), 0);
    });
  }

  it('both are told', async () => {
    await using host = await AgentHost.create({ bus: {} });
    link(host, 'multi-user.target.wants/ksm.service', '/usr/lib/systemd/system/ksm.service');
    link(host, 'basic.target.requires/ksmtuned.service', '/usr/lib/systemd/system/ksmtuned.service');
    const daemon = await host.started();
    assert.deepEqual(warnings(daemon), [TOLD('ksm.service'), TOLD('ksmtuned.service')]);
  });

  const INSTALLED = '/usr/lib/systemd/system/ksm.service';
  const WANTED = { 'multi-user.target.wants/ksm.service': INSTALLED };
  const rows: { name: string; links: Readonly<Record<string, string>> }[] = [
    { name: 'installed but not enabled', links: { 'elsewhere/ksm.service': INSTALLED } },
    { name: 'enabled but masked', links: { ...WANTED, 'ksm.service': '/dev/null' } },
    {
      name: 'of another name',
      links: { 'multi-user.target.wants/ksmd.service': '/usr/lib/systemd/system/ksmd.service' },
    },
  ];
  for (const { name, links } of rows) {
    it(`one that is ${name} is not`, async () => {
      await using host = await AgentHost.create({ bus: {} });
      for (const [path, target] of Object.entries(links)) link(host, path, target);
      assert.deepEqual(warnings(await host.started()), []);
    });
  }

  it('a host without systemd has none', async () => {
    await using host = await AgentHost.create({ bus: {} });
    host.tree.remove('etc/systemd');
    assert.deepEqual(warnings(await host.started()), []);
  });
});
