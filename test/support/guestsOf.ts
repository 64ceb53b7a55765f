import { of } from 'rxjs';
import { Guests } from '../../src/daemon/guests.js';
import type { GuestUsers } from '../../src/host/guestUsers.js';
import { GuestProcesses } from '../../src/host/guestProcesses.js';
import type { Mergeability } from '../../src/core/mergeability.js';

/** The guests of a host without libvirt. */
export function guestsOf(root: string, users?: GuestUsers): Guests {
  return new Guests(of({ up: false, reason: 'not asked' }), new GuestProcesses(root, users));
}

/** Whether KSM can merge the memory of the guest that is called so; undefined where its process is not seen. */
export async function mergeabilityOf(
  root: string,
  name: string,
  users?: GuestUsers,
): Promise<Mergeability | undefined> {
  const processes = new GuestProcesses(root, users);
  const found = (await processes.list()).find((guest) => guest.name === name);
  return found === undefined ? undefined : (await processes.processOf(found))?.mergeability;
}
