import { type Observable, distinctUntilChanged, tap } from 'rxjs';
import { describeAddress, type BusAddress } from './bus/connection.js';
import type { BusState } from './bus/join.js';
import { BUS_NAME } from './bus/manager.js';
import type { LibvirtState } from './libvirt/watch.js';
import type { Log } from './log.js';

/** Logs whether we are on the bus, each time that changes. */
export function busNews(bus$: Observable<BusState>, address: BusAddress, log: Log): Observable<BusState> {
  return bus$.pipe(
    distinctUntilChanged((a, b) => busText(a) === busText(b)),
    tap((state) => {
      if (state.bus === undefined)
        log.warn(`${state.reason}: tuning goes on without D-Bus, use SIGUSR1 to retune by hand`);
      else if (state.unpublished !== undefined)
        log.warn(`${state.unpublished}: tuning goes on, use SIGUSR1 to retune by hand`);
      else log.debug(`${BUS_NAME} is on ${describeAddress(address)}`);
    }),
  );
}

/** Logs whether libvirt is there, each time that changes: when it is not, once, with the remedy. */
export function libvirtNews(libvirt$: Observable<LibvirtState>, log: Log): Observable<LibvirtState> {
  return libvirt$.pipe(
    distinctUntilChanged((a, b) => libvirtText(a) === libvirtText(b)),
    tap((state) => {
      if (state.up) log.info(libvirtText(state));
      else if (state.remedy === undefined) log.info(`${state.reason}: guests are found in /proc`);
      else log.warn(`${state.reason}: guests are found in /proc, KSM is set through sysfs; ${state.remedy}`);
    }),
  );
}

function busText(state: BusState): string {
  return state.bus === undefined ? state.reason : (state.unpublished ?? '');
}

export function libvirtText(state: LibvirtState): string {
  return state.up ? `libvirt is connected (${state.libvirt.object})` : state.reason;
}
