import { DBusError } from 'dbus-next';

/** Bounds how many of a kind of work go on at a time: of one owner's, and of all. */
export class Places {
  private readonly of: { readonly one: number; readonly all: number };
  /** The owner of each place taken. */
  private readonly taken: unknown[] = [];

  constructor(of: { readonly one: number; readonly all: number }) {
    this.of = of;
  }

  /** Does `work`, in a place of `owner`'s for as long as it goes on. @throws DBusError when all places are taken. */
  async during<T>(owner: unknown, work: () => Promise<T>): Promise<T> {
    if (this.taken.filter((other) => other === owner).length >= this.of.one) throw full(`${this.of.one} of your`);
    if (this.taken.length >= this.of.all) throw full(String(this.of.all));
    this.taken.push(owner);
    try {
      return await work();
    } finally {
      this.taken.splice(this.taken.indexOf(owner), 1);
    }
  }
}

function full(which: string): DBusError {
  return new DBusError(
    'org.freedesktop.DBus.Error.LimitsExceeded',
    `${which} calls wait to be allowed already: try again`,
  );
}
