import type { GuestContent, Scenario, Step, TimedStep } from '../simulation/step.js';

/** Eight o'clock until noon. */
export const MORNING_MILLIS = 4 * 3_600_000;
/** Guests that are all there would need more. */
export const MORNING_MEMORY_MIB = 48 * 1024;
export const SERVERS = 10;
export const DESKTOPS = 40;

const MINUTE_MILLIS = 60_000;
const DATABASE_EVERY = 5;
const WAVES = 4;
const WAVE_DESKTOPS = DESKTOPS / WAVES;

/** When things happen, in minutes after eight. */
const FIRST_WAVE = 10;
const WAVE_EVERY = 20;
const START_EVERY = 0.5;
const UPDATE = 150;
const UPDATE_EVERY = 0.25;
const LEAVING = 210;

const SERVER: GuestContent = {
  image: 'server',
  commonMiB: 512,
  zeroMiB: 128,
  ownMiB: 1280,
  rewrittenMiBPerSecond: 0,
};
const DATABASE: GuestContent = { ...SERVER, rewrittenMiBPerSecond: 16 };
const DESKTOP: GuestContent = {
  image: 'desktop',
  commonMiB: 640,
  zeroMiB: 64,
  ownMiB: 320,
  rewrittenMiBPerSecond: 1,
};

/**
 * A morning on a busy host: servers, of which every fifth is a database, run when it begins; people come and their desktops
 * start in four waves; later all desktops load the same update, which no event announces; then every other desktop stops.
 * Memory is plenty until the second wave.
 */
export function morning(): Scenario {
  const desktops = names('desktop', DESKTOPS);
  const arrivals = desktops.map((guest, index): TimedStep => {
    const [wave, place] = [Math.trunc(index / WAVE_DESKTOPS), index % WAVE_DESKTOPS];
    return at(FIRST_WAVE + wave * WAVE_EVERY + place * START_EVERY, { kind: 'start', guest, content: DESKTOP });
  });
  const updates = desktops.map((guest, index) => at(UPDATE + index * UPDATE_EVERY, { kind: 'align', guest }));
  const leavers = desktops.filter((_, index) => index % 2 === 0);
  const departures = leavers.map((guest, index) => at(LEAVING + index, { kind: 'stop', guest }));
  return {
    name: 'morning',
    summary: 'a morning on a busy host',
    memory: 'short',
    before: names('server', SERVERS).map((guest, index) => ({
      kind: 'start',
      guest,
      content: index % DATABASE_EVERY === 0 ? DATABASE : SERVER,
    })),
    converged: false,
    then: [],
    later: [...arrivals, ...updates, ...departures],
    gainMiB: 0,
  };
}

/** A part of the morning, in times from its beginning. */
export interface Chapter {
  readonly fromMillis: number;
  readonly headline: string;
}

/** What there is to merge becomes more, from the first guest of it to the last. */
export interface Wave {
  readonly fromMillis: number;
  readonly doneMillis: number;
  /** When something else happens. */
  readonly untilMillis: number;
}

/** In the order of their times. */
export const MORNING_WAVES: readonly Wave[] = [
  ...Array.from({ length: WAVES }, (_, wave) => {
    const from = FIRST_WAVE + wave * WAVE_EVERY;
    const until = wave === WAVES - 1 ? UPDATE : from + WAVE_EVERY;
    return waveOf(from, (WAVE_DESKTOPS - 1) * START_EVERY, until);
  }),
  waveOf(UPDATE, (DESKTOPS - 1) * UPDATE_EVERY, LEAVING),
];

export const MORNING_CHAPTERS: readonly Chapter[] = [
  chapter(0, `${SERVERS} servers run, ${SERVERS / DATABASE_EVERY} of them busy databases; memory is plenty`),
  ...Array.from({ length: WAVES }, (_, wave) => wave).flatMap((wave) => {
    const from = FIRST_WAVE + wave * WAVE_EVERY;
    const there = (wave + 1) * WAVE_DESKTOPS;
    return [
      chapter(from, `people come: ${WAVE_DESKTOPS} desktops start`),
      chapter(from + WAVE_DESKTOPS * START_EVERY, `${there} desktops run: much of their memory is alike`),
    ];
  }),
  chapter(UPDATE, 'all desktops load the same update, and no event announces it'),
  chapter(UPDATE + DESKTOPS * UPDATE_EVERY, 'the update made the desktops more alike: who finds out?'),
  chapter(LEAVING, 'every other desktop stops, one a minute'),
  chapter(LEAVING + DESKTOPS / 2, 'half of the desktops have stopped'),
];

function chapter(minutes: number, headline: string): Chapter {
  return { fromMillis: minutes * MINUTE_MILLIS, headline };
}

function waveOf(from: number, lasts: number, until: number): Wave {
  const millis = (minutes: number) => minutes * MINUTE_MILLIS;
  return { fromMillis: millis(from), doneMillis: millis(from + lasts), untilMillis: millis(until) };
}

function at(minutes: number, step: Step): TimedStep {
  return { atMillis: minutes * MINUTE_MILLIS, step };
}

function names(kind: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${kind}${String(index + 1).padStart(2, '0')}`);
}
