/** What the kernel says of a guest's private memory at one moment. All sizes in bytes. */
export interface AnonymousMemory {
  /** The process it was read of: pid and start time. Another process begins at nothing. */
  readonly process: string;
  /** RssAnon: pages that KSM merged with a shared page are in it, those mapped to the zero page are not. */
  readonly anonBytes: number;
  /** VmSwap */
  readonly swapBytes: number;
  /** Mapped to the zero page by KSM (ksm_zero_pages of ksm_stat); 0 where the kernel does not count it per process. */
  readonly zeroBytes: number;
  /** What its balloon leaves it; undefined where nobody says. */
  readonly balloonBytes: number | undefined;
}

/** One sample of all guests, by identity. */
export interface AnonymousReading {
  readonly guests: ReadonlyMap<string, AnonymousMemory>;
  /**
   * Memory of all huge pages that were split since boot, without those that the kernel split to reclaim memory, in bytes
   * (thp_split_page less thp_underused_split_page of /proc/vmstat, times the size); undefined where it is not counted.
   */
  readonly splitBytes: number | undefined;
  /** Mapped to the zero page by KSM, of all processes (ksm_zero_pages of /sys/kernel/mm/ksm). */
  readonly zeroBytes: number;
}

interface GuestAccount {
  /** Freed by splits, and not used again. */
  readonly freedBytes: number;
  /** Given back in another way (balloon, free page reporting), and not used again. */
  readonly returnedBytes: number;
}

/** What the guests' huge pages gave back when they were split, so far as it is not in use again. */
export interface FreedBySplits {
  readonly bytes: number;
  /** By guest's identity; a guest of which nothing was freed is not in it. */
  readonly byGuest: ReadonlyMap<string, number>;
  readonly accounts: ReadonlyMap<string, GuestAccount>;
  readonly reading: AnonymousReading;
  /** Of the splits so far: what may still be booked. A reading takes time, so that its parts are not of one moment. */
  readonly splitCreditBytes: number;
}

const NOTHING: GuestAccount = { freedBytes: 0, returnedBytes: 0 };

/** At the first retune nothing is known to have been freed. */
export function firstFreedBySplits(reading: AnonymousReading): FreedBySplits {
  return freedBySplitsOf({ accounts: new Map(), reading, splitCreditBytes: 0 });
}

/** The books, with their sums. */
export function freedBySplitsOf(
  books: Pick<FreedBySplits, 'accounts' | 'reading' | 'splitCreditBytes'>,
): FreedBySplits {
  const byGuest = new Map(
    [...books.accounts].flatMap(([id, { freedBytes }]) => (freedBytes > 0 ? [[id, freedBytes]] : [])),
  );
  const bytes = [...byGuest.values()].reduce((sum, freed) => sum + freed, 0);
  return { bytes, byGuest, ...books };
}

/**
 * Books what became of the guests' private memory since the last retune.
 *
 * A guest's private memory falls when a split frees its zero pages, when it gives memory back itself, when it is swapped
 * out and when KSM maps its pages to the zero page. The last two are counted elsewhere and taken out; a guest whose balloon
 * moved is left out; and no more is booked than the huge pages that were split can have held, which giving memory back
 * does not do. Memory that grows again is taken off both accounts in their proportion: nobody says which of it is used
 * again. The sum is therefore never more than the splits can have freed, and may be less.
 */
export function nextFreedBySplits(before: FreedBySplits, reading: AnonymousReading): FreedBySplits {
  const falls = [...reading.guests].map(([id, now]) => [id, fallOf(before.reading.guests.get(id), now)] as const);
  const fallenBytes = falls.reduce((sum, [, fall]) => sum + Math.max(fall ?? 0, 0), 0);
  const splitBytes = splitSince(before.reading, reading);
  const creditBytes = before.splitCreditBytes + splitBytes;
  const bookedShare = fallenBytes === 0 ? 0 : Math.min(creditBytes / fallenBytes, 1);

  const accounts = new Map<string, GuestAccount>();
  for (const [id, fall] of falls) {
    const account = bookedTo(before, reading, id, fall, bookedShare);
    if (account !== NOTHING) accounts.set(id, account);
  }
  // What the retune before could have booked and did not, and no more: older splits freed nothing.
  const splitCreditBytes = Math.min(creditBytes - bookedShare * fallenBytes, splitBytes);
  return freedBySplitsOf({ accounts, reading, splitCreditBytes });
}

/** How much less private memory a guest has, below 0 for more; undefined where that says nothing. */
function fallOf(before: AnonymousMemory | undefined, now: AnonymousMemory): number | undefined {
  if (before?.process !== now.process || before.balloonBytes !== now.balloonBytes) return undefined;
  return before.anonBytes - now.anonBytes - (now.swapBytes - before.swapBytes) - (now.zeroBytes - before.zeroBytes);
}

/** What was split, less what went to the zero page in processes whose count is unknown: it is in ksm_zero_pages already. */
function splitSince(before: AnonymousReading, now: AnonymousReading): number {
  if (before.splitBytes === undefined || now.splitBytes === undefined) return 0;
  const toldBytes = [...now.guests].reduce((sum, [id, { zeroBytes }]) => {
    return sum + zeroBytes - (before.guests.get(id)?.zeroBytes ?? 0);
  }, 0);
  const untoldBytes = Math.max(now.zeroBytes - before.zeroBytes - toldBytes, 0);
  return Math.max(now.splitBytes - before.splitBytes - untoldBytes, 0);
}

function bookedTo(
  before: FreedBySplits,
  reading: AnonymousReading,
  id: string,
  fall: number | undefined,
  bookedShare: number,
): GuestAccount {
  const isSame = before.reading.guests.get(id)?.process === reading.guests.get(id)?.process;
  const account = isSame ? (before.accounts.get(id) ?? NOTHING) : NOTHING;
  if (fall === undefined || fall === 0) return account;
  const { freedBytes, returnedBytes } = account;
  if (fall > 0) {
    const freed = fall * bookedShare;
    return { freedBytes: freedBytes + freed, returnedBytes: returnedBytes + fall - freed };
  }
  const all = freedBytes + returnedBytes;
  const left = all === 0 ? 0 : Math.max(1 + fall / all, 0);
  return left === 0 ? NOTHING : { freedBytes: freedBytes * left, returnedBytes: returnedBytes * left };
}
