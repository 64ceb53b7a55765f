import { Bus } from '../dbus/bus.js';
import { type BusAddress } from '../dbus/address.js';
import { BUS_NAME } from './names.js';
import type { HistoryRecord } from '../core/history/record.js';
import { errnoOf, messageOf } from '../errors.js';
import {
  describeLosses,
  historyPath,
  parseHistory,
  readHistoryFile,
  recordsFrom,
  type HistoryLosses,
  type TakeLine,
} from '../state/history/file.js';
import { Daemon, whyAway } from './client.js';
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
  const reply = bus === undefined ? undefined : await askDaemon(bus, sinceMillis);
  if (reply !== undefined && 'text' in reply) {
    return recorded('daemon', [], BUS_NAME, (take) => parseHistory(Buffer.from(reply.text, 'utf8'), take));
  }
  const path = historyPath(stateDirectory(root));
  const notes = reply === undefined ? [] : [`${reply.why}: read from ${path}`];
  try {
    return recorded('file', notes, path, (take) => readHistoryFile(path, take));
  } catch (error) {
    const missing = `${path} cannot be read (${errnoOf(error) ?? messageOf(error)})`;
    throw new Error(reply === undefined ? missing : `${reply.why}, and ${missing}`, { cause: error });
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

async function askDaemon(address: BusAddress, sinceMillis: number): Promise<{ text: string } | { why: string }> {
  try {
    using bus = await Bus.connect(address);
    return { text: await new Daemon(bus).history(sinceMillis) };
  } catch (error) {
    const { why, detail } = whyAway(error);
    return { why: detail === undefined ? why : `${why} (${detail})` };
  }
}

/** Where a history was read from, and what is to be said of it. */
export interface Origin {
  readonly source: 'daemon' | 'file';
  /** What could not be read and why. */
  readonly notes: readonly string[];
}
