import { readFileSync, statSync } from 'node:fs';
import type { Root } from './sysfs.js';

/**
 * The users whose guests are guests of this host (KSM_GUEST_USERS), root among them always. Everybody may start a virtual
 * machine, name it as he likes and promise it any memory: what others start counts for no decision.
 */
export class GuestUsers {
  private readonly root: Root;
  private readonly wanted: () => string;
  private read: { readonly key: string; readonly users: Users } | undefined;

  /** @param wanted names and numbers, with commas between them, as they are now. */
  constructor(root: Root, wanted: () => string) {
    this.root = root;
    this.wanted = wanted;
  }

  /**
   * What tells a user's name where he is none of these, and undefined where he is one; good for one look. In a copy of another
   * host's files that has no /etc/passwd or does not say whose a process is, users cannot be told apart.
   */
  strangers(): (user: number | undefined) => string | undefined {
    const users = this.users();
    return (user) =>
      user === undefined || user === 0 || users === undefined || users.trusted.has(user)
        ? undefined
        : (users.names.get(user) ?? String(user));
  }

  private users(): Users | undefined {
    const path = `${this.root}/etc/passwd`;
    const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (changed === undefined) return undefined;
    const key = `${changed} ${this.wanted()}`;
    if (this.read?.key !== key) this.read = { key, users: usersOf(readFileSync(path, 'latin1'), this.wanted()) };
    return this.read.users;
  }
}

interface Users {
  readonly names: ReadonlyMap<number, string>;
  readonly trusted: ReadonlySet<number>;
}

function usersOf(passwd: string, wanted: string): Users {
  const words = wanted.split(/[\s,]+/);
  const entries = Array.from(passwd.matchAll(/^([^:\n]+):[^:\n]*:(\d+):/gm), ([, name = '', id]) => {
    return [Number(id), name] as const;
  });
  const named = entries.filter(([, name]) => words.includes(name)).map(([id]) => id);
  const numbers = words.filter((word) => /^\d{1,10}$/.test(word)).map(Number);
  return { names: new Map(entries), trusted: new Set([...named, ...numbers]) };
}
