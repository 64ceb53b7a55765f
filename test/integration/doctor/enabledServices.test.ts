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

describe('services that tune KSM too', { concurrency: 2 }, () => {
  it('services that tune KSM too are each told with the command where they are enabled', async () => {
    const services = ['ksm.service', 'ksmtuned.service', 'momd.service', 'mom-vdsm.service'];
    await using host = await AgentHost.create({ bus: {} });
    installs(host, ...services);
    for (const service of services) {
      const target = service === 'ksmtuned.service' ? 'basic.target.requires' : 'multi-user.target.wants';
      link(host, `${target}/${service}`, `/usr/lib/systemd/system/${service}`);
    }
    host.memoryIsShort();
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    assert.deepEqual(warnings(daemon), services.map(TOLD));
    assert.equal(await daemon.end(), 0);
  });

  it('tuners other than samepaged are named: a process, a line for the next boot, UKSM', async () => {
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

  it('services do not count as enabled: installed alone, masked, of another name, removed, an alias', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const units = '/usr/lib/systemd/system';
    installs(host, 'ksm.service', 'momd.service', 'ksmd.service', 'ksmtuned.service', 'samepaged.service');
    link(host, 'elsewhere/ksm.service', `${units}/ksm.service`);
    link(host, 'multi-user.target.wants/momd.service', `${units}/momd.service`);
    link(host, 'momd.service', '/dev/null');
    link(host, 'multi-user.target.wants/ksmd.service', `${units}/ksmd.service`);
    link(host, 'multi-user.target.wants/mom-vdsm.service', `${units}/mom-vdsm.service`);
    // As samepaged's unit makes it.
    link(host, 'multi-user.target.wants/ksmtuned.service', `${units}/ksmtuned.service`);
    link(host, 'ksmtuned.service', `${units}/samepaged.service`);
    assert.deepEqual(warnings(await host.started()), []);
  });

  it('a host without systemd has no services that tune KSM', async () => {
    await using host = await AgentHost.create({ bus: {} });
    host.tree.remove('etc/systemd');
    assert.deepEqual(warnings(await host.started()), []);
  });
});
