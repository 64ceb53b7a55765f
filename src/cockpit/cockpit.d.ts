/** What this page uses of Cockpit's cockpit.js; see https://cockpit-project.org/guide/latest/development.html */

export interface BusError {
  /** The name of the D-Bus error; absent where the channel failed. */
  readonly name?: string | null;
  readonly message: string | null;
  /** Why the channel failed: not-found, access-denied, disconnected ... */
  readonly problem?: string | null;
}

export interface BusMatch {
  readonly interface?: string;
  readonly path?: string;
  readonly member?: string;
  readonly arg0?: string;
}

export interface BusClient {
  call(
    path: string,
    iface: string,
    method: string,
    args?: readonly unknown[],
    options?: { readonly type?: string; readonly timeout?: number; readonly flags?: string },
  ): Promise<unknown[]>;
  subscribe(
    match: BusMatch,
    callback: (path: string, iface: string, signal: string, args: unknown[]) => void,
  ): { remove(): void };
  addEventListener(type: 'close', listener: (event: unknown, options: { problem?: string }) => void): void;
  close(problem?: string): void;
}

export interface Spawned extends Promise<string> {
  close(problem?: string): void;
}

export interface Permission {
  /** Null until it is known. */
  readonly allowed: boolean | null;
  addEventListener(type: 'changed', listener: () => void): void;
  close(): void;
}

export interface Cockpit {
  readonly language: string;
  readonly language_direction: 'ltr' | 'rtl';
  gettext(text: string): string;
  ngettext(one: string, many: string, count: number): string;
  dbus(name: string, options: { readonly bus: 'system'; readonly superuser?: 'try' | 'require' }): BusClient;
  spawn(
    words: readonly string[],
    options: { readonly superuser?: 'try' | 'require'; readonly err: 'message'; readonly environ?: readonly string[] },
  ): Spawned;
  permission(options: { readonly admin: true }): Permission;
  jump(path: string): void;
}
