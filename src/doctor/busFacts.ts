import { DBusError } from 'dbus-next';
import { Bus, isNoSuchService } from '../dbus/bus.js';
import { describeAddress, type BusAddress } from '../dbus/address.js';
import { Daemon, type DaemonProperties } from '../api/client.js';
import { NotRunning } from '../api/notRunning.js';
import type { ReportedName } from '../core/inventory.js';
import { CallTimeout } from '../dbus/call.js';
import { messageOf } from '../errors.js';
import { Libvirt } from '../libvirt/libvirt.js';
import { type Fact, known, learn, unknown } from './fact.js';

/**
 * What libvirt-dbus said when it was asked for the running guests. `broken`: installed and does not start. `silent`: it did not
 * answer, or libvirt did not answer it. `fails`: libvirt-dbus said that libvirt fails.
 */
export type LibvirtReply =
  | { readonly kind: 'answers'; readonly guests: readonly ReportedName[] }
  | { readonly kind: 'missing' | 'broken' | 'silent' | 'denied' | 'fails'; readonly reason: string };

export interface BusFacts {
  /** The bus, in words; or why nobody answers there. */
  readonly bus: Fact<{ readonly address: string } | { readonly failure: string }>;
  readonly libvirt: Fact<LibvirtReply>;
  /** What samepaged tells of itself; undefined when it is not on the bus. */
  readonly daemon: Fact<DaemonProperties | undefined>;
  /** Whether this command has root's rights, without which a bus may refuse. */
  readonly asRoot: Fact<boolean>;
}

/** Nothing was asked, for `reason`. */
export function unaskedBus(reason: string): BusFacts {
  return { bus: unknown(reason), libvirt: unknown(reason), daemon: unknown(reason), asRoot: known(isRoot()) };
}

/**
 * What is on the bus. libvirt-dbus may be started for it, samepaged is not. Never fails.
 *
 * @param libvirtObject libvirt-dbus's object for the guests' driver, or "none".
 */
export async function gatherBusFacts(address: BusAddress, libvirtObject: string): Promise<BusFacts> {
  const bus = await learn(() => Bus.connect(address));
  if (bus.state !== 'known') {
    const failure = bus.reason;
    return { ...unaskedBus('there is no D-Bus to ask on'), bus: known({ failure }) };
  }
  try {
    return {
      bus: known({ address: describeAddress(address) }),
      libvirt:
        libvirtObject === 'none'
          ? unknown('not asked (--libvirt none)')
          : await learn(() => askLibvirt(bus.value, libvirtObject)),
      daemon: await learn(() => daemonOn(bus.value, address)),
      asRoot: known(isRoot()),
    };
  } finally {
    bus.value.close();
  }
}

async function askLibvirt(bus: Bus, object: string): Promise<LibvirtReply> {
  try {
    // Undefined when guests came and went meanwhile: then it is asked again, and once is enough.
    const libvirt = new Libvirt(bus, object);
    const guests = (await libvirt.listRunning(true)) ?? (await libvirt.listRunning(true)) ?? [];
    return { kind: 'answers', guests };
  } catch (error) {
    return { kind: failureKind(error), reason: messageOf(error) };
  }
}

function failureKind(error: unknown): Exclude<LibvirtReply['kind'], 'answers'> {
  if (error instanceof CallTimeout) return 'silent';
  if (isNoSuchService(error))
    return error instanceof DBusError && error.type.includes('.Spawn.') ? 'broken' : 'missing';
  return error instanceof DBusError && /\.(AccessDenied|AuthFailed)$/.test(error.type) ? 'denied' : 'fails';
}

async function daemonOn(bus: Bus, address: BusAddress): Promise<DaemonProperties | undefined> {
  try {
    return await Daemon.on(bus, address, (daemon) => daemon.properties());
  } catch (error) {
    if (error instanceof NotRunning) return undefined;
    throw error;
  }
}

function isRoot(): boolean {
  return process.geteuid?.() === 0;
}
