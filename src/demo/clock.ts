import { clockTime } from '../text/clock.js';

/** The process is to be in this time zone (TZ), so that the same is shown wherever it runs. */
export const SIMULATED_ZONE = 'UTC';

/** Eight o'clock of some morning. */
const EIGHT_MILLIS = Date.UTC(2026, 0, 5, 8);

/** A time of the morning on the wall's clock, milliseconds since 1970. */
export function onClock(atMillis: number): number {
  return EIGHT_MILLIS + atMillis;
}

/** "08:30" */
export function clockOf(atMillis: number): string {
  return clockTime(onClock(atMillis));
}
