import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { changeSharing } from '../../../src/ctl/guests/sharing.js';
import { Definitions } from '../../../src/libvirt/definitions.js';
import { type CommandResult, runCtl } from '../../support/daemon.js';
import { PrivateBus } from '../../support/dbus/privateBus.js';
import { startTestGuest, testGuestPath } from '../../support/dbus/testDriver.js';
import { OBJECT, SharingHost } from '../../support/sharingHost.js';

/** Does `act` before the definition is given to libvirt, and gives it what `act` returns. */
class Interrupted extends Definitions {
  act: (xml: string) => Promise<string> = (xml) => Promise.resolve(xml);

  override async define(path: string, xml: string): Promise<'changed' | 'added'> {
    return super.define(path, await this.act(xml));
  }
}

describe('guests forbid that cannot be', () => {
  let host: SharingHost;

  before(async () => {
    host = await SharingHost.start();
  });

  after(() => host[Symbol.asyncDispose]());

  /** One line on stderr, and nothing else. */
  function refused({ status, stdout, stderr }: CommandResult, exit: number, sentence: RegExp): void {
    assert.equal(stdout, '');
    assert.equal(status, exit, stderr);
    assert.match(stderr, /^samepagectl: .*\n$/);
    assert.match(stderr, sentence);
  }

  it('guests forbid of an unknown guest names the nearest', async () => {
    await host.define('web-frontend');
    refused(
      await host.ctl('guests', 'forbid', 'web-fronted'),
      1,
      /: libvirt knows no guest web-fronted; did you mean web-frontend\?/,
    );
    refused(await host.ctl('guests', 'allow', 'zzz'), 1, /: libvirt knows no guest zzz; see virsh list --all/);
  });

  it('guests forbid of a transient guest is refused', async () => {
    await startTestGuest(await host.bus.connect(), 'brief');
    refused(
      await host.ctl('guests', 'forbid', 'brief'),
      1,
      /: guest brief is transient, it has no persistent definition: put <memoryBacking><nosharepages\/>/,
    );
    refused(await host.ctl('guests', 'allow', 'brief'), 1, /take <nosharepages\/> out of the XML/);
  });

  it('guests forbid without libvirt-dbus, bus or connection is refused', async () => {
    await using bus = await PrivateBus.start();
    const asked = (address: string, object = OBJECT) =>
      runCtl(['--bus', address, '--libvirt', object, 'guests', 'forbid', 'web']);
    refused(await asked(bus.address), 1, /guest web: libvirt-dbus is not on the bus: install and start libvirt-dbus/);
    refused(await asked('unix:path=/nonexistent/bus'), 1, /no D-Bus at unix:path=\/nonexistent\/bus: /);
    await bus.startLibvirtDbus();
    refused(await asked(bus.address, '/org/libvirt/Nope'), 1, /guest web: .*Nope/);
    refused(await asked(bus.address, 'Nope'), 1, /Invalid object path: Nope/);
  });

  it('guests forbid of a guest that is deleted meanwhile is refused', async () => {
    await host.define('deleted');
    const definitions = new (class extends Definitions {
      override async persistentXml(path: string): Promise<string> {
        await host.domain('deleted', 'Undefine');
        return super.persistentXml(path);
      }
    })(host.connection, OBJECT);
    await assert.rejects(changeSharing(definitions, 'deleted', 'forbid'), {
      message: 'guest deleted was deleted meanwhile',
    });
  });

  it('guests forbid tells how to undefine a guest that was deleted between reading and writing', async () => {
    await host.define('lost');
    const definitions = new Interrupted(host.connection, OBJECT);
    definitions.act = async (xml) => {
      await host.domain('lost', 'Undefine');
      return xml;
    };
    await assert.rejects(changeSharing(definitions, 'lost', 'forbid'), /deleted meanwhile, .* virsh undefine -- lost$/);
  });

  it('a definition that libvirt refuses is told in its own words, and nothing is changed', async () => {
    const before = await host.define('refused');
    const definitions = new Interrupted(host.connection, OBJECT);
    definitions.act = (xml) => Promise.resolve(xml.replace(/<type[^]*?<\/type>/, '<type>nonsense</type>'));
    await assert.rejects(
      changeSharing(definitions, 'refused', 'forbid'),
      /^Error: guest refused: libvirt refuses the new definition .*nonsense/,
    );
    assert.equal(await host.definitions.persistentXml(testGuestPath('refused')), before);
  });

  it('a libvirt that changes more than it was told is found out, without telling secrets', async () => {
    await host.define('changed');
    const definitions = new Interrupted(host.connection, OBJECT);
    definitions.act = (xml) => Promise.resolve(xml.replace('s3cret', 'other'));
    await assert.rejects(
      changeSharing(definitions, 'changed', 'forbid'),
      /^Error: guest changed: the change is made, but libvirt changed more .*: \/domain\/devices\[\d+\]\/graphics\[\d+\]\/@passwd$/,
    );
    definitions.act = (xml) =>
      Promise.resolve(xml.replace('<memory ', '<memoryBacking><nosharepages/></memoryBacking><memory '));
    await assert.rejects(
      changeSharing(definitions, 'changed', 'allow'),
      /libvirt took the definition, but without the change/,
    );
  });

  it('guests forbid and guests allow that are mistyped end with 64', async () => {
    for (const [words, sentence] of [
      [['guests', 'forbit', 'web'], /guests takes forbid or allow, not "forbit"; did you mean forbid\?/],
      [['--libvirt', 'none', 'guests', 'forbid', 'a'], /not with --libvirt none/],
      [['--root', '/', 'guests', 'forbid', 'a'], /guests forbid does not take --root/],
    ] as const) {
      refused(await runCtl(words), 64, sentence);
    }
  });
});
