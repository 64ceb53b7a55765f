import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AgentHost } from '../../support/agentHost.js';
import { connect } from '../../support/dbus/busClient.js';
import { Child } from '../../support/child.js';
import { runCtl } from '../../support/daemon.js';
import { HostTree } from '../../support/hostTree.js';
import { LibvirtStandIn } from '../../support/dbus/libvirtStandIn.js';
import { PrivateBus } from '../../support/dbus/privateBus.js';

interface Said {
  readonly level: string;
  readonly found: string;
}

/** What the check-up of the healthy host says of each of these, with a bus. */
async function said(root: string, address: string, ...ids: readonly string[]): Promise<readonly Said[]> {
  const bus = ['--bus', address, '--libvirt', '/org/libvirt/Test'];
  const { stdout, stderr } = await runCtl(['doctor', '--json', '--root', root, ...bus]);
  assert.equal(stderr, '');
  const findings = JSON.parse(stdout) as (Said & { readonly id: string })[];
  return ids.map((id) => {
    const finding = findings.find((candidate) => candidate.id === id);
    assert.ok(finding !== undefined, `no ${id} in ${stdout}`);
    return { level: finding.level, found: finding.found };
  });
}

const HEALTHY = 'fixtures/hosts/kernel-6.12';

/** A bus of its own with this in its configuration. */
async function busWith(directory: string, extra: string): Promise<{ address: string; daemon: Child }> {
  const address = `unix:path=${directory}/bus`;
  const file = join(directory, 'bus.conf');
  writeFileSync(
    file,
    `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>${address}</listen>
  <auth>EXTERNAL</auth>
  <servicedir>${directory}</servicedir>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow receive_sender="*" eavesdrop="true"/>
    ${extra}
  </policy>
</busconfig>
`,
  );
  const daemon = Child.start('dbus-daemon', [`--config-file=${file}`, '--nofork'], { log: `${directory}/bus.log` });
  await daemon.until(() =>
    connect(address).then(
      (client) => {
        client.disconnect();
        return true;
      },
      () => false,
    ),
  );
  return { address, daemon };
}

describe('samepagectl doctor with a bus', { concurrency: true }, () => {
  it('samepagectl doctor with the real libvirt-dbus finds that it answers, and samepaged not there', async () => {
    await using bus = await PrivateBus.start({ libvirt: 'test' });
    const [dBus, dbus, libvirtd, daemon] = await said(
      HEALTHY,
      bus.address,
      'bus',
      'libvirt-dbus',
      'libvirtd',
      'daemon',
    );
    assert.deepEqual(dBus, { level: 'ok', found: bus.address });
    assert.deepEqual(dbus, { level: 'ok', found: 'installed, reachable, allowed' });
    assert.deepEqual(libvirtd, { level: 'ok', found: 'answers through libvirt-dbus: 1 guest' });
    assert.deepEqual(daemon, { level: 'note', found: 'samepaged does not run, and nothing else tunes KSM' });
  });

  it('samepagectl doctor asks a samepaged of itself, and does not start one that is not there', async () => {
    await using host = await AgentHost.create({ bus: {} });
    await host.started();
    const [daemon] = await said(host.tree.root, host.address, 'daemon');
    assert.equal(daemon?.level, 'note');
    assert.match(daemon.found, /^samepaged \S+ runs, policy ksmtuned, without libvirt: guests are found in \/proc$/);
  });

  it('samepagectl doctor finds no libvirt-dbus, where libvirt is', async () => {
    await using bus = await PrivateBus.start();
    const [dbus, libvirtd] = await said(HEALTHY, bus.address, 'libvirt-dbus', 'libvirtd');
    assert.deepEqual(dbus, { level: 'problem', found: 'libvirt is here, but libvirt-dbus is not on the bus' });
    assert.deepEqual(libvirtd, { level: 'ok', found: 'starts when it is asked: its socket is there' });
  });

  it('samepagectl doctor finds a libvirt-dbus that libvirt does not answer', async () => {
    await using bus = await PrivateBus.start();
    using tree = HostTree.create();
    using libvirt = await LibvirtStandIn.start(bus.address, tree);
    libvirt.behaviour.ListDomains = 'error';
    const [dbus, libvirtd] = await said(tree.root, bus.address, 'libvirt-dbus', 'libvirtd');
    assert.deepEqual(dbus, { level: 'ok', found: 'installed and reachable; libvirt behind it fails' });
    assert.equal(libvirtd?.level, 'problem');
    assert.equal(libvirtd.found, 'libvirt does not answer: ListDomains failed, says the stand-in');
  });

  it('samepagectl doctor finds a bus that does not let it call libvirt-dbus', async () => {
    using tree = HostTree.create();
    const { address, daemon } = await busWith(tree.root, '<deny send_destination="org.libvirt"/>');
    try {
      using libvirt = await LibvirtStandIn.start(address, tree);
      const [dbus] = await said(tree.root, address, 'libvirt-dbus');
      const asRoot = process.geteuid?.() === 0;
      assert.equal(dbus?.level, asRoot ? 'problem' : 'unknown');
      assert.match(dbus.found, asRoot ? /^the bus does not let root call it: / : /ask as root$/);
      assert.deepEqual(libvirt.calls, []);
    } finally {
      await daemon.kill();
    }
  });

  it('samepagectl doctor finds a libvirt-dbus that is installed and does not start', async () => {
    using tree = HostTree.create();
    tree.write('org.libvirt.service', '[D-BUS Service]\nName=org.libvirt\nExec=/bin/false\n');
    const { address, daemon } = await busWith(tree.root, '');
    try {
      const [dbus] = await said(tree.root, address, 'libvirt-dbus');
      assert.equal(dbus?.level, 'problem');
      assert.match(dbus.found, /^it does not start: .*exited with status 1/);
    } finally {
      await daemon.kill();
    }
  });

  it('samepagectl doctor with --libvirt none does not ask libvirt', async () => {
    await using bus = await PrivateBus.start({ libvirt: 'test' });
    const { stdout } = await runCtl(['doctor', '--root', HEALTHY, '--bus', bus.address, '--libvirt', 'none']);
    assert.match(stdout, /^unknown:\n {2}libvirt-dbus +not asked \(--libvirt none\)$/m);
  });
});
