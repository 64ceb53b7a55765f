import type { HistoryGuestEvent, HistorySample } from '../core/history/record.js';
import { type Segment, lengthMillis, meanOf } from './segments.js';

/** A guest in a segment. Which memory it had is a guess from all guests' memory before and after it came. */
export interface Life {
  readonly name: string;
  /** Undefined: it was there when the segment began. */
  readonly fromMillis: number | undefined;
  readonly toMillis: number | undefined;
  readonly bytes: number;
}

interface Growing {
  readonly name: string;
  readonly fromMillis: number | undefined;
  toMillis: number | undefined;
  bytes: number;
}

/** Guests that came or went shortly after one another: what changed in all guests' memory is theirs together. */
interface Wave {
  readonly before: HistorySample;
  readonly beganMillis: number;
  lastMillis: number;
  readonly started: Growing[];
  leftBytes: number;
}

/** A guest has filled its memory by then, and the lists of guests agree with the events. */
const SETTLED_MILLIS = 120_000;
/** A wave that never ends is measured all the same. */
const LONGEST_WAVE_MILLIS = 600_000;
/** Less than any guest has. */
const LEAST_BYTES = 16 * 1024 ** 2;

/** The guests of a segment, from its events, and from the samples' counts where events are missing. */
export function livesOf(segment: Segment): readonly Life[] {
  const walk = new Walk(segment.samples[0], segment.guestEvents);
  for (const sample of segment.samples.slice(1)) walk.advance(sample);
  return scaled(walk.end(), segment);
}

class Walk {
  private readonly lives: Growing[] = [];
  private readonly running = new Map<string, Growing>();
  private readonly events: readonly HistoryGuestEvent[];
  private next = 0;
  private anonymous = 0;
  private last: HistorySample;
  private wave: Wave | undefined;

  constructor(first: HistorySample, events: readonly HistoryGuestEvent[]) {
    this.events = events;
    this.last = first;
    const each = first.committedBytes / Math.max(first.guestCount, 1);
    // Those whose first event is that they change or go were there.
    const firstEvents = new Map<string, HistoryGuestEvent>();
    for (const event of events) if (!firstEvents.has(event.name)) firstEvents.set(event.name, event);
    const known = [...firstEvents.values()].filter(
      ({ change, atMillis }) => (change === 'started') === atMillis <= first.atMillis,
    );
    for (const { name } of known) this.add(name, undefined, each);
    while (this.running.size < first.guestCount) this.add(this.anyName(), undefined, each);
    while (this.events[this.next] !== undefined && (this.events[this.next]?.atMillis ?? 0) <= first.atMillis)
      this.next += 1;
  }

  advance(sample: HistorySample): void {
    for (let event = this.events[this.next]; event !== undefined; event = this.events[this.next]) {
      if (event.atMillis > sample.atMillis) break;
      this.take(event);
      this.next += 1;
    }
    const { wave } = this;
    if (sample.atMillis - (wave?.lastMillis ?? -Infinity) >= SETTLED_MILLIS) this.reconcile(sample);
    if (this.wave !== undefined && isOver(this.wave, sample)) this.measure(this.wave, sample);
    this.last = sample;
  }

  end(): readonly Life[] {
    if (this.wave !== undefined) this.measure(this.wave, this.last);
    return this.lives;
  }

  private take({ name, change, atMillis }: HistoryGuestEvent): void {
    if (change === 'started') this.come(name, atMillis);
    else if (change !== 'resized') this.go(name, atMillis);
  }

  private reconcile({ guestCount, atMillis }: HistorySample): void {
    while (this.running.size < guestCount) this.come(this.anyName(), atMillis);
    for (const name of [...this.running.keys()].slice(guestCount)) this.go(name, atMillis);
  }

  private come(name: string, atMillis: number): void {
    if (this.running.has(name)) return;
    const wave = this.during(atMillis);
    wave.started.push(this.add(name, atMillis, 0));
  }

  private go(name: string, atMillis: number): void {
    const life = this.running.get(name);
    if (life === undefined) return;
    const wave = this.during(atMillis);
    wave.leftBytes += life.bytes;
    life.toMillis = atMillis;
    this.running.delete(name);
  }

  private during(atMillis: number): Wave {
    this.wave ??= { before: this.last, beganMillis: atMillis, lastMillis: atMillis, started: [], leftBytes: 0 };
    this.wave.lastMillis = atMillis;
    return this.wave;
  }

  /** Shares what guests' memory grew by among those that came and are still there. */
  private measure({ before, started, leftBytes }: Wave, after: HistorySample): void {
    this.wave = undefined;
    const staying = started.filter(({ toMillis }) => toMillis === undefined);
    const usual = after.committedBytes / Math.max(after.guestCount, 1);
    const each = (after.committedBytes - before.committedBytes + leftBytes) / Math.max(staying.length, 1);
    for (const life of started) life.bytes = life.toMillis === undefined && each >= LEAST_BYTES ? each : usual;
  }

  private add(name: string, fromMillis: number | undefined, bytes: number): Growing {
    const life = { name, fromMillis, toMillis: undefined, bytes };
    this.lives.push(life);
    this.running.set(name, life);
    return life;
  }

  /** For a guest that no event names. */
  private anyName(): string {
    this.anonymous += 1;
    return `(guest ${this.anonymous})`;
  }
}

function isOver({ beganMillis, lastMillis }: Wave, { atMillis }: HistorySample): boolean {
  return atMillis - lastMillis >= SETTLED_MILLIS || atMillis - beganMillis >= LONGEST_WAVE_MILLIS;
}

/** So that all guests have the recorded memory on average: it also changes without guests that come and go. */
function scaled(lives: readonly Life[], segment: Segment): readonly Life[] {
  const [{ atMillis: begin }] = segment.samples;
  const end = begin + lengthMillis(segment);
  const recorded = meanOf(segment, ({ committedBytes }) => committedBytes);
  const lived = ({ fromMillis = begin, toMillis = end }: Life) => (toMillis - fromMillis) / Math.max(end - begin, 1);
  const guessed = lives.reduce((sum, life) => sum + life.bytes * lived(life), 0);
  const factor = guessed > 0 ? recorded / guessed : 1;
  return lives.map((life) => ({ ...life, bytes: life.bytes * factor }));
}

/** What merging would save if all guests that run then were alike. */
export function sharableBytes(lives: readonly Life[], atMillis: number): number {
  let [all, largest] = [0, 0];
  for (const { fromMillis = -Infinity, toMillis = Infinity, bytes } of lives) {
    if (fromMillis > atMillis || toMillis <= atMillis) continue;
    all += bytes;
    largest = Math.max(largest, bytes);
  }
  return all - largest;
}
