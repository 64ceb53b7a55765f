import { DBusError, Variant } from 'dbus-next';
import * as v from 'valibot';
import { Bus, type BusAddress, describeAddress, isNoSuchService } from '../bus/connection.js';
import { BUS_NAME, MANAGER_INTERFACE, OBJECT_PATH, REFUSED } from '../bus/manager.js';
import { messageOf } from '../errors.js';

/** The daemon is not there to be asked, and why. */
export class NotRunning extends Error {}

/** A retune as the daemon tells it; see org.samepaged1.Manager. A failed one has a `failure` and no decision. */
const Retune = v.object({
  triggers: v.optional(v.array(v.string()), []),
  policy: v.optional(v.string()),
  failure: v.optional(v.string()),
  reason: v.optional(v.string()),
  sentence: v.optional(v.string()),
  changes: v.optional(v.array(v.string()), []),
  problems: v.optional(v.array(v.string()), []),
  realtimeUSec: v.optional(v.number()),
  totalBytes: v.optional(v.number()),
  freeBytes: v.optional(v.number()),
  committedBytes: v.optional(v.number()),
  guestCount: v.optional(v.number()),
});
export type RetuneReply = v.InferOutput<typeof Retune>;

const Properties = v.object({
  version: v.string(),
  policy: v.string(),
  run: v.number(),
  pagesToScan: v.number(),
  sleepMillisecs: v.number(),
  savedBytes: v.number(),
  guestCount: v.number(),
  libvirtConnected: v.boolean(),
  dryRun: v.boolean(),
  hold: v.string(),
  holdUntilUSec: v.number(),
  lastRetune: Retune,
});
export type DaemonProperties = v.InferOutput<typeof Properties>;

/** A retune takes a sample first, and libvirt has 5 s to answer for that; unmerging takes seconds for gigabytes. */
const COMMAND_TIMEOUT_MILLIS = 600_000;

/** The daemon's object on the bus. */
export class Daemon {
  private readonly bus: Bus;

  private constructor(bus: Bus) {
    this.bus = bus;
  }

  /**
   * Runs `work` with a connection to the daemon.
   *
   * @throws NotRunning when there is no daemon, Error with the daemon's own words when it refuses.
   */
  static async with<T>(address: BusAddress, work: (daemon: Daemon) => Promise<T>): Promise<T> {
    const bus = await Bus.connect(address).catch((error: unknown) => {
      throw new NotRunning(messageOf(error));
    });
    try {
      return await work(new Daemon(bus));
    } catch (error) {
      if (isNoSuchService(error)) throw new NotRunning(`samepaged is not running on ${describeAddress(address)}`);
      if (error instanceof DBusError) {
        const hint = error.type === REFUSED ? '; --force does it all the same' : '';
        throw new Error(`${error.text}${hint}`, { cause: error });
      }
      throw error;
    } finally {
      bus.close();
    }
  }

  async properties(): Promise<DaemonProperties> {
    const reply = await this.bus.call({
      destination: BUS_NAME,
      path: OBJECT_PATH,
      interface: 'org.freedesktop.DBus.Properties',
      member: 'GetAll',
      signature: 's',
      body: [MANAGER_INTERFACE],
    });
    return v.parse(Properties, plain(reply[0]));
  }

  /** Calls a method of the Manager that answers with the retune that followed. */
  async command(member: string, signature = '', body: readonly unknown[] = []): Promise<RetuneReply> {
    const reply = await this.bus.call({
      destination: BUS_NAME,
      path: OBJECT_PATH,
      interface: MANAGER_INTERFACE,
      member,
      signature,
      body,
      timeoutMillis: COMMAND_TIMEOUT_MILLIS,
    });
    return v.parse(Retune, plain(reply[0]));
  }
}

/** What came over the bus without its Variants: 64-bit numbers are numbers, keys begin in lower case. */
function plain(value: unknown): unknown {
  if (value instanceof Variant) return plain(value.value);
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [
    key.charAt(0).toLowerCase() + key.slice(1),
    plain(inner),
  ]);
  return Object.fromEntries(entries);
}
