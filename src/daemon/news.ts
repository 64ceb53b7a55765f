import { type Observable, distinctUntilChanged, filter, mergeMap, skipUntil, tap } from 'rxjs';
import { type BusAddress, describeAddress } from '../dbus/bus.js';
import type { BusState } from '../api/publish.js';
import { BUS_NAME } from '../api/manager.js';
import { forbiddenWarning, isForbidden, parseNamePatterns } from '../core/forbiddenGuests.js';
import type { GuestEvent } from '../core/guest.js';
import { messageOf } from '../errors.js';
import type { GuestProcess } from '../host/guestProcess.js';
import type { LibvirtState } from '../libvirt/presence.js';
import type { Log } from '../log.js';

/** Logs whether we are on the bus, each time that changes after `from$`. */
export function busNews(
  bus$: Observable<BusState>,
  from$: Observable<unknown>,
  address: BusAddress,
  log: Log,
): Observable<BusState> {
  return bus$.pipe(
    distinctUntilChanged((a, b) => busText(a, address) === busText(b, address)),
    skipUntil(from$),
    tap((state) => {
      if (state.bus === undefined || state.unpublished !== undefined) {
        log.warn(`${busText(state, address)}: tuning goes on, SIGUSR1 retunes by hand`);
      } else log.debug(busText(state, address));
    }),
  );
}

/** Logs whether libvirt is there, each time that changes after `from$`: when it is not, once, with the remedy. */
export function libvirtNews(
  libvirt$: Observable<LibvirtState>,
  from$: Observable<unknown>,
  log: Log,
): Observable<LibvirtState> {
  return libvirt$.pipe(
    distinctUntilChanged((a, b) => libvirtText(a) === libvirtText(b)),
    skipUntil(from$),
    tap((state) => {
      if (state.up) log.info(libvirtText(state));
      else if (state.remedy === undefined) log.info(`${libvirtText(state)}: guests are found in /proc`);
      else log.warn(`${libvirtText(state)}: guests are found in /proc, KSM is set through sysfs; ${state.remedy}`);
    }),
  );
}

/** Warns of each guest that starts, should not be merged (KSM_FORBID_GUESTS) and can be. Never errors. */
export function forbiddenNews(
  guest$: Observable<GuestEvent>,
  forbidden: () => string,
  processOf: (event: GuestEvent) => Promise<GuestProcess | undefined>,
  log: Log,
): Observable<unknown> {
  const warningOf = async (event: GuestEvent) => {
    const patterns = parseNamePatterns(forbidden());
    if (!isForbidden(patterns, event)) return undefined;
    try {
      return forbiddenWarning(patterns, event, await processOf(event));
    } catch (error) {
      return `whether guest ${event.name}, which KSM_FORBID_GUESTS names, can be merged is not known (${messageOf(error)})`;
    }
  };
  return guest$.pipe(
    filter(({ change }) => change === 'started'),
    mergeMap(warningOf),
    tap((warning) => {
      if (warning !== undefined) log.warn(warning);
    }),
  );
}

export function busText(state: BusState, address: BusAddress): string {
  return state.bus === undefined
    ? state.reason
    : (state.unpublished ?? `${BUS_NAME} is on ${describeAddress(address)}`);
}

export function libvirtText(state: LibvirtState): string {
  return state.up ? `libvirt is connected (${state.libvirt.object})` : state.reason;
}
