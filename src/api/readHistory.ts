import { DBusError, Variant } from 'dbus-next';
import { Bus, type BusAddress, isNoSuchService } from '../dbus/bus.js';
import { BUS_NAME, MANAGER_INTERFACE } from './manager.js';
import type { HistoryRecord } from '../core/history/record.js';
import { errnoOf, messageOf } from '../errors.js';
import {
  type HistoryLosses,
  type TakeLine,
  describeLosses,
  historyPath,
  parseHistory,
  readHistoryFile,
} from '../state/history/file.js';
import { recordsFrom } from '../state/history/records.js';
import { DAEMON } from './client.js';
import { stateDirectory } from '../state/directory.js';
import type { Root } from '../host/sysfs.js';

export interface Sources {
  /** The daemon's bus; undefined: only its file is asked. */
  readonly bus: BusAddress | undefined;
  readonly root: Root;
}

export interface Recorded extends Origin {
  readonly records: readonly HistoryRecord[];
}

/**
 * What samepaged has recorded since then: as it tells itself, or as its file does when it does not run. Both are open to
 * everybody: they say of guests what ps(1) does, and of memory what /proc/meminfo does.
 *
 * @throws Error when there is neither.
 */
export async function readHistory({ bus, root }: Sources, sinceMillis: number): Promise<Recorded> {
  const told = bus === undefined ? undefined : await askDaemon(bus, sinceMillis);
  if (told !== undefined && 'text' in told) {
    return recorded('daemon', [], BUS_NAME, (take) => parseHistory(Buffer.from(told.text, 'utf8'), take));
  }
  const path = historyPath(stateDirectory(root));
  const notes = told === undefined ? [] : [`${told.why}: read from ${path}`];
  try {
    return recorded('file', notes, path, (take) => readHistoryFile(path, take));
  } catch (error) {
    const missing = `${path} cannot be read (${errnoOf(error) ?? messageOf(error)})`;
    throw new Error(told === undefined ? missing : `${told.why}, and ${missing}`, { cause: error });
  }
}

function recorded(
  source: Origin['source'],
  notes: readonly string[],
  name: string,
  read: (take: TakeLine) => HistoryLosses,
): Recorded {
  const { records, losses } = recordsFrom(read);
  return { records, source, notes: [...notes, ...describeLosses(name, losses)] };
}

/** Never starts the daemon: a look back is no reason to begin tuning. */
async function askDaemon(
  address: BusAddress,
  sinceMillis: number,
): Promise<{ readonly text: string } | { readonly why: string }> {
  try {
    using bus = await Bus.connect(address);
    const pages: string[] = [];
    for (let since: bigint | undefined = BigInt(sinceMillis) * 1000n; since !== undefined;) {
      const [reply] = await bus.call({
        ...DAEMON,
        interface: MANAGER_INTERFACE,
        member: 'GetHistory',
        signature: 't',
        body: [since],
      });
      const { lines, next } = pageOf(reply);
      pages.push(lines);
      since = next !== undefined && next > since ? next : undefined;
    }
    return { text: pages.join('') };
  } catch (error) {
    if (isNoSuchService(error)) return { why: 'samepaged is not running' };
    const words = error instanceof DBusError ? error.text : messageOf(error);
    return { why: `samepaged does not tell its history (${words})` };
  }
}

/** What GetHistory answers: a dictionary with Lines in it, and NextUSec where there are more. */
function pageOf(reply: unknown): { readonly lines: string; readonly next: bigint | undefined } {
  const valueOf = (key: string): unknown => {
    const value: unknown = typeof reply === 'object' && reply !== null ? Reflect.get(reply, key) : undefined;
    return value instanceof Variant ? value.value : undefined;
  };
  const [lines, next] = [valueOf('Lines'), valueOf('NextUSec')];
  if (typeof lines !== 'string') throw new Error('its answer has no Lines');
  return { lines, next: typeof next === 'bigint' ? next : undefined };
}

/** Where a history was read from, and what is to be said of it. */
export interface Origin {
  readonly source: 'daemon' | 'file';
  /** What could not be read and why. */
  readonly notes: readonly string[];
}
