import { MORNING_MILLIS } from './morning.js';
import { SPEEDS } from './options.js';
import { STEP_MILLIS } from './show.js';

/** The morning takes a minute. */
const FACTOR = MORNING_MILLIS / 60_000;
/** A machine that was asleep, or we, does not skip what came meanwhile. */
const LONGEST_TICK_MILLIS = 250;
const CTRL_C = '\u0003';

/** How the demo goes on. */
export interface Playback {
  /** How far the morning is to have come. */
  readonly wantedMillis: number;
  readonly speed: number;
  readonly paused: boolean;
  readonly quit: boolean;
}

export type PlayEvent =
  | { readonly kind: 'key'; readonly key: string }
  /** So much time has passed, and the morning has come so far. */
  | { readonly kind: 'tick'; readonly passedMillis: number; readonly reachedMillis: number };

export function startPlayback(speed: number): Playback {
  return { wantedMillis: 0, speed, paused: false, quit: false };
}

export function nextPlayback(playback: Playback, event: PlayEvent): Playback {
  if (event.kind === 'key') return pressed(playback, event.key);
  if (playback.paused) return playback;
  const passed = Math.min(event.passedMillis, LONGEST_TICK_MILLIS) * FACTOR * playback.speed;
  // Where the simulation cannot keep up, it does not have to catch up later.
  const from = Math.min(playback.wantedMillis, event.reachedMillis + STEP_MILLIS);
  return { ...playback, wantedMillis: from + passed };
}

function pressed(playback: Playback, key: string): Playback {
  const { speed } = playback;
  if (['q', 'Q', CTRL_C].includes(key)) return { ...playback, quit: true };
  if (key === ' ' || key === 'p') return { ...playback, paused: !playback.paused };
  if (key === '+' || key === '=') return { ...playback, speed: Math.min(speed * 2, SPEEDS.most) };
  if (key === '-') return { ...playback, speed: Math.max(speed / 2, SPEEDS.least) };
  return playback;
}

/** "simulated, 240 times as fast" */
export function paceOf({ speed, paused }: Playback): string {
  return `simulated, ${paused ? 'paused' : `${Math.round(FACTOR * speed)} times as fast`}`;
}

export function keysOf({ paused }: Playback): string {
  return `q quit   space ${paused ? 'go on' : 'pause'}   + faster   - slower`;
}
