import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { AgentHost, warnings } from '../../support/agentHost.js';

/** What `systemctl enable` and `systemctl mask` leave. */
function link(host: AgentHost, path: string, target: string): void {
  const file = join(host.tree.root, 'etc/systemd/system', path);
  mkdirSync(dirname(file), { recursive: true });
  symlinkSync(target, file);
}

/** Units as packages bring them. */
function installs(host: AgentHost, ...names: readonly string[]): void {
  for (const name of names) host.tree.write(`usr/lib/systemd/system/${name}`, '[Service]\n');
}

const TOLD = (service: string) =>
  `${service} is enabled and would fight samepaged at the next boot: systemctl disable --now ${service}`;

describe('services that tune KSM too', { concurrency: true }, () => {
  for (const service of ['ksm.service', 'ksmtuned.service', 'momd.service', 'mom-vdsm.service']) {
    it(`${service} enabled is told with the command, and samepaged works`, async () => {
      await using host = await AgentHost.create({ bus: {} });
      installs(host, service);
      link(host, `multi-user.target.wants/${service}`, `/usr/lib/systemd/system/${service}`);
      host.memoryIsShort();
      const daemon = await host.started();
      await host.paceIs('1 300 10');
      assert.deepEqual(warnings(daemon), [TOLD(service)]);
      assert.equal(await daemon.end(), 0);
    });
  }

  it('other known tuners are named: a process, a line for the next boot, UKSM', async () => {
    await using host = await AgentHost.create({ bus: {} });
    host.tree.addProcess({ pid: 4001, argv: ['virt-handler'], residentKb: 1 });
    host.tree.write('etc/tmpfiles.d/ksm.conf', 'w /sys/kernel/mm/ksm/run - - - - 1\n');
    host.tree.write('sys/kernel/mm/uksm/run', '1\n');
    const daemon = await host.started();
    assert.deepEqual(warnings(daemon), [
      'virt-handler (pid 4001) may set KSM as well: KubeVirt: remove ksmConfiguration from the KubeVirt resource',
      '/etc/tmpfiles.d/ksm.conf:1 sets KSM at the next boot: remove the line /etc/tmpfiles.d/ksm.conf:1',
      'this kernel has UKSM, which merges by itself: echo 0 > /sys/kernel/mm/uksm/run',
    ]);
  });

  it('both are told', async () => {
    await using host = await AgentHost.create({ bus: {} });
    installs(host, 'ksm.service', 'ksmtuned.service');
    link(host, 'multi-user.target.wants/ksm.service', '/usr/lib/systemd/system/ksm.service');
    link(host, 'basic.target.requires/ksmtuned.service', '/usr/lib/systemd/system/ksmtuned.service');
    const daemon = await host.started();
    assert.deepEqual(warnings(daemon), [TOLD('ksm.service'), TOLD('ksmtuned.service')]);
  });

  const INSTALLED = '/usr/lib/systemd/system/ksm.service';
  const WANTED = { 'multi-user.target.wants/ksm.service': INSTALLED };
  const rows: { name: string; units?: readonly string[]; links: Readonly<Record<string, string>> }[] = [
    { name: 'installed but not enabled', units: ['ksm.service'], links: { 'elsewhere/ksm.service': INSTALLED } },
    { name: 'enabled but masked', units: ['ksm.service'], links: { ...WANTED, 'ksm.service': '/dev/null' } },
    {
      name: 'of another name',
      units: ['ksmd.service'],
      links: { 'multi-user.target.wants/ksmd.service': '/usr/lib/systemd/system/ksmd.service' },
    },
    { name: 'left over from a package that was removed', links: WANTED },
    {
      name: 'an alias of samepaged, as its unit makes it',
      units: ['ksmtuned.service', 'samepaged.service'],
      links: {
        'multi-user.target.wants/ksmtuned.service': '/usr/lib/systemd/system/ksmtuned.service',
        'ksmtuned.service': '/usr/lib/systemd/system/samepaged.service',
      },
    },
  ];
  for (const { name, units = [], links } of rows) {
    it(`a service that is ${name} does not count as enabled`, async () => {
      await using host = await AgentHost.create({ bus: {} });
      installs(host, ...units);
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
