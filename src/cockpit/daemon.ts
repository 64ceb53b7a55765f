import * as v from 'valibot';
import { BUS_NAME, MANAGER_INTERFACE, OBJECT_PATH } from '../api/names.js';
import {
  Configuration,
  type ConfigurationReply,
  type DaemonProperties,
  type GuestReply,
  Guests,
  Properties,
  Retune,
  type RetuneReply,
} from '../api/replies.js';
import type { BusClient, BusError } from './cockpit.js';
import { cockpit } from './host.js';
import { rawText, unpacked } from './model/unpack.js';

/** What is known of the daemon. `lost`: Cockpit's bridge or the bus does not answer; `since` what was known before. */
export type DaemonLink =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'foreign'; readonly why: string }
  | { readonly kind: 'up'; readonly properties: DaemonProperties }
  | { readonly kind: 'lost'; readonly properties: DaemonProperties | undefined };

const BUS = { name: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' } as const;
const PROPERTIES_INTERFACE = 'org.freedesktop.DBus.Properties';

const RETRY_MILLIS = 2000;
/** A retune takes a sample first, and libvirt has 5 s to answer for that. */
const ANSWER_MILLIS = 10_000;
/** Unmerging takes seconds for gigabytes. */
const UNMERGE_MILLIS = 600_000;

/** A command of org.samepaged1.Manager with its arguments. */
export type Command =
  | readonly ['Retune' | 'Stop' | 'Resume']
  | readonly ['Pause', seconds: number]
  | readonly ['Unmerge', force: boolean]
  | readonly ['SetPolicy', name: string];

const SIGNATURES: Readonly<Record<Command[0], string>> = {
  ...{ Retune: '', Stop: '', Resume: '', Pause: 't', Unmerge: 'b', SetPolicy: 's' },
};

/** The gate to org.samepaged1: who owns the name is watched, and the daemon's properties are kept as they change. */
export class Daemon {
  private link: DaemonLink = { kind: 'connecting' };
  private watcher: BusClient | undefined;
  private client: BusClient | undefined;
  /** The properties as they came; undefined before the first answer of a client. */
  private raw: Readonly<Record<string, unknown>> | undefined;
  /** How many announcements of changed properties there were. */
  private changes = 0;
  private readonly listeners = new Set<() => void>();
  private readonly retuned = new Set<() => void>();

  constructor() {
    this.watch();
    // What may be done differs with administrative access, and a client keeps the access that it was made with.
    const permission = cockpit.permission({ admin: true });
    let { allowed } = permission;
    permission.addEventListener('changed', () => {
      if (permission.allowed === allowed) return;
      ({ allowed } = permission);
      if (this.client !== undefined) this.open();
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly current = (): DaemonLink => this.link;

  /** Called after each retune. */
  onRetuned(listener: () => void): () => void {
    this.retuned.add(listener);
    return () => this.retuned.delete(listener);
  }

  /** The retune that followed. @throws BusError with the daemon's words when it refuses. */
  async command([member, ...args]: Command): Promise<RetuneReply> {
    const timeout = member === 'Unmerge' ? UNMERGE_MILLIS : ANSWER_MILLIS;
    return v.parse(Retune, unpacked(await this.call(member, args, SIGNATURES[member], timeout)));
  }

  async configuration(): Promise<ConfigurationReply> {
    return v.parse(Configuration, unpacked(await this.call('GetConfiguration')));
  }

  /** Every guest of the last decision. */
  async guests(): Promise<readonly GuestReply[]> {
    const all: GuestReply[] = [];
    for (let after = ''; ;) {
      const answer = (await this.call('ListGuests', [after], 's')) as readonly (readonly [string, unknown])[];
      const last = answer.at(-1)?.[0];
      if (last === undefined || last === after) return all;
      // The name as the daemon has it; what is shown of it is without control characters.
      after = last;
      all.push(...v.parse(Guests, unpacked(answer)));
    }
  }

  /** The lines of the history since then, a page at a time. */
  async *history(sinceMillis: number): AsyncGenerator<string> {
    for (let since = Math.trunc(sinceMillis) * 1000; ;) {
      const page = (await this.call('GetHistory', [since], 't')) as Readonly<Record<string, { v: unknown }>>;
      yield rawText(page['Lines']);
      const next = page['NextUSec']?.v;
      if (typeof next !== 'number' || next <= since) return;
      since = next;
    }
  }

  private watch(): void {
    const watcher = cockpit.dbus(BUS.name, { bus: 'system' });
    this.watcher = watcher;
    watcher.addEventListener('close', () => {
      if (this.watcher === watcher) this.lose();
    });
    watcher.subscribe(
      { interface: BUS.interface, path: BUS.path, member: 'NameOwnerChanged', arg0: BUS_NAME },
      (_path, _iface, _signal, [, , owner]) => {
        this.ownedBy(owner !== '');
      },
    );
    watcher.call(BUS.path, BUS.interface, 'NameHasOwner', [BUS_NAME], { type: 's' }).then(
      ([isOwned]) => {
        if (this.watcher === watcher) this.ownedBy(isOwned === true);
      },
      () => {
        if (this.watcher === watcher) this.lose();
      },
    );
  }

  private ownedBy(isOwned: boolean): void {
    if (isOwned) this.open();
    else {
      this.close();
      this.show({ kind: 'absent' });
    }
  }

  /** Opens a client to the daemon, in the place of one that there is. */
  private open(): void {
    this.close();
    const client = cockpit.dbus(BUS_NAME, { bus: 'system', superuser: 'try' });
    this.client = client;
    this.raw = undefined;
    const signals = { path: OBJECT_PATH, interface: PROPERTIES_INTERFACE, member: 'PropertiesChanged' };
    client.subscribe(signals, (_path, _iface, _signal, [iface, changed]) => {
      if (iface !== MANAGER_INTERFACE) return;
      this.changes += 1;
      if (this.raw !== undefined) this.take({ ...this.raw, ...(changed as object) });
    });
    client.subscribe({ path: OBJECT_PATH, interface: MANAGER_INTERFACE, member: 'Retuned' }, () => {
      for (const listener of this.retuned) listener();
    });
    this.askProperties(client);
  }

  /** Cockpit's bridge may pass on a signal before an answer that was sent earlier, so an answer that met one is asked for again. */
  private askProperties(client: BusClient): void {
    const { changes } = this;
    this.callOn(client, PROPERTIES_INTERFACE, 'GetAll', [MANAGER_INTERFACE], 's').then(
      (properties) => {
        if (this.client !== client) return;
        this.take(properties as Readonly<Record<string, unknown>>);
        if (this.changes !== changes) this.askProperties(client);
      },
      (error: unknown) => {
        if (this.client === client) this.show({ kind: 'foreign', why: wordsOf(error) });
      },
    );
  }

  private take(raw: Readonly<Record<string, unknown>>): void {
    this.raw = raw;
    const parsed = v.safeParse(Properties, unpacked(raw));
    if (parsed.success) this.show({ kind: 'up', properties: parsed.output });
    // What a daemon of another version does not report as this page expects it.
    else this.show({ kind: 'foreign', why: parsed.issues.map((issue) => v.getDotPath(issue) ?? '').join(', ') });
  }

  private lose(): void {
    this.close();
    this.watcher = undefined;
    const { link } = this;
    this.show({ kind: 'lost', properties: 'properties' in link ? link.properties : undefined });
    setTimeout(() => {
      this.watch();
    }, RETRY_MILLIS);
  }

  private close(): void {
    const { client } = this;
    this.client = undefined;
    client?.close();
  }

  private show(link: DaemonLink): void {
    this.link = link;
    for (const listener of this.listeners) listener();
  }

  private async call(member: string, args: readonly unknown[] = [], type = '', timeout = ANSWER_MILLIS) {
    const { client } = this;
    if (client === undefined) throw new Error('samepaged is not running');
    return this.callOn(client, MANAGER_INTERFACE, member, args, type, timeout);
  }

  private async callOn(
    client: BusClient,
    iface: string,
    member: string,
    args: readonly unknown[],
    type: string,
    timeout = ANSWER_MILLIS,
  ): Promise<unknown> {
    const [answer] = await client.call(OBJECT_PATH, iface, member, args, { type, timeout });
    return answer;
  }
}

/** An error in its own words. */
export function wordsOf(error: unknown): string {
  const { message, problem } = error as Partial<BusError>;
  return message ?? problem ?? String(error);
}
