/** A process that runs a guest, as /proc shows it. */
export interface SeenProcess {
  readonly pid: number;
  /** In the kernel's clock ticks since boot: tells it from another process of the same pid. */
  readonly startTime: string;
  /** What people call the guest; others may be called the same. */
  readonly name: string;
  /** The name that the guest was given, where `name` says more than that. */
  readonly plainName?: string;
  /** What its command line claims to be its UUID. */
  readonly uuid?: string;
  /** Whose it is, where that is nobody whose guests count (KSM_GUEST_USERS). */
  readonly stranger?: string;
}

/** A guest that libvirt names; libvirt keeps names unique. */
export interface ReportedName {
  /** Its UUID. */
  readonly id: string;
  readonly name: string;
}

/** A guest of this host: reported by libvirt, seen in /proc, or both. */
export interface Entry<T extends ReportedName, P extends SeenProcess> {
  /** libvirt's UUID, or pid and start time. */
  readonly id: string;
  /** Unique among the entries. */
  readonly name: string;
  /** The name that the guest was given, where `name` says more than that. */
  readonly plainName?: string;
  readonly reported?: T;
  readonly process?: P;
  /** Whose it is, where it counts for no decision. What libvirt names counts, whoever it runs as. */
  readonly stranger?: string;
}

/**
 * The one list of this host's guests: those that libvirt names, then processes that it does not name, those that count first,
 * the oldest first. Decisions and all screens take their guests from here.
 *
 * A process keeps the UUID of its command line as its identity, so that it stays the same guest while libvirt is away. Of
 * two that claim one UUID the first in this order has it, and a stranger never has one: anybody can write a command line.
 */
export function takeInventory<T extends ReportedName, P extends SeenProcess>(
  reported: readonly T[],
  processes: readonly P[],
): readonly Entry<T, P>[] {
  const left = new Set(processes.toSorted(byStanding));
  const names = new Set<string>();
  const known = reported.map((guest): Entry<T, P> => {
    const process = processOf(guest, left);
    if (process !== undefined) left.delete(process);
    names.add(guest.name);
    return { id: guest.id, name: guest.name, reported: guest, ...(process === undefined ? {} : { process }) };
  });
  const ids = new Set(reported.map(({ id }) => id));
  const beside = [...left].map((process): Entry<T, P> => {
    const id = identityOf(process, ids);
    ids.add(id);
    const name = distinctName(process.name, process.pid, names);
    names.add(name);
    const { plainName = process.name, stranger } = process;
    return {
      id,
      name,
      process,
      ...(plainName === name ? {} : { plainName }),
      ...(stranger === undefined ? {} : { stranger }),
    };
  });
  return [...known, ...beside];
}

/** `name`, with the pid where it is taken. */
export function distinctName(name: string, pid: number | undefined, taken: { has(name: string): boolean }): string {
  return pid !== undefined && taken.has(name) ? `${name} (pid ${pid})` : name;
}

/** The process that libvirt started for a guest: it puts the UUID on the command line. */
function processOf<P extends SeenProcess>({ id, name }: ReportedName, left: ReadonlySet<P>): P | undefined {
  const all = [...left];
  return (
    all.find(({ uuid }) => uuid === id) ??
    all.find((process) => process.uuid === undefined && process.name === name && process.stranger === undefined)
  );
}

function identityOf({ pid, startTime, uuid, stranger }: SeenProcess, taken: ReadonlySet<string>): string {
  return uuid === undefined || stranger !== undefined || taken.has(uuid) ? lifeOf({ pid, startTime }) : uuid;
}

/** What tells a process from every other since boot. */
export function lifeOf({ pid, startTime }: Pick<SeenProcess, 'pid' | 'startTime'>): string {
  return `${pid}.${startTime}`;
}

/** Those that count first, the oldest first: what is called alike keeps its name when another one starts. */
function byStanding(a: SeenProcess, b: SeenProcess): number {
  const strange = Number(a.stranger !== undefined) - Number(b.stranger !== undefined);
  return strange || Number(a.startTime) - Number(b.startTime) || a.pid - b.pid;
}
