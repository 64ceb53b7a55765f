import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BootedGuest, type BootedGuestSpec, bootedGuestXml } from './bootedGuest.js';
import type { Child } from '../child.js';
import { domainPath, type GuestSpec, guestXml, writeBlob } from './guest.js';
import { guestImage } from './guestImage.js';
import { Namespace } from '../namespace.js';
import { PrivateBus } from '../dbus/privateBus.js';

/**
 * Real libvirtd, libvirt-dbus and QEMU guests, apart from the machine's own except for the kernel: NodeSetMemoryParameters
 * changes the real KSM (see ksm.ts). The bus is outside the namespaces, so that processes inside and outside meet on it.
 */
export class Lab {
  readonly #bus: PrivateBus;
  readonly #namespace: Namespace;
  readonly #commonBlobs = new Map<number, Promise<string>>();
  #libvirtd: Child | undefined;
  #libvirtDbus: Child | undefined;

  private constructor(bus: PrivateBus, namespace: Namespace) {
    this.#bus = bus;
    this.#namespace = namespace;
  }

  /** libvirtd answers and org.libvirt is owned when it resolves. Needs root. */
  static async start(): Promise<Lab> {
    const bus = await PrivateBus.start({ type: 'system' });
    const lab = new Lab(bus, new Namespace(bus.directory));
    try {
      await lab.#namespace.open();
      await Promise.all([lab.startLibvirtd(), lab.startLibvirtDbus()]);
      return lab;
    } catch (error) {
      await lab.stop();
      throw error;
    }
  }

  /** For connections of the test's own. */
  get bus(): PrivateBus {
    return this.#bus;
  }

  get address(): string {
    return this.#bus.address;
  }

  /** Runs a command where libvirtd and the guests are: its stdout; rejects with its stderr. */
  run(command: string, ...args: readonly string[]): Promise<string> {
    return this.#namespace.run(command, ...args);
  }

  /** virsh's stdout; rejects with its stderr. */
  virsh(...args: readonly string[]): Promise<string> {
    return this.run('virsh', '--connect', 'qemu:///system', '--quiet', ...args);
  }

  /** The guest's object path, whether it runs or not. */
  guestPath(name: string): string {
    return domainPath('QEMU', name);
  }

  /** The guest is transient. Its memory is filled when it resolves. */
  async startGuest(spec: GuestSpec): Promise<void> {
    const own = join(this.#bus.directory, `${spec.name}.own`);
    const xml = join(this.#bus.directory, `${spec.name}.xml`);
    try {
      const common = await this.#commonBlob(spec.commonMiB);
      await writeBlob(own, `own ${spec.name}`, spec.ownMiB);
      await writeFile(xml, guestXml(spec, { common, own }));
      await this.virsh('create', xml, ...(spec.suspend === false ? [] : ['--paused']));
    } finally {
      await rm(own, { force: true });
      await rm(xml, { force: true });
    }
  }

  /** The guest is transient. It has begun to boot when this resolves; its `ready` tells when its memory is filled. */
  async startBootedGuest(spec: BootedGuestSpec): Promise<BootedGuest> {
    const image = await guestImage();
    const socket = join(this.#bus.directory, `${spec.name}.console`);
    const xml = join(this.#bus.directory, `${spec.name}.xml`);
    try {
      await writeFile(xml, bootedGuestXml(spec, image, socket));
      await this.virsh('create', xml);
      return new BootedGuest(spec.name, socket);
    } finally {
      await rm(xml, { force: true });
    }
  }

  async destroyGuest(name: string): Promise<void> {
    await this.virsh('destroy', name);
  }

  /** Answers when it resolves, and knows the guests that ran on without it. */
  async startLibvirtd(): Promise<void> {
    if (this.#libvirtd?.running === true) throw new Error('libvirtd runs already');
    this.#libvirtd = this.#namespace.start('libvirtd', []);
    await this.#libvirtd.until(() =>
      this.virsh('uri').then(
        () => true,
        () => false,
      ),
    );
  }

  /** The guests run on. */
  async stopLibvirtd(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#libvirtd?.kill(signal);
  }

  /** Not waited for: SIGSTOP makes a libvirtd that takes calls and never answers, SIGCONT ends that. */
  signalLibvirtd(signal: NodeJS.Signals): void {
    this.#libvirtd?.signal(signal);
  }

  async restartLibvirtd(): Promise<void> {
    await this.stopLibvirtd();
    await this.startLibvirtd();
  }

  /** Owns org.libvirt when it resolves. */
  async startLibvirtDbus(): Promise<void> {
    if (this.#libvirtDbus?.running === true) throw new Error('libvirt-dbus runs already');
    const env = { DBUS_SYSTEM_BUS_ADDRESS: this.address };
    this.#libvirtDbus = this.#namespace.start('libvirt-dbus', ['--system'], env);
    await this.#bus.untilOwned('org.libvirt', this.#libvirtDbus);
  }

  async stopLibvirtDbus(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#libvirtDbus?.kill(signal);
  }

  /** Idempotent. Guests, daemons, mounts and files are gone when it resolves. KSM stays as it is. */
  async stop(): Promise<void> {
    await this.#namespace.close();
    await this.#bus.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Made once per size. */
  #commonBlob(mebibytes: number): Promise<string> {
    const file = join(this.#bus.directory, `common-${mebibytes}`);
    const made = this.#commonBlobs.get(mebibytes) ?? writeBlob(file, 'common', mebibytes).then(() => file);
    this.#commonBlobs.set(mebibytes, made);
    return made;
  }
}
