import { messageOf } from '../../errors.js';
import { OBSTACLES, lastingObstacles } from '../../core/mergeability.js';
import { otherManagerAdvice } from '../../text/guestRemedy.js';
import type { GuestProcess } from '../../host/guestProcess.js';
import { chooseGuest, nearestGuest, shownGuests } from './find.js';
import { type SharingChange, type Sharing, changeSharing, sharingText } from './sharing.js';
import { type LibvirtSide, TAINT, busOf, libvirtSide, pathOf, withMonitor } from './liveGuest.js';
import { type OfferChange, changeOffer, offerObstacle, offerText } from './liveOffer.js';
import type { VerbInput } from '../verb.js';

/** What became of a guest; what `samepagectl guests forbid --now --json` prints. */
export interface NowChange {
  /** Undefined where the guest does not run. */
  readonly now: OfferChange | undefined;
  /** Undefined where libvirt has no persistent definition of it. */
  readonly definition: SharingChange | undefined;
  /** What is left to do for its next start, where it has no definition. */
  readonly nextStart?: string;
}

/**
 * Changes whether KSM may merge a guest's memory: in its persistent definition, and at once where it runs. Nothing is changed
 * where unmerging might not fit into memory, unless it is forced.
 *
 * @throws Error with a sentence that names the guest.
 */
export async function changeNow(input: VerbInput, name: string, sharing: Sharing): Promise<NowChange> {
  using bus = await busOf(input);
  const side = await libvirtSide(bus, input);
  const process = await processOf(name, side);
  const isPersistent = await hasDefinition(side, name);
  const define = async () =>
    'definitions' in side && isPersistent ? changeSharing(side.definitions, name, sharing) : undefined;
  if (process === undefined) return { now: undefined, definition: await define() };

  const [first] = sharing === 'allow' ? lastingObstacles(process.mergeability) : [];
  if (first !== undefined)
    throw new Error(`guest ${process.name} cannot be merged while it runs: ${first}, ${OBSTACLES[first]}`);
  const obstacle = sharing === 'forbid' && !input.force ? offerObstacle('', process) : undefined;
  if (obstacle !== undefined) throw new Error(`${obstacle}; --force does it anyway`);
  return await withMonitor(process, side, async (monitor) => {
    if (monitor.taints) input.notice(TAINT);
    // It answers before anything is changed.
    await monitor.execute('query-status');
    const definition = await define();
    try {
      const now = await changeOffer('', process, monitor, sharing === 'allow', input.progress);
      if (definition !== undefined) return { now, definition: { ...definition, pending: false } };
      return { now, definition, ...(isPersistent ? {} : { nextStart: nextStartText(process, sharing) }) };
    } catch (error) {
      if (definition === undefined) throw error;
      throw new Error(`${messageOf(error)}; its definition is changed, for its next start`, { cause: error });
    }
  });
}

/** The change in lines. */
export function nowText({ now, definition, nextStart }: NowChange): readonly string[] {
  if (now === undefined) return definition === undefined ? [] : [sharingText(definition)];
  const next =
    definition === undefined
      ? (nextStart ?? 'its next start is not changed')
      : `from its next start on KSM may ${definition.forbidden ? 'not ' : ''}merge its memory${definition.changed ? '' : ', as before'}`;
  return [`guest ${now.guest}: ${offerText(now)}`, next];
}

function nextStartText(guest: GuestProcess, sharing: Sharing): string {
  return guest.manager === 'libvirt'
    ? 'it has no persistent definition: its next start is not changed'
    : otherManagerAdvice(guest, sharing);
}

/** The running guest's process; undefined where libvirt knows the guest and it does not run. */
async function processOf(name: string, side: LibvirtSide): Promise<GuestProcess | undefined> {
  const guests = await shownGuests();
  const process = chooseGuest(name, guests);
  if (process !== undefined) return process;
  const path = await pathOf(side, name);
  if (path === undefined || 'missing' in side) {
    throw new Error(`no guest ${name} runs that can be seen from here${nearestGuest(name, guests)}`);
  }
  if (!(await side.definitions.isActive(path))) return undefined;
  throw new Error(`guest ${name} runs, but its QEMU process cannot be seen from here`);
}

async function hasDefinition(side: LibvirtSide, name: string): Promise<boolean> {
  const path = await pathOf(side, name);
  return path !== undefined && 'definitions' in side && side.definitions.isPersistent(path);
}
