import type { BusAddress } from '../dbus/address.js';
import type { Daemon } from './client.js';

/**
 * As Daemon.with. The D-Bus library is loaded by the first call: help and completion need none.
 *
 * @throws NotRunning when there is no daemon, Error with the daemon's own words when it refuses.
 */
export async function withDaemon<T>(address: BusAddress, work: (daemon: Daemon) => Promise<T>): Promise<T> {
  const { Daemon } = await import('./client.js');
  return Daemon.with(address, work);
}
