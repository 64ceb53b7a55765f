/** What may be drawn at once, and how fast it comes back. */
interface Measure {
  readonly atOnce: number;
  readonly perSecond: number;
}

/** samepagectl makes one call, or some hundred for a month's history. */
const CALLS: Measure = { atOnce: 500, perSecond: 20 };
/**
 * A month's history twice. What nobody reads the bus keeps, and charges to us: at 127 MiB, its default, it stops reading from
 * us. A user who never reads needs two hours for that, and then the bus is joined again.
 */
const BYTES: Measure = { atOnce: 16 * 1024 ** 2, perSecond: 16 * 1024 };
/** The bus keeps more of a message than its bytes. */
const MESSAGE_BYTES = 1024;
/** Who has used nothing for so long is forgotten: all of it has come back. */
const FORGOTTEN_MILLIS = 3_600_000;

interface Account {
  calls: number;
  bytes: number;
  atMillis: number;
}

/** How much each user of the bus may still ask for, by calls and by the bytes of the answers. */
export class Quotas {
  private readonly accounts = new Map<unknown, Account>();
  private readonly now: () => number;

  /** @param now a clock that nobody sets, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
  }

  /** Counts a call: `many` when there were too many of late, `silent` when not even that may be answered. */
  call(user: unknown): 'allowed' | 'many' | 'silent' {
    const account = this.accountOf(user);
    if (account.bytes <= 0) return 'silent';
    if (account.calls < 1) return 'many';
    account.calls -= 1;
    return 'allowed';
  }

  /** Counts an answer, which may be larger than what is left. */
  answered(user: unknown, bytes: number): void {
    this.accountOf(user).bytes -= bytes + MESSAGE_BYTES;
  }

  private accountOf(user: unknown): Account {
    const nowMillis = this.now();
    for (const [other, { atMillis }] of this.accounts) {
      if (nowMillis - atMillis > FORGOTTEN_MILLIS) this.accounts.delete(other);
    }
    const before = this.accounts.get(user) ?? { calls: CALLS.atOnce, bytes: BYTES.atOnce, atMillis: nowMillis };
    const seconds = (nowMillis - before.atMillis) / 1000;
    const account = {
      calls: Math.min(before.calls + seconds * CALLS.perSecond, CALLS.atOnce),
      bytes: Math.min(before.bytes + seconds * BYTES.perSecond, BYTES.atOnce),
      atMillis: nowMillis,
    };
    this.accounts.set(user, account);
    return account;
  }
}
