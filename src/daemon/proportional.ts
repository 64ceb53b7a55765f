import { type Guest, type KernelGuest, guestId } from '../core/guest.js';
import type { KsmState } from '../core/ksm.js';
import { estimatedProportionalBytes } from '../core/memory.js';
import type { Problem } from '../core/sample.js';
import type { Guests } from './guests.js';

/** To tell a guest's PSS the kernel walks through all of its memory. It is read for at most this share of a core, */
const CPU_SHARE = 0.02;
/** and not more often than this. */
const LEAST_MILLIS = 1000;

interface Reading {
  readonly ids: string;
  readonly readAtMillis: number;
  readonly tookMillis: number;
  readonly bytes: ReadonlyMap<string, number>;
  readonly problems: readonly Problem[];
}

/** The guests' PSS (KSM_MEMORY_ACCOUNTING=pss). */
export class ProportionalMemory {
  private readonly guests: Pick<Guests, 'proportional'>;
  private reading: Reading | undefined;

  constructor(guests: Pick<Guests, 'proportional'>) {
    this.guests = guests;
  }

  /**
   * In bytes, by identity; estimated where it cannot be read.
   *
   * @param listed the guests that Guests has listed last.
   * @param seen what the kernel reports of them.
   * @param problems of what could not be read.
   */
  async of(
    listed: readonly Guest[],
    seen: ReadonlyMap<string, KernelGuest>,
    ksm: KsmState,
    problems: Problem[],
  ): Promise<ReadonlyMap<string, number>> {
    const { bytes, problems: unread } = await this.read(listed.map(guestId).join('\n'));
    problems.push(...unread);
    return new Map(
      listed.map((guest) => {
        const id = guestId(guest);
        const estimated = estimatedProportionalBytes(guest.residentBytes, seen.get(id)?.mergedBytes ?? 0, ksm);
        return [id, bytes.get(id) ?? estimated];
      }),
    );
  }

  private async read(ids: string): Promise<Reading> {
    const { reading } = this;
    const nowMillis = performance.now();
    if (reading?.ids === ids) {
      const keptMillis = Math.max(LEAST_MILLIS, reading.tookMillis / CPU_SHARE);
      if (nowMillis - reading.readAtMillis < keptMillis) return reading;
    }
    const problems: Problem[] = [];
    const bytes = await this.guests.proportional(problems);
    this.reading = { ids, readAtMillis: nowMillis, tookMillis: performance.now() - nowMillis, bytes, problems };
    return this.reading;
  }
}
