import { DBusError, type Interface } from 'dbus-next';
import { type Observable, defer, finalize, map, merge, of, repeat, switchMap, take, timer } from 'rxjs';
import { EXIT, FatalError, messageOf } from '../errors.js';
import { Authority } from './authorize.js';
import { Bus } from '../dbus/bus.js';
import { describeAddress, type BusAddress } from '../dbus/address.js';
import { BUS_NAME } from './names.js';

/** A bus that is not there, or was lost, is looked for again after this time, */
const FIRST_RETRY_MILLIS = 1000;
/** doubled each time up to this, */
const LONGEST_RETRY_MILLIS = 60_000;
/** until one has lasted so long: somebody may make it stall again and again. */
const STEADY_MILLIS = 600_000;

/** What is published, by its path. */
export type BusObjects = Readonly<Record<string, Interface>>;

/** A bus that was joined, and why our name is not on it if it is not; or no bus, and why. */
export type BusState =
  { readonly bus: Bus; readonly unpublished?: string } | { readonly bus: undefined; readonly reason: string };

/**
 * Joins the bus and publishes `objects` there, to those who may call them, now or as soon as there is a bus, and again
 * whenever it was lost. Tuning does not depend on it. Keeps the connection until it is unsubscribed from.
 *
 * @param alone whether a second samepaged is an error (it writes to the same kernel) or may be (a dry run).
 * @throws FatalError with the pid when another samepaged has the name.
 */
export function joinBus(address: BusAddress, objects: BusObjects, alone: boolean): Observable<BusState> {
  let retries = 0;
  let joinedAt = 0;
  return defer(joined).pipe(
    switchMap((state) => (state.bus === undefined ? of(state) : keep(state.bus, state))),
    repeat({
      delay: () => {
        if (joinedAt > 0 && performance.now() - joinedAt > STEADY_MILLIS) retries = 0;
        joinedAt = 0;
        retries += 1;
        return timer(Math.min(FIRST_RETRY_MILLIS * 2 ** (retries - 1), LONGEST_RETRY_MILLIS));
      },
    }),
  );

  /** The bus until it is lost, and then that. */
  function keep(bus: Bus, state: BusState): Observable<BusState> {
    joinedAt = performance.now();
    const lost$ = bus.lost$.pipe(
      take(1),
      map((reason): BusState => ({ bus: undefined, reason })),
    );
    return merge(of(state), lost$).pipe(
      finalize(() => {
        bus.close();
      }),
    );
  }

  async function joined(): Promise<BusState> {
    let bus: Bus;
    try {
      bus = await Bus.connect(address);
    } catch (error) {
      return { bus: undefined, reason: messageOf(error) };
    }
    try {
      const unpublished = await publish(bus);
      return unpublished === undefined ? { bus } : { bus, unpublished };
    } catch (error) {
      bus.close();
      if (error instanceof FatalError) throw error;
      return { bus: undefined, reason: messageOf(error) };
    }
  }

  async function publish(bus: Bus): Promise<string | undefined> {
    const authority = new Authority(bus);
    bus.guard(
      (call) => authority.authorize(call),
      (caller, bytes) => {
        authority.answered(caller, bytes);
      },
    );
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
