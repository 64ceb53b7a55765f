import {
  Observable,
  asyncScheduler,
  catchError,
  exhaustMap,
  interval,
  map,
  merge,
  of,
  repeat,
  startWith,
  switchMap,
  tap,
  throttleTime,
  throwError,
} from 'rxjs';
import * as v from 'valibot';
import { Bus } from '../dbus/bus.js';
import { type BusAddress } from '../dbus/address.js';
import { BUS_NAME, MANAGER_INTERFACE, OBJECT_PATH } from './names.js';
import type { MemoryAccounting } from '../core/memory.js';
import { Daemon, whyAway } from './client.js';
import { type DaemonProperties, Retune, type RetuneReply } from './replies.js';
import { plain } from './unpack.js';

/** What the daemon says, or that it is not there. */
export type DaemonEvent =
  | { readonly kind: 'daemon'; readonly daemon: DaemonProperties; readonly accounting: MemoryAccounting }
  | { readonly kind: 'retuned'; readonly retune: RetuneReply }
  | { readonly kind: 'away'; readonly why: string; readonly detail?: string | undefined };

const PROPERTIES = 'org.freedesktop.DBus.Properties';
/** A daemon that says nothing is asked after this time whether it is there. */
const READ_MILLIS = 5000;
/** A policy in a burst decides twice a second. */
const LEAST_READ_MILLIS = 250;
const RECONNECT_MILLIS = 2000;

/** What the daemon says, from now on. Waits for bus and daemon, whenever they come; never starts the daemon. Never ends. */
export function observeDaemon(address: BusAddress): Observable<DaemonEvent> {
  return connected(address).pipe(
    switchMap((bus) => merge(eventsOf(bus), lossOf(bus))),
    catchError((error: unknown) => of(away(error))),
    repeat({ delay: RECONNECT_MILLIS }),
  );
}

/** What the daemon says now. */
export async function daemonNow(address: BusAddress): Promise<DaemonEvent> {
  try {
    using bus = await Bus.connect(address);
    return await readProperties(bus, accountingOf(bus));
  } catch (error) {
    return away(error);
  }
}

function connected(address: BusAddress): Observable<Bus> {
  return new Observable((subscriber) => {
    let bus: Bus | undefined;
    Bus.connect(address).then(
      (made) => {
        bus = made;
        if (subscriber.closed) made.close();
        else subscriber.next(made);
      },
      (error: unknown) => {
        subscriber.error(error);
      },
    );
    return () => {
      bus?.close();
    };
  });
}

function eventsOf(bus: Bus): Observable<DaemonEvent> {
  const signal$ = (iface: string, member: string) =>
    bus.signal$({ sender: BUS_NAME, interface: iface, member, path: OBJECT_PATH });
  // The daemon reads its files to tell its configuration: it is asked once, and again when that may be another.
  let accounting: Promise<MemoryAccounting> | undefined;
  const forget = () => {
    accounting = undefined;
  };
  const retune$ = signal$(MANAGER_INTERFACE, 'Retuned').pipe(
    map(({ body }) => v.parse(Retune, plain(body[0]))),
    tap(({ triggers }) => {
      if (triggers.includes('reload')) forget();
    }),
  );
  const properties$ = merge(
    retune$,
    signal$(PROPERTIES, 'PropertiesChanged'),
    bus.owner$(BUS_NAME).pipe(tap(forget)),
    interval(READ_MILLIS),
  ).pipe(
    startWith(undefined),
    throttleTime(LEAST_READ_MILLIS, asyncScheduler, { leading: true, trailing: true }),
    exhaustMap(() => readProperties(bus, (accounting ??= accountingOf(bus)))),
    tap(({ kind }) => {
      if (kind === 'away') forget();
    }),
  );
  const retuned$ = retune$.pipe(map((retune): DaemonEvent => ({ kind: 'retuned', retune })));
  return merge(retuned$, properties$);
}

function lossOf(bus: Bus): Observable<never> {
  return bus.lost$.pipe(switchMap((reason) => throwError(() => new Error(reason))));
}

async function readProperties(bus: Bus, accounting: Promise<MemoryAccounting>): Promise<DaemonEvent> {
  try {
    const [daemon, known] = await Promise.all([new Daemon(bus).properties(), accounting]);
    return { kind: 'daemon', daemon, accounting: known };
  } catch (error) {
    return away(error);
  }
}

async function accountingOf(bus: Bus): Promise<MemoryAccounting> {
  const { entries } = await new Daemon(bus).configuration();
  const isLegacy = entries.some(({ key, value }) => key === 'KSM_MEMORY_ACCOUNTING' && value === 'legacy');
  return isLegacy ? 'legacy' : 'corrected';
}

function away(error: unknown): DaemonEvent {
  return { kind: 'away', ...whyAway(error) };
}
