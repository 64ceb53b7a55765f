import { type Observable, exhaustMap, interval, map, merge, scan, startWith } from 'rxjs';
import { type Bus, isNoSuchService } from '../dbus/bus.js';
import { CallTimeout } from '../dbus/call.js';
import type { ReportedName } from '../core/inventory.js';
import { messageOf } from '../errors.js';
import { LIBVIRT_NAME, type Libvirt } from './libvirt.js';

/** The heartbeat: keeps libvirt-dbus connected, repairs missed events, notices that libvirtd is gone or back. */
const HEARTBEAT_MILLIS = 5000;
/** While it is away the bus may try to start libvirt-dbus at every so manieth heartbeat only: once a minute. */
const HEARTBEATS_PER_START = 12;

export type LibvirtState =
  | { readonly up: true; readonly libvirt: Libvirt; readonly guests: readonly ReportedName[] | undefined }
  | { readonly up: false; readonly reason: string; readonly remedy?: string };

/**
 * The state of libvirt at every heartbeat, and at once when libvirt-dbus comes or goes. Never ends, never errors.
 *
 * @param isHere whether libvirt can be the manager of guests here: otherwise nobody misses it.
 */
export function watchLibvirt(bus: Bus, libvirt: Libvirt, isHere: () => boolean): Observable<LibvirtState> {
  const ownerChange$ = bus.owner$(LIBVIRT_NAME).pipe(map((owner) => owner !== ''));
  return merge(interval(HEARTBEAT_MILLIS).pipe(startWith(0)), ownerChange$).pipe(
    scan((count) => count + 1, -1),
    exhaustMap(async (count): Promise<LibvirtState> => {
      try {
        return { up: true, libvirt, guests: await libvirt.listRunning(count % HEARTBEATS_PER_START === 0) };
      } catch (error) {
        return down(error, isHere);
      }
    }),
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
