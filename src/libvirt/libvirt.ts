import { Variant } from 'dbus-next';
import {
  EMPTY,
  type Observable,
  Subject,
  concatMap,
  filter,
  groupBy,
  takeLast,
  map,
  merge,
  mergeMap,
  tap,
  timer,
} from 'rxjs';
import { type Bus, type MethodCall } from '../dbus/bus.js';
import type { GuestChange } from '../core/guest.js';
import type { GuestReport } from '../core/guestReport.js';
import type { ReportedName } from '../core/inventory.js';
import { type ReportedGuest, guestOfStats, uuidOfPath } from './domain.js';
import {
  DOMAIN_EVENT,
  DOMAIN_STATS_ACTIVE,
  DOMAIN_STATS_BALLOON,
  DOMAIN_STATS_NOWAIT,
  LIST_DOMAINS_ACTIVE,
  MEMORY_DEVICE_ALIAS,
  NODE_MEMORY_PARAMETER,
  type NodeMemorySetting,
} from './enums.js';

export const LIBVIRT_NAME = 'org.libvirt';
const CONNECT = 'org.libvirt.Connect';
const DOMAIN = 'org.libvirt.Domain';
/** Changes of a guest's memory within this time are one. */
const RESIZE_MILLIS = 2000;

/**
 * One connection of libvirt-dbus: an object like /org/libvirt/QEMU. libvirt-dbus opens its own connection to libvirtd at
 * the first call and notices a dead one only at the next, so somebody has to call it now and then (see watch.ts).
 */
export class Libvirt {
  /** Guests that began or ended to run. Silent while libvirt-dbus has no connection to libvirtd. */
  readonly event$: Observable<GuestReport>;
  /** Each time that libvirt does not report its guests' memory to a retune. */
  readonly silent$: Observable<void>;
  readonly object: string;
  private readonly silence$ = new Subject<void>();
  private readonly bus: Bus;
  /** Names by path, and identities by name. */
  private readonly names = new Map<string, string>();
  private readonly ids = new Map<string, string>();
  private eventCount = 0;
  /** Who ran when they were listed last, and when memory figures of just these came. */
  private listed: ReadonlySet<string> = new Set();
  private confirmedAtMillis = -Infinity;

  constructor(bus: Bus, object: string) {
    this.bus = bus;
    this.object = object;
    this.silent$ = this.silence$.asObservable();
    const lifecycle$ = bus
      .signal$({ sender: LIBVIRT_NAME, path: object, interface: CONNECT, member: 'DomainEvent' })
      .pipe(
        tap(() => (this.eventCount += 1)),
        map(({ body }) => ({ path: String(body[0]), change: DOMAIN_EVENT[Number(body[1])] })),
      );
    this.event$ = merge(lifecycle$, this.resized(bus)).pipe(
      concatMap(({ path, change }) => (change === undefined ? EMPTY : this.report(path, change))),
    );
  }

  /**
   * The running guests, or undefined when guests started or stopped while they were listed: that list could
   * contradict events which are newer than it.
   */
  async listRunning(autoStart: boolean): Promise<readonly ReportedName[] | undefined> {
    const before = this.eventCount;
    const [paths] = await this.connect('ListDomains', 'u', [LIST_DOMAINS_ACTIVE], { autoStart });
    const guests = await Promise.all(
      (paths as string[]).map(async (path) => ({ id: idOfPath(path), name: await this.nameOf(path) })),
    );
    this.listed = new Set(guests.map(({ name }) => name));
    return this.eventCount === before ? guests : undefined;
  }

  /** How long ago libvirt gave figures of the guests that were listed last, and of no other. */
  get confirmedMillisAgo(): number {
    return performance.now() - this.confirmedAtMillis;
  }

  /**
   * The running guests with their memory, in one call, which names them; who that is, is asked where it is not known yet. A
   * guest that ends meanwhile is left out.
   */
  async listGuests(): Promise<readonly ReportedGuest[]> {
    const flags = DOMAIN_STATS_ACTIVE | DOMAIN_STATS_NOWAIT;
    const [records] = await this.connect('GetAllDomainStats', 'uu', [DOMAIN_STATS_BALLOON, flags]).catch(
      (error: unknown) => {
        this.silence$.next();
        throw error;
      },
    );
    const statsByName = records as [string, Record<string, unknown>][];
    const isAsListed = statsByName.length === this.listed.size && statsByName.every(([name]) => this.listed.has(name));
    if (isAsListed) this.confirmedAtMillis = performance.now();
    if (statsByName.some(([name]) => !this.ids.has(name))) await this.listRunning(false);
    return statsByName.flatMap(([name, stats]) => {
      const id = this.ids.get(name);
      return id === undefined ? [] : [guestOfStats(id, name, stats)];
    });
  }

  /**
   * The equivalent of `virsh node-memory-tune`. libvirt writes one value after another and stops at the first that fails.
   *
   * @throws DBusError
   */
  async setNodeMemory(values: Readonly<Partial<Record<NodeMemorySetting, number>>>): Promise<void> {
    const parameters = Object.entries(values).map(([setting, value]) => [
      NODE_MEMORY_PARAMETER[setting as NodeMemorySetting],
      new Variant('u', value),
    ]);
    await this.connect('NodeSetMemoryParameters', 'a{sv}u', [Object.fromEntries(parameters), 0]);
  }

  /** Guests whose balloon or memory devices changed: each at most once in a while, for a balloon moves in many steps. */
  private resized(bus: Bus): Observable<{ path: string; change: GuestChange }> {
    const signal$ = (member: string) => bus.signal$({ sender: LIBVIRT_NAME, interface: DOMAIN, member });
    const devices$ = merge(signal$('DeviceAdded'), signal$('DeviceRemoved')).pipe(
      filter(({ body }) => MEMORY_DEVICE_ALIAS.test(String(body[0]))),
    );
    return merge(signal$('BalloonChange'), devices$).pipe(
      filter(({ path }) => path.startsWith(`${this.object}/`)),
      groupBy(({ path }) => path, { duration: () => timer(RESIZE_MILLIS) }),
      mergeMap((signals$) =>
        signals$.pipe(
          takeLast(1),
          map(({ path }) => ({ path, change: 'resized' as const })),
        ),
      ),
    );
  }

  private async report(path: string, change: GuestChange): Promise<GuestReport> {
    const name = await this.nameOf(path);
    // A guest that does not run can be renamed.
    if (change === 'stopped' || change === 'crashed') {
      this.names.delete(path);
      this.ids.delete(name);
    }
    return { kind: 'event', change, name, id: idOfPath(path) };
  }

  /** A domain's name; its UUID when it is gone already. Never rejects: what nobody knows is called by its path. */
  private async nameOf(path: string): Promise<string> {
    const known = this.names.get(path);
    if (known !== undefined) return known;
    try {
      const [name] = await this.bus.call({
        destination: LIBVIRT_NAME,
        path,
        interface: 'org.freedesktop.DBus.Properties',
        member: 'Get',
        signature: 'ss',
        body: [DOMAIN, 'Name'],
      });
      const text = String((name as Variant).value);
      this.names.set(path, text);
      this.ids.set(text, idOfPath(path));
      return text;
    } catch {
      return idOfPath(path);
    }
  }

  private async connect(
    member: string,
    signature: string,
    body: readonly unknown[],
    options: Pick<MethodCall, 'autoStart'> = {},
  ): Promise<readonly unknown[]> {
    return this.bus.call({
      destination: LIBVIRT_NAME,
      path: this.object,
      interface: CONNECT,
      member,
      signature,
      body,
      ...options,
    });
  }
}

function idOfPath(path: string): string {
  return uuidOfPath(path) ?? path;
}
