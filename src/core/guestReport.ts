import type { GuestEvent } from './guest.js';
import { distinctName } from './inventory.js';

/** A guest in a full list. */
export interface ListedGuest {
  readonly id: string;
  readonly name: string;
  readonly plainName?: string;
  readonly pid?: number;
  /** Another one means that the guest was started again; absent where the source does not see its process. */
  readonly life?: string;
}

/** `libvirt`: what it names. `proc`: the processes that count. Most guests are in both lists. */
export type GuestSource = 'libvirt' | 'proc';

/** What a guest source reports: one change, or the full list of its running guests, which repairs whatever was missed. */
export type GuestReport =
  | ({ readonly kind: 'event' } & GuestEvent & { readonly id: string })
  | { readonly kind: 'list'; readonly source: GuestSource; readonly guests: readonly ListedGuest[] };

type Listed = ReadonlyMap<string, ListedGuest>;

/** The running guests by identity, of each source; undefined until its first list. A guest runs that is in one of them. */
export type Running = Readonly<Record<GuestSource, Listed | undefined>>;

export const NOTHING_LISTED: Running = { libvirt: undefined, proc: undefined };

/**
 * Takes a report into the running guests. Idempotent: a report that says nothing new gives no event, in whatever order events
 * and lists arrive. The first lists of both sources are where we begin, not a change; events before are passed on as they are.
 */
export function takeReport(running: Running, report: GuestReport): readonly [Running, readonly GuestEvent[]] {
  return report.kind === 'list' ? takeList(running, report) : takeEvent(running, report);
}

function takeList(
  running: Running,
  { source, guests }: Extract<GuestReport, { kind: 'list' }>,
): readonly [Running, readonly GuestEvent[]] {
  const before = unionOf(running);
  const names = new Set([...before.values()].map(({ name }) => name));
  const listed = new Map<string, ListedGuest>();
  for (const guest of guests) {
    const known = before.get(guest.id);
    // Who has a name keeps it for as long as it runs.
    const name = known?.name ?? distinctName(guest.name, guest.pid, names);
    names.add(name);
    const plainName = guest.plainName ?? guest.name;
    listed.set(guest.id, { ...guest, name, ...(plainName === name ? {} : { plainName }) });
  }
  const next = { ...running, [source]: listed };
  if (!hasBegun(running)) return [next, []];
  const after = unionOf(next);
  const again = [...(running[source] ?? [])].filter(([id, { life }]) => {
    const now = listed.get(id)?.life;
    return life !== undefined && now !== undefined && life !== now;
  });
  const stopped = [...before.values()].filter(({ id }) => !after.has(id));
  const started = [...after.values()].filter(({ id }) => !before.has(id));
  const restarted = again.map(([, guest]) => guest);
  return [
    next,
    [
      ...[...stopped, ...restarted].map((guest) => eventOf(guest, 'stopped')),
      ...[...restarted, ...started].map((guest) => eventOf(guest, 'started')),
    ],
  ];
}

function takeEvent(
  running: Running,
  { id, change, name }: Extract<GuestReport, { kind: 'event' }>,
): readonly [Running, readonly GuestEvent[]] {
  if (!hasBegun(running)) return [running, [{ change, name, id }]];
  const known = unionOf(running).get(id);
  if (change === 'resized') return [running, known === undefined ? [] : [eventOf(known, change)]];
  if (change === 'started') {
    if (known !== undefined) return [running, []];
    const guest = { id, name };
    return [{ ...running, libvirt: new Map(running.libvirt).set(id, guest) }, [eventOf(guest, change)]];
  }
  if (known === undefined) return [running, []];
  const without = (listed: Listed | undefined) => new Map([...(listed ?? [])].filter(([each]) => each !== id));
  return [{ libvirt: without(running.libvirt), proc: without(running.proc) }, [eventOf(known, change)]];
}

function hasBegun({ libvirt, proc }: Running): boolean {
  return libvirt !== undefined && proc !== undefined;
}

function unionOf({ libvirt, proc }: Running): Listed {
  return new Map([...(proc ?? []), ...(libvirt ?? [])]);
}

function eventOf({ id, name, plainName }: ListedGuest, change: GuestEvent['change']): GuestEvent {
  return { change, name, id, ...(plainName === undefined ? {} : { plainName }) };
}
