import { gunzipSync } from 'node:zlib';
import { DBusError } from 'dbus-next';
import * as v from 'valibot';
import { CallTimeout } from '../dbus/call.js';
import { Bus, isNoSuchService } from '../dbus/bus.js';
import { describeAddress, type BusAddress } from '../dbus/address.js';
import { BUS_NAME, MANAGER_INTERFACE, OBJECT_PATH, REFUSED } from './names.js';
import { messageOf } from '../errors.js';
import { NotRunning } from './notRunning.js';
import { clean } from '../text/clean.js';
import {
  Configuration,
  type ConfigurationReply,
  type DaemonProperties,
  Explanation,
  type ExplanationReply,
  type GuestReply,
  Guests,
  Properties,
  type ReloadReply,
  Reloaded,
  Retune,
  type RetuneReply,
} from './replies.js';
import { HistoryPage, plain } from './unpack.js';

export type { DaemonProperties };

/** The bus's policy refuses. */
const ACCESS_DENIED = 'org.freedesktop.DBus.Error.AccessDenied';
/** The daemon refuses. */
const NOT_AUTHORIZED = 'org.samepaged1.Error.NotAuthorized';
const UNKNOWN = /^org\.freedesktop\.DBus\.Error\.Unknown(Method|Property|Interface)$/;

/** A retune takes a sample first, and libvirt has 5 s to answer for that. */
const ANSWER_MILLIS = 10_000;
/** Unmerging takes seconds for gigabytes. */
const UNMERGE_MILLIS = 600_000;
/** Somebody may have to type a password first. */
const PASSWORD_MILLIS = 120_000;

/** Thousands of guests with series of their own have less. */
const LARGEST_METRICS_BYTES = 16 * 1024 ** 2;
const PROPERTIES_INTERFACE = 'org.freedesktop.DBus.Properties';
const NOT_RUNNING = 'samepaged is not running';
const OTHER_VERSION = 'the running samepaged has another version than this command';

/** The daemon's object on the bus, which is never started: reading it is no reason to begin tuning. */
export class Daemon {
  constructor(private readonly bus: Bus) {}

  /**
   * Runs `work` with a connection to the daemon.
   *
   * @throws NotRunning when there is no daemon, Error with the daemon's own words when it refuses.
   */
  static async with<T>(address: BusAddress, work: (daemon: Daemon) => Promise<T>): Promise<T> {
    using bus = await Bus.connect(address).catch((error: unknown) => {
      throw new NotRunning(messageOf(error));
    });
    return await Daemon.on(bus, address, work);
  }

  /** As `with`, by a connection that is there. */
  static async on<T>(bus: Bus, address: BusAddress, work: (daemon: Daemon) => Promise<T>): Promise<T> {
    try {
      return await work(new Daemon(bus));
    } catch (error) {
      throw understood(error, address);
    }
  }

  async properties(): Promise<DaemonProperties> {
    return v.parse(Properties, plain(await this.call(PROPERTIES_INTERFACE, 'GetAll', 's', [MANAGER_INTERFACE])));
  }

  /** Every samepaged tells its version, whatever else it has. */
  async version(): Promise<string> {
    const body = [MANAGER_INTERFACE, 'Version'];
    return v.parse(v.string(), plain(await this.call(PROPERTIES_INTERFACE, 'Get', 'ss', body)));
  }

  /** Calls a method of the Manager that answers with the retune that followed. */
  async command(member: string, signature = '', body: readonly unknown[] = []): Promise<RetuneReply> {
    return v.parse(Retune, plain(await this.call(MANAGER_INTERFACE, member, signature, body, true)));
  }

  async reload(): Promise<ReloadReply> {
    return v.parse(Reloaded, plain(await this.call(MANAGER_INTERFACE, 'Reload', '', [], true)));
  }

  async explain(): Promise<ExplanationReply> {
    return v.parse(Explanation, plain(await this.call(MANAGER_INTERFACE, 'Explain')));
  }

  /** Every guest of the last decision. */
  async guests(): Promise<readonly GuestReply[]> {
    const all: GuestReply[] = [];
    for (let after = ''; ; after = all.at(-1)?.name ?? '') {
      const page = v.parse(Guests, plain(await this.call(MANAGER_INTERFACE, 'ListGuests', 's', [after])));
      if (page.length === 0) return all;
      all.push(...page);
    }
  }

  async configuration(): Promise<ConfigurationReply> {
    return v.parse(Configuration, plain(await this.call(MANAGER_INTERFACE, 'GetConfiguration')));
  }

  /** The page of metrics for Prometheus. */
  async metrics(): Promise<string> {
    const bytes = v.parse(v.instance(Uint8Array), await this.call(MANAGER_INTERFACE, 'GetMetrics'));
    return gunzipSync(bytes, { maxOutputLength: LARGEST_METRICS_BYTES }).toString();
  }

  /** The lines of the history since then, as they are in its file. */
  async history(sinceMillis: number): Promise<string> {
    const pages: string[] = [];
    for (let since: bigint | undefined = BigInt(sinceMillis) * 1000n; since !== undefined;) {
      const page: HistoryPage = v.parse(HistoryPage, await this.call(MANAGER_INTERFACE, 'GetHistory', 't', [since]));
      pages.push(page.Lines);
      since = page.NextUSec !== undefined && page.NextUSec > since ? page.NextUSec : undefined;
    }
    return pages.join('');
  }

  /** @param isCommand whether it changes something, for which somebody may be asked for a password. */
  private async call(
    iface: string,
    member: string,
    signature = '',
    body: readonly unknown[] = [],
    isCommand = false,
  ): Promise<unknown> {
    const interactive = isCommand && process.stdin.isTTY;
    const asked = interactive && process.getuid?.() !== 0;
    const timeoutMillis = member === 'Unmerge' ? UNMERGE_MILLIS : ANSWER_MILLIS + (asked ? PASSWORD_MILLIS : 0);
    const object = { destination: BUS_NAME, path: OBJECT_PATH, interface: iface, autoStart: false };
    const [reply] = await this.bus.call({ ...object, member, signature, body, interactive, timeoutMillis });
    return reply;
  }
}

/** Why the daemon did not answer, for those who go on without it; `detail` is an error's own words, which may be long. */
export function whyAway(error: unknown): { readonly why: string; readonly detail?: string } {
  if (isNoSuchService(error)) return { why: NOT_RUNNING };
  if (error instanceof v.ValiError) return { why: OTHER_VERSION };
  return { why: 'samepaged cannot be reached', detail: error instanceof DBusError ? error.text : messageOf(error) };
}

/** The error in words that say what to do. */
function understood(error: unknown, address: BusAddress): unknown {
  if (isNoSuchService(error)) return new NotRunning(`${NOT_RUNNING} on ${describeAddress(address)}`);
  if (error instanceof CallTimeout) {
    return new Error(`${error.message}: samepaged hangs, or its bus does; see systemctl status samepaged`, {
      cause: error,
    });
  }
  if (error instanceof v.ValiError) return new Error(outOfStep(messageOf(error)), { cause: error });
  if (!(error instanceof DBusError)) return error;
  const said = clean(error.text);
  if ([ACCESS_DENIED, NOT_AUTHORIZED].includes(error.type)) return new Error(notAllowed(error), { cause: error });
  if (UNKNOWN.test(error.type)) return new Error(outOfStep(said), { cause: error });
  const hint = error.type === REFUSED ? '; --force does it anyway' : '';
  return new Error(`${said}${hint}`, { cause: error });
}

function outOfStep(what: string): string {
  return `${OTHER_VERSION} (${what}); after an upgrade: systemctl restart samepaged`;
}

/** The bus's own refusal goes on with the message that it refused, which is of no use to a person. */
function notAllowed({ type, text }: DBusError): string {
  const said = clean(type === ACCESS_DENIED ? text.replace(/[;:].*$/s, '') : text);
  const group = `
  Members of the group libvirt may retune and pause; to become one:
    sudo usermod -aG libvirt "$USER"    # and log in again`;
  return `you may not do this (${said}).
  Root may do everything: sudo samepagectl ...${said.includes('the group libvirt') ? group : ''}`;
}
