import { DBusError, Variant } from 'dbus-next';
import { EMPTY, Subject, catchError, delay, filter, firstValueFrom, map, takeUntil } from 'rxjs';
import { type Bus, type MethodCall, isNoSuchService } from '../dbus/bus.js';
import { messageOf } from '../errors.js';
import { LIBVIRT_NAME } from './libvirt.js';

const CONNECT = 'org.libvirt.Connect';
const DOMAIN = 'org.libvirt.Domain';

/** https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainXMLFlags: what the next start takes, with secrets. */
const XML_INACTIVE = 2;
const XML_SECURE_INACTIVE = 1 | XML_INACTIVE;
/** https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainEventType and virDomainEventDefinedDetailType */
const EVENT_DEFINED = 0;
const DETAIL_ADDED = 0;
/** libvirt reports a definition at once; on a bus that does not let us hear it, nothing is lost but this check. */
const EVENT_WAIT_MILLIS = 1000;

/** A guest's object path. */
export type GuestPath = string;

/** The definitions of one connection of libvirt-dbus. Every method throws DBusError with libvirt's own words. */
export class Definitions {
  private readonly bus: Bus;
  private readonly object: string;

  /** @param object such as /org/libvirt/QEMU. */
  constructor(bus: Bus, object: string) {
    this.bus = bus;
    this.object = object;
  }

  /** The names of all guests, running or not; one that is deleted meanwhile is left out. */
  async names(): Promise<readonly string[]> {
    const [paths] = await this.call(this.object, CONNECT, 'ListDomains', 'u', [0]);
    const names = await Promise.all(
      (paths as GuestPath[]).map((path) => this.property(path, 'Name').catch(() => undefined)),
    );
    return names.filter((name) => typeof name === 'string');
  }

  async lookup(name: string): Promise<GuestPath> {
    const [path] = await this.call(this.object, CONNECT, 'DomainLookupByName', 's', [name]);
    return String(path);
  }

  /** A guest that is not persistent is forgotten when it stops. */
  async isPersistent(path: GuestPath): Promise<boolean> {
    return (await this.property(path, 'Persistent')) === true;
  }

  async isActive(path: GuestPath): Promise<boolean> {
    return (await this.property(path, 'Active')) === true;
  }

  /** Whether the guest's next start goes on from a saved state, with the definition that is in there. */
  async hasSavedState(path: GuestPath): Promise<boolean> {
    const [has] = await this.call(path, DOMAIN, 'HasManagedSaveImage', 'u', [0]);
    return has === true;
  }

  /** What the guest's next start takes, its secrets included. */
  async persistentXml(path: GuestPath): Promise<string> {
    return this.xml(path, XML_SECURE_INACTIVE);
  }

  /** The same without its secrets, which fewer may see. */
  async nextXml(path: GuestPath): Promise<string> {
    return this.xml(path, XML_INACTIVE);
  }

  /** What the guest runs with. */
  async liveXml(path: GuestPath): Promise<string> {
    return this.xml(path, 0);
  }

  /**
   * Makes `xml` the guest's persistent definition. libvirt knows no "only if it is there": `added` says that the guest had no
   * definition any more, and has one again now.
   */
  async define(path: GuestPath, xml: string): Promise<'changed' | 'added'> {
    const rule = { sender: LIBVIRT_NAME, path: this.object, interface: CONNECT, member: 'DomainEvent' };
    const done = new Subject<void>();
    const added$ = this.bus.signal$(rule).pipe(
      filter(({ body }) => body[0] === path && body[1] === EVENT_DEFINED),
      map(({ body }) => body[2] === DETAIL_ADDED),
      catchError(() => EMPTY),
      takeUntil(done.pipe(delay(EVENT_WAIT_MILLIS))),
    );
    const added = firstValueFrom(added$, { defaultValue: false });
    try {
      await this.call(this.object, CONNECT, 'DomainDefineXML', 's', [xml]);
    } finally {
      done.next();
    }
    return (await added) ? 'added' : 'changed';
  }

  private async xml(path: GuestPath, flags: number): Promise<string> {
    const [xml] = await this.call(path, DOMAIN, 'GetXMLDesc', 'u', [flags]);
    return String(xml);
  }

  private async property(path: GuestPath, name: string): Promise<unknown> {
    const [value] = await this.call(path, 'org.freedesktop.DBus.Properties', 'Get', 'ss', [DOMAIN, name]);
    return (value as Variant).value;
  }

  private async call(
    path: string,
    iface: string,
    member: string,
    signature: string,
    body: readonly unknown[],
  ): Promise<readonly unknown[]> {
    const call: MethodCall = { destination: LIBVIRT_NAME, path, interface: iface, member, signature, body };
    return this.bus.call(call);
  }
}

const RIGHTS = 'be root, or a member of the group libvirt';

/** Why libvirt cannot be asked or refuses, on one line, in its own words where it said any, and what to do. */
export function libvirtReason(error: unknown): string {
  if (isNoSuchService(error)) return 'libvirt-dbus is not on the bus: install and start libvirt-dbus';
  if (!(error instanceof DBusError)) return messageOf(error);
  if (error.type.endsWith('.AccessDenied')) return `the bus does not let this user call libvirt-dbus: ${RIGHTS}`;
  const words = error.text.trim().replaceAll(/\s+/g, ' ');
  return /denied|authenticat|read.only/i.test(words) ? `${words}: ${RIGHTS}` : words;
}
