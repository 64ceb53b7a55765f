import type { TimedStep } from './run.js';
import type { GuestContent, Step } from './scenario.js';
import type { Story } from './simulate.js';

/** Eight o'clock until noon. */
export const MORNING_MILLIS = 4 * 3_600_000;
/** Guests that are all there would need more. */
export const MORNING_MEMORY_MIB = 208 * 1024;

const MINUTE_MILLIS = 60_000;
const SERVERS = 10;
const DESKTOPS = 40;

const SERVER: GuestContent = {
  image: 'server',
  commonMiB: 2048,
  zeroMiB: 512,
  ownMiB: 5120,
  rewrittenMiBPerSecond: 0,
};
const DATABASE: GuestContent = { ...SERVER, rewrittenMiBPerSecond: 64 };
const DESKTOP: GuestContent = {
  image: 'desktop',
  commonMiB: 1536,
  zeroMiB: 256,
  ownMiB: 2048,
  rewrittenMiBPerSecond: 1,
};

/**
 * A morning on a busy host, told in minutes after eight: servers, of which every fifth is a database, have run all night
 * and are merged; from 10 on people come and their desktops start in four waves; at 150 all desktops load the same
 * update, which no event tells of; from 210 on every other desktop stops.
 */
export function morning(): Story {
  const desktops = names('desktop', DESKTOPS);
  const arrivals = desktops.map((guest, index): TimedStep => {
    const [wave, place] = [Math.trunc(index / 10), index % 10];
    return at(10 + wave * 20 + place * 0.5, { kind: 'start', guest, content: DESKTOP });
  });
  const updates = desktops.map((guest, index) => at(150 + index * 0.25, { kind: 'align', guest }));
  const leavers = desktops.filter((_, index) => index % 2 === 0);
  const departures = leavers.map((guest, index) => at(210 + index, { kind: 'stop', guest }));
  return {
    name: 'morning',
    summary: 'a morning on a busy host',
    memory: 'short',
    before: names('server', SERVERS).map((guest, index) => ({
      kind: 'start',
      guest,
      content: index % 5 === 0 ? DATABASE : SERVER,
    })),
    converged: false,
    then: [],
    later: [...arrivals, ...updates, ...departures],
    gainMiB: 0,
  };
}

function at(minutes: number, step: Step): TimedStep {
  return { atMillis: minutes * MINUTE_MILLIS, step };
}

function names(kind: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${kind}${String(index + 1).padStart(2, '0')}`);
}
