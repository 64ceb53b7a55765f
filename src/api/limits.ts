import { DBusError } from 'dbus-next';

/** How many there are: for one owner, for all, and of its own for each, also when all are taken. */
interface PlacesOf {
  readonly one: number;
  readonly all: number;
  readonly own: number;
}

/** Bounds how many of a kind of work go on at a time. */
export class Places {
  private readonly of: PlacesOf;
  /** The owner of each place taken. */
  private readonly taken: unknown[] = [];

  constructor(of: PlacesOf) {
    this.of = of;
  }

  /** Does `work`, in a place of `owner`'s for as long as it goes on. @throws DBusError when all places are taken. */
  async during<T>(owner: unknown, work: () => Promise<T>): Promise<T> {
    const own = this.taken.filter((other) => other === owner).length;
    if (own >= this.of.one) throw full(`${this.of.one} of your`);
    if (this.taken.length >= this.of.all && own >= this.of.own) throw full(String(this.of.all));
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
    `${which} calls already wait for polkit: try again`,
  );
}
