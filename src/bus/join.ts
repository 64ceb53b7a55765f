import { DBusError, type Interface } from 'dbus-next';
import { type Observable, concatMap, exhaustMap, finalize, from, merge, NEVER, of, timer, catchError } from 'rxjs';
import { EXIT, FatalError, messageOf } from '../errors.js';
import { Authority } from './authorize.js';
import { Bus, type BusAddress, describeAddress } from './connection.js';
import { BUS_NAME } from './manager.js';

/** While no bus is there it is looked for again after this time. */
const RETRY_MILLIS = 10000;

/** What is published, by its path. */
export type BusObjects = Readonly<Record<string, Interface>>;

/** A bus that was joined, and why our name is not on it if it is not; or no bus, and why. */
export type BusState =
  { readonly bus: Bus; readonly unpublished?: string } | { readonly bus: undefined; readonly reason: string };

/**
 * Joins the bus and publishes `objects` there, to those who may call them, now or as soon as there is a bus. Tuning does
 * not depend on it. Keeps the connection until it is unsubscribed from; its loss is for `bus.lost$` to tell.
 *
 * @param alone whether a second samepaged is an error (it writes to the same kernel) or may be (a dry run).
 * @throws FatalError with the pid when another samepaged has the name.
 */
export function joinBus(address: BusAddress, objects: BusObjects, alone: boolean): Observable<BusState> {
  return timer(0, RETRY_MILLIS).pipe(
    exhaustMap(() =>
      from(Bus.connect(address)).pipe(
        catchError((error: unknown) => of(messageOf(error))),
        concatMap((bus) => (typeof bus === 'string' ? of({ bus: undefined, reason: bus }) : keep(bus))),
      ),
    ),
  );

  function keep(bus: Bus): Observable<BusState> {
    const published = publish(bus).then((unpublished): BusState =>
      unpublished === undefined ? { bus } : { bus, unpublished },
    );
    return merge(from(published), NEVER).pipe(
      finalize(() => {
        bus.close();
      }),
    );
  }

  async function publish(bus: Bus): Promise<string | undefined> {
    const authority = new Authority(bus);
    bus.guard((call) => authority.authorize(call));
    for (const [path, object] of Object.entries(objects)) bus.export(path, object);
    try {
      const pid = await bus.requestName(BUS_NAME);
      if (pid === undefined) return undefined;
      const taken = `another samepaged, pid ${pid}, has the name ${BUS_NAME} on ${describeAddress(address)}`;
      if (alone) throw new FatalError(`${taken}: there can be only one`, EXIT.tempFail);
      return taken;
    } catch (error) {
      if (!(error instanceof DBusError)) throw error;
      return `${describeAddress(address)} does not let us have the name ${BUS_NAME} (${error.text}): its policy must allow it`;
    }
  }
}
