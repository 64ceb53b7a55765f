import { didYouMean } from '../../text/nearest.js';
import { takeInventory } from '../../core/inventory.js';
import { type GuestProcess, listGuestProcesses } from '../../host/guestProcess.js';
import { clean } from '../../text/clean.js';

/** The processes of the running guests that can be seen, under the names that `samepagectl guests` shows. */
export async function shownGuests(): Promise<readonly GuestProcess[]> {
  return takeInventory([], await listGuestProcesses('')).flatMap(({ name, plainName, process }) =>
    process === undefined ? [] : [{ ...process, name, ...(plainName === undefined ? {} : { plainName }) }],
  );
}

type Choice = Pick<GuestProcess, 'name' | 'plainName' | 'vmId' | 'pid'>;

/**
 * The guest of this name as it is shown or as it was given, of this number with Proxmox VE, or of this `NAME (pid PID)`.
 *
 * @throws Error where several are meant.
 */
export function chooseGuest<Guest extends Choice>(name: string, guests: readonly Guest[]): Guest | undefined {
  const wanted = clean(name);
  const byPid = guests.find((guest) => withPid(guest) === wanted);
  if (byPid !== undefined) return byPid;
  const meant = guests.filter((guest) => [guest.name, guest.plainName, guest.vmId].includes(wanted));
  if (meant.length > 1) {
    const names = meant.map(withPid).join(', ');
    throw new Error(`${meant.length} running guests are called ${name}: none of them is changed; name one of ${names}`);
  }
  return meant[0];
}

/** What to say beside "no such guest". */
export function nearestGuest(name: string, guests: readonly Pick<GuestProcess, 'name'>[]): string {
  return didYouMean(
    name,
    guests.map((guest) => guest.name),
    'see samepagectl guests',
  );
}

function withPid({ name, plainName = name, pid }: Choice): string {
  return `${plainName} (pid ${pid})`;
}
