import { type NamedGuest, guestId } from '../core/guest.js';
import type { GuestDetails } from '../core/mergeability.js';
import { messageOf } from '../errors.js';
import type { GuestProcess } from '../host/guestProcess.js';
import type { InspectedGuest } from '../host/guestProcesses.js';
import { mergedBytesOf } from '../host/ksmStat.js';
import type { Log } from '../log.js';

/** However many ask, each guest's files are read once in this time. */
const RECENT_MILLIS = 10_000;

export interface GuestDetailsOptions {
  readonly pageSizeBytes: number;
  /** All guests that run now. */
  readonly inspect: () => Promise<readonly InspectedGuest[]>;
  readonly log: Log;
}

/** A guest that counts, whose process is seen. */
type SeenGuest = NamedGuest & { readonly process: GuestProcess };

/** The processes of the guests that count, in every detail. They are read only for somebody who asks. */
export class GuestDetailsReader {
  private readonly options: GuestDetailsOptions;
  private last: { readonly atMillis: number; readonly guests: Promise<readonly SeenGuest[]> } | undefined;
  /** As they were seen last; undefined before the first reading. */
  seen: readonly SeenGuest[] | undefined;

  constructor(options: GuestDetailsOptions) {
    this.options = options;
  }

  /** Reads now; what was seen stays where that fails. Never rejects. */
  now(): Promise<readonly SeenGuest[]> {
    const guests = this.read();
    this.last = { atMillis: performance.now(), guests };
    return guests;
  }

  /** What is known of the guests, by identity, at most ten seconds old. */
  async details(): Promise<ReadonlyMap<string, GuestDetails>> {
    const { last } = this;
    const isRecent = last !== undefined && performance.now() - last.atMillis < RECENT_MILLIS;
    const guests = await (isRecent ? last.guests : this.now());
    return new Map(guests.map((guest) => [guestId(guest), detailsOf(guest.process, this.options.pageSizeBytes)]));
  }

  private async read(): Promise<readonly SeenGuest[]> {
    const { inspect, log } = this.options;
    try {
      const counting = (await inspect()).filter(({ stranger }) => stranger === undefined);
      this.seen = counting.flatMap(({ process, ...named }) => (process === undefined ? [] : [{ ...named, process }]));
    } catch (error) {
      log.debug(`whether guests can be merged is not seen (${messageOf(error)})`);
    }
    return this.seen ?? [];
  }
}

function detailsOf({ ksmStat, mergeability, manager, vmId }: GuestProcess, pageBytes: number): GuestDetails {
  return {
    ...{ mergeability, manager, vmId },
    mergedBytes: mergedBytesOf(ksmStat, pageBytes),
    profitBytes: ksmStat.kind === 'known' ? ksmStat.stat.profitBytes : undefined,
  };
}
