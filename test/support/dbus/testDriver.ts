import type { MessageBus } from 'dbus-next';
import { call } from './busClient.js';
import { domainPath, guestUuid } from '../kvm/guest.js';

const CONNECT = { destination: 'org.libvirt', path: '/org/libvirt/Test', interface: 'org.libvirt.Connect' };

/** The object path of a guest of libvirt's test driver. */
export function testGuestPath(name: string): string {
  return domainPath('Test', name);
}

/** Starts a transient guest of libvirt's test driver, of which only the name, the size and the life cycle are real. */
export async function startTestGuest(bus: MessageBus, name: string, memoryMiB = 64): Promise<string> {
  const xml = `<domain type='test'>
  <name>${name}</name>
  <uuid>${guestUuid(name)}</uuid>
  <memory unit='MiB'>${memoryMiB}</memory>
  <os><type>hvm</type></os>
</domain>`;
  const [path] = await call(bus, { ...CONNECT, member: 'DomainCreateXML', signature: 'su', body: [xml, 0] });
  return String(path);
}

/** The guest is stopped, and being transient forgotten, when it resolves. */
export async function destroyTestGuest(bus: MessageBus, name: string): Promise<void> {
  const domain = { destination: 'org.libvirt', path: testGuestPath(name), interface: 'org.libvirt.Domain' };
  await call(bus, { ...domain, member: 'Destroy', signature: 'u', body: [0] });
}
