import { Bus } from '../../dbus/bus.js';
import { messageOf } from '../../errors.js';
import type { GuestProcess } from '../../host/guestProcess.js';
import { Definitions, type GuestPath, libvirtReason } from '../../libvirt/definitions.js';
import { uuidOfPath } from '../../libvirt/domain.js';
import type { QemuMonitor } from '../../qemu/monitor.js';
import { QmpSocket } from '../../qemu/qmpSocket.js';
import { VirshMonitor, virshUri } from '../../qemu/virshMonitor.js';
import type { VerbInput } from '../verb.js';

/** Said before libvirt's way to a monitor is used. */
export const TAINT =
  'libvirt marks a guest as tainted (custom-monitor) when its monitor is used, until the guest is shut down; that has no other effect';

/** libvirt's side of guests, or why there is none. */
export type LibvirtSide =
  { readonly definitions: Definitions; readonly uri: string | undefined } | { readonly missing: string };

/** Asks libvirt where it can be asked. The bus is the caller's to close. */
export async function libvirtSide(bus: Bus | undefined, { libvirt, bus: address }: VerbInput): Promise<LibvirtSide> {
  if (libvirt === 'none' || bus === undefined) return { missing: 'libvirt is not asked' };
  const definitions = new Definitions(bus, libvirt);
  try {
    await definitions.names();
    return { definitions, uri: virshUri(libvirt, address) };
  } catch (error) {
    return { missing: libvirtReason(error) };
  }
}

/** The bus, where there is one. */
export async function busOf({ bus, libvirt }: VerbInput): Promise<Bus | undefined> {
  return libvirt === 'none' ? undefined : Bus.connect(bus).catch(() => undefined);
}

/** libvirt's path of a guest that runs under it. */
export async function pathOf(side: LibvirtSide, name: string): Promise<GuestPath | undefined> {
  return 'missing' in side ? undefined : side.definitions.lookup(name).catch(() => undefined);
}

/**
 * The guest's monitor, through libvirt where that runs the guest, otherwise through the socket that QEMU listens on.
 *
 * @throws Error that says why there is none.
 */
export async function monitorOf(
  { name, plainName = name, uuid: own, qmpSocket }: GuestProcess,
  side: LibvirtSide,
): Promise<QemuMonitor> {
  const uuid = uuidOfPath((await pathOf(side, plainName)) ?? '');
  // libvirt puts the UUID on the command line: another one is another guest of the same name.
  if (uuid !== undefined && (own === undefined || own === uuid) && 'uri' in side && side.uri !== undefined)
    return new VirshMonitor(side.uri, uuid);
  if (qmpSocket !== undefined) return QmpSocket.connect(qmpSocket);
  const libvirt = 'missing' in side ? side.missing : 'libvirt does not know it';
  throw new Error(`guest ${name}: its monitor cannot be reached: ${libvirt}, and QEMU listens on no QMP socket`);
}

/** `work` with the guest's monitor. @throws Error that names the guest. */
export async function withMonitor<T>(
  guest: GuestProcess,
  side: LibvirtSide,
  work: (monitor: QemuMonitor) => Promise<T>,
): Promise<T> {
  using monitor = await monitorOf(guest, side);
  try {
    return await work(monitor);
  } catch (error) {
    throw new Error(`guest ${guest.name}: ${messageOf(error)}`, { cause: error });
  }
}
