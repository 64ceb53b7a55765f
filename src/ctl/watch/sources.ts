import { type Observable, concatMap, defer, from, repeat } from 'rxjs';
import type { BusAddress } from '../../dbus/address.js';
import type { MemoryAccounting } from '../../core/memory.js';
import { messageOf } from '../../errors.js';
import type { Root } from '../../host/sysfs.js';
import { reportGuests } from '../guests/report.js';
import { readHistory } from '../../api/readHistory.js';
import { type DaemonEvent, observeDaemon } from '../../api/observe.js';
import type { HostReader } from './host.js';
import type { WatchEvent } from './model.js';
import { WINDOW_MILLIS } from './series.js';

/** Where a watch looks. */
export interface Sources {
  readonly root: Root;
  readonly bus: BusAddress;
  /** libvirt-dbus's object, or `none`. */
  readonly libvirt: string;
}

const GUESTS_MILLIS = 3000;
/** While libvirt is away, watch asks the bus for libvirt-dbus once a minute only, because that may start it. */
const LISTS_PER_START = 20;

/** The kernel now. */
export function hostEvent(reader: HostReader, accounting: MemoryAccounting): WatchEvent {
  try {
    return { kind: 'host', host: reader.read(accounting) };
  } catch (error) {
    return { kind: 'unreadable', why: messageOf(error) };
  }
}

/** What the daemon has recorded in the last minutes, or since then; nothing where it is unknown. */
export async function historyEvent({ bus, root }: Sources, sinceMillis = 0): Promise<WatchEvent> {
  try {
    const { records } = await readHistory({ bus, root }, Math.max(sinceMillis, Date.now() - WINDOW_MILLIS));
    return { kind: 'history', records };
  } catch {
    return { kind: 'history', records: [] };
  }
}

/** The guests now. */
export async function guestsEvent(sources: Sources): Promise<Extract<WatchEvent, { kind: 'guests' }>> {
  try {
    return { kind: 'guests', ...(await reportGuests(sources)) };
  } catch (error) {
    return { kind: 'guests', guests: [], notes: [messageOf(error)] };
  }
}

/** The guests, again and again. */
export function guestEvents(sources: Sources): Observable<WatchEvent> {
  let listsToStart = 0;
  return defer(async () => {
    listsToStart = Math.max(listsToStart - 1, 0);
    const asked = listsToStart === 0;
    const { source, ...event } = {
      source: 'proc',
      ...(await guestsEvent(asked ? sources : { ...sources, libvirt: 'none' })),
    };
    if (asked && source === 'proc') listsToStart = LISTS_PER_START;
    return event;
  }).pipe(repeat({ delay: GUESTS_MILLIS }));
}

/** What the daemon says; each time it is there again, first what it recorded meanwhile. */
export function daemonEvents(
  sources: Sources,
  onAccounting: (accounting: MemoryAccounting) => void,
): Observable<WatchEvent> {
  let awaySinceMillis: number | undefined = 0;
  const eventsOf = async (change: DaemonEvent): Promise<readonly WatchEvent[]> => {
    if (change.kind === 'retuned') return [change];
    if (change.kind === 'away') {
      awaySinceMillis ??= Date.now();
      return [change];
    }
    const { accounting, ...event } = change;
    onAccounting(accounting);
    const sinceMillis = awaySinceMillis;
    awaySinceMillis = undefined;
    return sinceMillis === undefined ? [event] : [await historyEvent(sources, sinceMillis), event];
  };
  return observeDaemon(sources.bus).pipe(
    concatMap((news) => from(eventsOf(news))),
    concatMap((events) => from(events)),
  );
}
