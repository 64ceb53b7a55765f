import { type Observable, concat, defer, map, merge, repeat, startWith, switchMap, take, timer } from 'rxjs';
import { type Bus, isNoSuchService } from '../dbus/bus.js';
import { CallTimeout } from '../dbus/call.js';
import type { ReportedName } from '../core/inventory.js';
import { messageOf } from '../errors.js';
import { LIBVIRT_NAME, type Libvirt } from './libvirt.js';

/**
 * The heartbeat: keeps libvirt-dbus connected, repairs missed events, notices that libvirtd is gone. Each wakes us, libvirt-dbus,
 * the bus and libvirtd up.
 */
const HEARTBEAT_MILLIS = 30_000;
/** How often libvirt is asked whether it is back, */
const RETRY_MILLIS = 5000;
/** and how often the bus may try to start a libvirt-dbus that is not there: its start is reported by the bus. */
const START_MILLIS = 60_000;

export type LibvirtState =
  | { readonly up: true; readonly libvirt: Libvirt; readonly guests: readonly ReportedName[] | undefined }
  | { readonly up: false; readonly reason: string; readonly remedy?: string };

/**
 * The state of libvirt at every heartbeat, and at once when libvirt-dbus comes or goes or a retune had no answer. Never ends, never
 * errors.
 *
 * @param isHere whether libvirt can be the manager of guests here: otherwise nobody misses it.
 */
export function watchLibvirt(bus: Bus, libvirt: Libvirt, isHere: () => boolean): Observable<LibvirtState> {
  let lastStart = -Infinity;
  let isUp = false;
  let waitMillis = HEARTBEAT_MILLIS;
  const look = async (): Promise<LibvirtState> => {
    const mayStart = performance.now() - lastStart >= START_MILLIS;
    if (mayStart) lastStart = performance.now();
    try {
      const guests = await libvirt.listRunning(mayStart);
      isUp = true;
      waitMillis = HEARTBEAT_MILLIS;
      return { up: true, libvirt, guests };
    } catch (error) {
      isUp = false;
      waitMillis = isNoSuchService(error) ? START_MILLIS : RETRY_MILLIS;
      return down(error, isHere);
    }
  };
  /** Where a retune has asked meanwhile, there is nothing to repair before its answer is as old. */
  const beat = async (): Promise<LibvirtState> => {
    const leftMillis = HEARTBEAT_MILLIS - libvirt.confirmedMillisAgo;
    if (!isUp || leftMillis <= 0) return look();
    waitMillis = leftMillis;
    return { up: true, libvirt, guests: undefined };
  };
  const beats$ = defer(() =>
    merge(timer(waitMillis).pipe(map(() => beat)), libvirt.silent$.pipe(map(() => look))).pipe(take(1)),
  ).pipe(
    switchMap((next) => next()),
    repeat(),
  );
  return bus.owner$(LIBVIRT_NAME).pipe(
    startWith(undefined),
    switchMap(() => concat(defer(look), beats$)),
  );
}

/**
 * libvirt-dbus waits for libvirt for as long as it takes, so that a call without an answer tells nothing of which of them hangs;
 * with an answer it is libvirt.
 */
export function silenceRemedy(error: unknown): string {
  return error instanceof CallTimeout
    ? 'see that libvirt-dbus and libvirtd run: systemctl status libvirt-dbus libvirtd virtqemud'
    : 'see that libvirtd runs: systemctl status libvirtd virtqemud';
}

function down(error: unknown, isHere: () => boolean): LibvirtState {
  if (isNoSuchService(error)) {
    if (!isHere()) return { up: false, reason: 'no libvirt is seen on this host' };
    return {
      up: false,
      reason: 'libvirt-dbus is not on the bus',
      remedy: 'install the package libvirt-dbus; on a bus without activation start it: libvirt-dbus --system',
    };
  }
  return { up: false, reason: `libvirt does not answer (${messageOf(error)})`, remedy: silenceRemedy(error) };
}
