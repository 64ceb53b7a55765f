import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DBusError, type Interface, interface as dbus } from 'dbus-next';
import { connect } from '../../support/dbus/busClient.js';
import { Child } from '../../support/child.js';
import { runCtl } from '../../support/daemon.js';
import { PrivateBus } from '../../support/dbus/privateBus.js';
import { removeScratch, scratchDirectory } from '../../support/scratch.js';

const NOT_AUTHORIZED = 'org.samepaged1.Error.NotAuthorized';

/** A Manager that refuses everything, with this error. */
function refusing(type: string, text: string): Interface {
  class Manager extends dbus.Interface {
    @dbus.method({ outSignature: 'a{sv}' })
    Retune(): object {
      throw new DBusError(type, text);
    }
  }
  return new Manager('org.samepaged1.Manager');
}

const ROOT = `  Root may do everything: sudo samepagectl ...
`;
const GROUP = `  Members of the group libvirt may retune and pause; to become one:
    sudo usermod -aG libvirt "$USER"    # and log in again
`;

describe('samepagectl that is not allowed', { concurrency: true }, () => {
  for (const [what, type, text, who] of [
    ['by polkit', NOT_AUTHORIZED, 'org.samepaged1.unmerge is for root and administrators', ROOT],
    ['though the group libvirt may', NOT_AUTHORIZED, 'it is for root and members of the group libvirt', ROOT + GROUP],
    ['without polkit', NOT_AUTHORIZED, 'it is for root only here (polkit does not run)', ROOT],
    ['by the bus', 'org.freedesktop.DBus.Error.AccessDenied', 'Rejected; type="method_call"', ROOT],
  ] as const) {
    it(`samepagectl that is not allowed ${what} says who may, and how to become one, exit 1`, async () => {
      await using bus = await PrivateBus.start();
      const service = await bus.connect();
      service.export('/org/samepaged1', refusing(type, text));
      await service.requestName('org.samepaged1', 0);
      const { status, stdout, stderr } = await runCtl(['--bus', bus.address, 'retune']);
      assert.deepEqual([status, stdout], [1, '']);
      assert.equal(stderr, `samepagectl: you may not do this (${text.replace(/;.*/, '')}).\n${who}`);
    });
  }

  it('samepagectl that the policy of a real bus refuses says who may, without what the bus says to itself', async () => {
    const directory = await scratchDirectory('refusing');
    const socket = join(directory, 'bus');
    const file = join(directory, 'bus.conf');
    await writeFile(
      file,
      `<busconfig>
  <type>system</type>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow receive_sender="*"/>
    <deny send_interface="org.samepaged1.Manager" send_type="method_call"/>
    <deny send_destination="org.samepaged1" send_interface="org.freedesktop.DBus.Properties"/>
  </policy>
</busconfig>
`,
    );
    const log = join(directory, 'log');
    const daemon = Child.start('dbus-daemon', [`--config-file=${file}`, '--nofork'], { log });
    try {
      await daemon.until(() => accepts(socket));
      const address = `unix:path=${socket}`;
      const service = await connect(address);
      service.export('/org/samepaged1', refusing('org.samepaged1.Error.NotReached', 'never said'));
      await service.requestName('org.samepaged1', 0);
      for (const verb of ['retune', 'stop', 'status', 'policy', 'explain']) {
        const { status, stdout, stderr } = await runCtl(['--bus', address, verb]);
        assert.deepEqual([status, stdout], [1, ''], verb);
        const [first = '', ...rest] = stderr.split('\n');
        assert.match(first, /^samepagectl: you may not do this \([^;:()]+\)\.$/);
        assert.equal(rest.join('\n'), ROOT);
      }
      service.disconnect();
    } finally {
      await daemon.kill('SIGKILL');
      await removeScratch(directory);
    }
  });
});

describe('samepagectl with a samepaged of another version', { concurrency: true }, () => {
  it('samepagectl with a samepaged of another version says that it is one, and what to do', async () => {
    await using bus = await PrivateBus.start();
    const service = await bus.connect();
    service.export('/org/samepaged1', new OldManager('org.samepaged1.Manager'));
    await service.requestName('org.samepaged1', 0);
    for (const verb of ['status', 'explain', 'reload', 'config']) {
      const { status, stdout, stderr } = await runCtl(['--bus', bus.address, verb]);
      assert.deepEqual([status, stdout], [1, ''], verb);
      assert.match(stderr, /^samepagectl: the running samepaged has another version than this command \(/);
      assert.match(stderr, /systemctl restart samepaged\n$/);
    }
    const { status, stdout } = await runCtl(['--bus', bus.address, 'version']);
    assert.equal(status, 0);
    assert.match(stdout, /\nsamepaged 0\.0\.1\nThey differ\. .*systemctl restart samepaged\n$/);
  });
});

class OldManager extends dbus.Interface {
  private readonly version = '0.0.1';

  @dbus.property({ signature: 's', access: 'read' })
  get Version(): string {
    return this.version;
  }
}

function accepts(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(socket, () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => {
      resolve(false);
    });
  });
}
