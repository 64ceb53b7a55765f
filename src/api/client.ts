import { DBusError } from 'dbus-next';
import * as v from 'valibot';
import { CallTimeout } from '../dbus/call.js';
import { Bus, type BusAddress, describeAddress, isNoSuchService } from '../dbus/bus.js';
import { BUS_NAME, MANAGER_INTERFACE, OBJECT_PATH, REFUSED } from './manager.js';
import { messageOf } from '../errors.js';
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
  plain,
} from './replies.js';

export type { DaemonProperties };

/** The daemon is not there to be asked, and why. */
export class NotRunning extends Error {}

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

/** samepaged is on the bus as long as it runs; a service that cannot start would be waited for. */
export const DAEMON = { destination: BUS_NAME, path: OBJECT_PATH, autoStart: false } as const;

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
    using bus = await Bus.connect(address).catch((error: unknown) => {
      throw new NotRunning(messageOf(error));
    });
    try {
      return await work(new Daemon(bus));
    } catch (error) {
      throw understood(error, address);
    }
  }

  async properties(): Promise<DaemonProperties> {
    return v.parse(Properties, await this.ask('org.freedesktop.DBus.Properties', 'GetAll', 's', [MANAGER_INTERFACE]));
  }

  /** Every samepaged tells its version, whatever else it has. */
  async version(): Promise<string> {
    const body = [MANAGER_INTERFACE, 'Version'];
    return v.parse(v.string(), await this.ask('org.freedesktop.DBus.Properties', 'Get', 'ss', body));
  }

  /** Calls a method of the Manager that answers with the retune that followed. */
  async command(member: string, signature = '', body: readonly unknown[] = []): Promise<RetuneReply> {
    return v.parse(Retune, await this.ask(MANAGER_INTERFACE, member, signature, body));
  }

  async reload(): Promise<ReloadReply> {
    return v.parse(Reloaded, await this.ask(MANAGER_INTERFACE, 'Reload'));
  }

  async explain(): Promise<ExplanationReply> {
    return v.parse(Explanation, await this.ask(MANAGER_INTERFACE, 'Explain'));
  }

  /** Every guest of the last decision. */
  async guests(): Promise<readonly GuestReply[]> {
    const all: GuestReply[] = [];
    for (let after = ''; ; after = all.at(-1)?.name ?? '') {
      const page = v.parse(Guests, await this.ask(MANAGER_INTERFACE, 'ListGuests', 's', [after]));
      if (page.length === 0) return all;
      all.push(...page);
    }
  }

  async configuration(): Promise<ConfigurationReply> {
    return v.parse(Configuration, await this.ask(MANAGER_INTERFACE, 'GetConfiguration'));
  }

  private async ask(iface: string, member: string, signature = '', body: readonly unknown[] = []): Promise<unknown> {
    const interactive = process.stdin.isTTY && iface === MANAGER_INTERFACE;
    const asked = interactive && process.getuid?.() !== 0;
    const timeoutMillis = member === 'Unmerge' ? UNMERGE_MILLIS : ANSWER_MILLIS + (asked ? PASSWORD_MILLIS : 0);
    const call = { ...DAEMON, interface: iface, member, signature, body, interactive, timeoutMillis };
    const [reply] = await this.bus.call(call);
    return plain(reply);
  }
}

/** The error in words that say what to do. */
function understood(error: unknown, address: BusAddress): unknown {
  if (isNoSuchService(error)) return new NotRunning(`samepaged is not running on ${describeAddress(address)}`);
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
  const hint = error.type === REFUSED ? '; --force does it all the same' : '';
  return new Error(`${said}${hint}`, { cause: error });
}

function outOfStep(what: string): string {
  return `the samepaged that runs is of another version than this command (${what}); after an upgrade: systemctl restart samepaged`;
}

/** The bus's own refusal goes on with the message that it refused, which is of no use to a person. */
function notAllowed({ type, text }: DBusError): string {
  const said = clean(type === ACCESS_DENIED ? text.replace(/[;:].*$/s, '') : text);
  const group = `
  Members of the group libvirt may retune and pause; to become one:
    sudo usermod -aG libvirt "$USER"    # and log in anew`;
  return `you may not do this (${said}).
  Root may do everything: sudo samepagectl ...${said.includes('the group libvirt') ? group : ''}`;
}
