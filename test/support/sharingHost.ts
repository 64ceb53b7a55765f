import { Bus } from '../../src/dbus/bus.js';
import { Definitions } from '../../src/libvirt/definitions.js';
import { call } from './dbus/busClient.js';
import { type CommandResult, runCtl } from './daemon.js';
import { guestUuid } from './kvm/guest.js';
import { PrivateBus } from './dbus/privateBus.js';
import { testGuestPath } from './dbus/testDriver.js';

export const OBJECT = '/org/libvirt/Test';

/** What must survive: metadata of others, a secret, entities, other memory backing. */
function definition(name: string, backing = ''): string {
  return `<domain type='test'>
  <name>${name}</name>
  <uuid>${guestUuid(name)}</uuid>
  <title>a &lt;title&gt; &amp; more</title>
  <metadata>
    <app:note xmlns:app='urn:example:app' app:by='&quot;me&quot;'><!-- kept --><memoryBacking><nosharepages/></memoryBacking></app:note>
  </metadata>
  <memory unit='MiB'>64</memory>
  ${backing}
  <os><type>hvm</type></os>
  <devices>
    <graphics type='vnc' port='-1' passwd='s3cret&amp;'/>
  </devices>
</domain>`;
}

/** libvirt's test driver on a bus of its own. */
export class SharingHost implements AsyncDisposable {
  readonly bus: PrivateBus;
  readonly connection: Bus;

  private constructor(bus: PrivateBus, connection: Bus) {
    this.bus = bus;
    this.connection = connection;
  }

  static async start(): Promise<SharingHost> {
    const bus = await PrivateBus.start({ libvirt: 'test' });
    return new SharingHost(bus, await Bus.connect(bus.address));
  }

  get definitions(): Definitions {
    return new Definitions(this.connection, OBJECT);
  }

  ctl(...words: readonly string[]): Promise<CommandResult> {
    return runCtl(['--bus', this.bus.address, '--libvirt', OBJECT, ...words]);
  }

  /** What libvirt made of it. */
  async define(name: string, backing?: string): Promise<string> {
    await this.definitions.define(testGuestPath(name), definition(name, backing));
    return this.definitions.persistentXml(testGuestPath(name));
  }

  async domain(name: string, member: 'Create' | 'Destroy' | 'Undefine' | 'ManagedSave'): Promise<void> {
    const domain = { destination: 'org.libvirt', path: testGuestPath(name), interface: 'org.libvirt.Domain' };
    await call(await this.bus.connect(), { ...domain, member, signature: 'u', body: [0] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connection.close();
    await this.bus.stop();
  }
}
