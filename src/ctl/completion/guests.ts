import { setTimeout as sleep } from 'node:timers/promises';
import { Bus } from '../../dbus/bus.js';
import { type BusAddress } from '../../dbus/address.js';
import { listGuestProcesses } from '../../host/guestProcess.js';
import { clean } from '../../text/clean.js';
import { Definitions } from '../../libvirt/definitions.js';

/** Nobody waits longer for a name. */
const PATIENCE_MILLIS = 2000;

/**
 * All guests that libvirt knows, or without it those that run, but for names that no line can hold; never an error, and
 * never a long wait.
 */
export async function guestNames(asked: { readonly bus: BusAddress; readonly libvirt: string }) {
  const names = await knownNames(asked);
  return names.filter((name) => name === clean(name));
}

async function knownNames({ bus, libvirt }: Parameters<typeof guestNames>[0]): Promise<readonly string[]> {
  const asked = libvirt === 'none' ? undefined : askLibvirt(bus, libvirt).catch(() => undefined);
  const names = await Promise.race([asked, sleep(PATIENCE_MILLIS, undefined, { ref: false })]);
  if (names !== undefined) return names;
  const processes = await listGuestProcesses('').catch(() => []);
  return processes.map(({ name }) => name);
}

async function askLibvirt(address: BusAddress, object: string): Promise<readonly string[]> {
  using bus = await Bus.connect(address);
  return await new Definitions(bus, object).names();
}
