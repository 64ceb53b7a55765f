import { didYouMean } from '../../text/nearest.js';
import { shellWord } from '../../text/shellWord.js';
import { OBSTACLES, type Obstacle, lastingObstacles } from '../../core/mergeability.js';
import { messageOf } from '../../errors.js';
import { allowMerging, differences, forbidMerging, forbidsMerging } from '../../libvirt/domainXml.js';
import { type Definitions, type GuestPath, libvirtReason } from '../../libvirt/definitions.js';
import { traitsOfDefinition } from '../../libvirt/memoryBacking.js';

const REFUSED = 'libvirt refuses the new definition (its log says more: journalctl -u virtqemud -u libvirtd)';

export type Sharing = 'forbid' | 'allow';

/** What became of a guest's definition; what `samepagectl guests forbid --json` prints. */
export interface SharingChange {
  readonly guest: string;
  /** What the persistent definition says now. */
  readonly forbidden: boolean;
  /** Whether it said something else before. */
  readonly changed: boolean;
  readonly running: boolean;
  /** Whether the guest runs with something else than the definition says, until its next start. */
  readonly pending: boolean;
  /** Whether the next start goes on from a saved state, and so with the definition of then. */
  readonly saved: boolean;
  /** What keeps KSM from its memory all the same. */
  readonly obstacles: readonly Obstacle[];
}

/**
 * Puts `<nosharepages/>` into the guest's persistent definition, or takes it out, and makes sure that libvirt kept everything
 * else as it was.
 *
 * @throws Error with one sentence that names the guest.
 */
export async function changeSharing(definitions: Definitions, name: string, sharing: Sharing): Promise<SharingChange> {
  const forbidden = sharing === 'forbid';
  const path = await find(definitions, name);
  const ask = <T>(work: () => Promise<T>) => attempt(definitions, name, 'libvirt does not report it', work);
  if (!(await ask(() => definitions.isPersistent(path)))) throw new Error(transient(name, forbidden));

  const before = await ask(() => definitions.persistentXml(path));
  const after = edit(name, before, sharing);
  if (after !== before) {
    const outcome = await attempt(definitions, name, REFUSED, () => definitions.define(path, after));
    if (outcome === 'added') throw new Error(revived(name));
    verify(name, { before, kept: await ask(() => definitions.persistentXml(path)), forbidden });
  }
  const running = await ask(() => definitions.isActive(path));
  const pending = running && forbidsMerging(await ask(() => definitions.liveXml(path))) !== forbidden;
  const saved = !running && (await ask(() => definitions.hasSavedState(path)));
  const obstacles = lastingObstacles(traitsOfDefinition(after));
  return { guest: name, forbidden, changed: after !== before, running, pending, saved, obstacles };
}

/** The change in a sentence. */
export function sharingText({ guest, forbidden, changed, running, pending, saved, obstacles }: SharingChange): string {
  const [obstacle] = forbidden ? [] : obstacles;
  const subject = `guest ${guest}: ${changed ? '' : 'nothing to change, '}${mergingText(forbidden)}`;
  if (obstacle !== undefined) {
    const allowed = `guest ${guest}: ${changed ? 'merging is allowed' : 'nothing to change, merging is allowed'}`;
    return `${allowed}, but KSM cannot merge its memory: ${obstacle}, ${OBSTACLES[obstacle]}`;
  }
  if (pending)
    return `${subject} from its next start on: shut it down and start it; a reboot from inside is not enough`;
  if (saved) {
    return `${subject} from its next start on, but it has a saved state to go on from: virsh managedsave-remove -- ${shellWord(guest)}`;
  }
  if (!changed) return subject;
  return `${subject}${running ? ', now and' : ''} from its next start on`;
}

function mergingText(forbidden: boolean): string {
  return `KSM may ${forbidden ? 'not ' : ''}merge its memory`;
}

async function find(definitions: Definitions, name: string): Promise<GuestPath> {
  try {
    return await definitions.lookup(name);
  } catch (error) {
    const names = await definitions.names().catch(() => undefined);
    if (names === undefined || names.includes(name)) {
      throw new Error(`libvirt cannot be asked about guest ${name}: ${libvirtReason(error)}`, { cause: error });
    }
    const hint = didYouMean(name, names, 'see virsh list --all');
    throw new Error(`libvirt knows no guest ${name}${hint}`, { cause: error });
  }
}

/** @param complaint what is said of libvirt when `work` fails. */
async function attempt<T>(
  definitions: Definitions,
  name: string,
  complaint: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const names = await definitions.names().catch(() => [name]);
    if (!names.includes(name)) throw new Error(`guest ${name} was deleted meanwhile`, { cause: error });
    throw new Error(`guest ${name}: ${complaint}: ${libvirtReason(error)}`, { cause: error });
  }
}

function edit(name: string, xml: string, sharing: Sharing): string {
  try {
    return sharing === 'forbid' ? forbidMerging(xml) : allowMerging(xml);
  } catch (error) {
    throw new Error(`guest ${name}: its definition cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function verify(name: string, { before, kept, forbidden }: { before: string; kept: string; forbidden: boolean }): void {
  if (forbidsMerging(kept) !== forbidden) {
    throw new Error(
      `guest ${name}: libvirt took the definition, but without the change; see virsh edit -- ${shellWord(name)}`,
    );
  }
  const others = differences(before, kept);
  if (others.length === 0) return;
  const shown = others.slice(0, 5).join(', ');
  const more = others.length > 5 ? ` and ${others.length - 5} more` : '';
  throw new Error(
    `guest ${name}: the change is made, but libvirt changed more than that, see virsh edit -- ${shellWord(name)}: ${shown}${more}`,
  );
}

function transient(name: string, forbidden: boolean): string {
  const advice = forbidden
    ? 'put <memoryBacking><nosharepages/></memoryBacking> into the XML that it is created from'
    : 'take <nosharepages/> out of the XML that it is created from';
  return `guest ${name} is transient, it has no persistent definition: ${advice}`;
}

function revived(name: string): string {
  return (
    `guest ${name} was deleted meanwhile, and libvirt has taken the definition for a new guest; ` +
    `to remove it: virsh undefine -- ${shellWord(name)}`
  );
}
