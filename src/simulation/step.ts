/** What a guest has in its memory once it is ready, in MiB. */
export interface GuestContent {
  /** Pages that every guest with this content has too; a smaller number is a prefix of a larger. */
  readonly commonMiB: number;
  /** Which common pages: guests of different images have none in common. */
  readonly image?: string;
  /** Empty pages that were written to. */
  readonly zeroMiB?: number;
  /** How much of its empty pages it writes to and empties again, over and over, per second. */
  readonly rewrittenZeroMiBPerSecond?: number;
  /** Pages that no other guest has. */
  readonly ownMiB: number;
  /** How much of its own pages it writes again, over and over, per second. */
  readonly rewrittenMiBPerSecond: number;
}

export type Step =
  | { readonly kind: 'start'; readonly guest: string; readonly content: GuestContent }
  | { readonly kind: 'stop'; readonly guest: string }
  /** The guest's own pages become the same as those of every other guest that takes this step. No event announces it. */
  | { readonly kind: 'align'; readonly guest: string };

/** What happens on a host, and what there is to gain: run on the real kernel by the benchmark and here by the simulation. */
export interface Scenario {
  readonly name: string;
  readonly summary: string;
  /** Whether guests and reserve exceed memory, so that every tuner has reason to merge. */
  readonly memory: 'short' | 'plenty';
  /** Done and ready before the tuner starts. */
  readonly before: readonly Step[];
  /** Whether what `before` brings has been merged, and the tuner has come to rest, when the clock starts. */
  readonly converged: boolean;
  /** Done at once when the clock starts; without any the clock starts with the tuner. */
  readonly then: readonly Step[];
  /** Done when their time comes, counted from the clock's start. */
  readonly later?: readonly TimedStep[];
  /** How long it is watched from the clock's start; without it until what there is to gain is gained, and a while longer. */
  readonly lastsMillis?: number;
  /** What merging can save beyond what is saved when the clock starts, in MiB. */
  readonly gainMiB: number;
}

export interface ScenarioSizes {
  readonly guests: number;
  readonly commonMiB: number;
  readonly ownMiB: number;
  /** Of the scenario zeros, for each guest. */
  readonly zeroMiB: number;
  /** Of the scenario churn, for each guest. */
  readonly rewrittenMiBPerSecond: number;
}

export const DEFAULT_SIZES: ScenarioSizes = {
  guests: 13,
  commonMiB: 1024,
  ownMiB: 256,
  zeroMiB: 1200,
  rewrittenMiBPerSecond: 64,
};

export const SCENARIO_NAMES = [
  'full-host',
  'late-guest',
  'churn',
  'unique',
  'plenty',
  'quiet-change',
  'boot-storm',
  'zeros',
  'windows-like',
  'staggered',
  'replaced',
] as const;

export type ScenarioName = (typeof SCENARIO_NAMES)[number];

export function scenario(
  name: ScenarioName,
  { guests, commonMiB, ownMiB, zeroMiB, rewrittenMiBPerSecond }: ScenarioSizes,
): Scenario {
  const content: GuestContent = { commonMiB, ownMiB, rewrittenMiBPerSecond: 0 };
  const starts = (count: number, of: GuestContent): Step[] =>
    names(count).map((guest) => ({ kind: 'start', guest, content: of }));
  const full = starts(guests, content);
  const base = { name, memory: 'short', before: full, converged: false, then: [] } as const;
  const gain = (sharers: number, mebibytes: number) => Math.max(sharers - 1, 0) * mebibytes;
  switch (name) {
    case 'full-host':
      return { ...base, summary: 'alike guests fill the host', gainMiB: gain(guests, commonMiB) };
    case 'late-guest':
      return {
        ...base,
        summary: 'one more guest arrives when all is merged',
        converged: true,
        then: starts(guests + 1, content).slice(-1),
        gainMiB: commonMiB,
      };
    case 'churn':
      return {
        ...base,
        summary: 'the guests rewrite their own pages all the time',
        before: starts(guests, { ...content, rewrittenMiBPerSecond }),
        gainMiB: gain(guests, commonMiB),
      };
    case 'unique':
      return {
        ...base,
        summary: 'no page is like another',
        before: starts(guests, { ...content, commonMiB: 0, ownMiB: commonMiB + ownMiB }),
        gainMiB: 0,
      };
    case 'plenty':
      return { ...base, summary: 'memory is plenty', memory: 'plenty', before: starts(2, content), gainMiB: 0 };
    case 'quiet-change':
      return {
        ...base,
        summary: "the guests' own pages become alike, and no event announces it",
        converged: true,
        then: names(guests).map((guest) => ({ kind: 'align', guest })),
        gainMiB: gain(guests, ownMiB),
      };
    case 'boot-storm':
      return {
        ...base,
        summary: 'all guests start at once',
        before: [],
        then: full,
        gainMiB: gain(guests, commonMiB),
      };
    case 'zeros': {
      const fewer = Math.ceil(guests * ZEROS_GUESTS_SHARE);
      const alike = Math.ceil(commonMiB / 4);
      const of = { commonMiB: alike, zeroMiB, ownMiB: Math.ceil(ownMiB / 2), rewrittenMiBPerSecond: 0 };
      return {
        ...base,
        summary: 'most of what the guests have is empty, as with init_on_free or preallocated memory',
        before: starts(fewer, of),
        gainMiB: gain(fewer, alike) + fewer * zeroMiB,
      };
    }
    case 'windows-like': {
      const fewer = 2 * Math.ceil((guests * ZEROS_GUESTS_SHARE) / 2);
      const alike = Math.ceil(commonMiB / 2);
      const empty = Math.round(((alike + ownMiB) * WINDOWS_ZERO_SHARE) / (1 - WINDOWS_ZERO_SHARE));
      const of = {
        ...{ commonMiB: alike, zeroMiB: empty, ownMiB, rewrittenMiBPerSecond: 0 },
        rewrittenZeroMiBPerSecond: WINDOWS_REWRITTEN_MIB_PER_SECOND,
      };
      return {
        ...base,
        summary: 'guests of two images, of which two fifths are empty and written to and emptied all the time',
        before: names(fewer).map((guest, index) => ({
          kind: 'start',
          guest,
          content: { ...of, image: index % 2 === 0 ? 'A' : 'B' },
        })),
        gainMiB: 2 * gain(fewer / 2, alike) + fewer * empty,
      };
    }
    case 'staggered': {
      const of = arrivalOf(commonMiB, ownMiB);
      const count = Math.ceil(guests * ZEROS_GUESTS_SHARE);
      const [first, ...others] = starts(count, of);
      return {
        ...base,
        summary: `guests start one after another, one each ${ARRIVAL_SECONDS} s`,
        before: [],
        then: first === undefined ? [] : [first],
        later: others.map((step, index) => ({ atMillis: (index + 1) * ARRIVAL_SECONDS * 1000, step })),
        lastsMillis: ARRIVALS_SECONDS * 1000,
        gainMiB: gain(count, of.commonMiB),
      };
    }
    case 'replaced': {
      const of = arrivalOf(commonMiB, ownMiB);
      const settled = Math.ceil(guests * SETTLED_GUESTS_SHARE);
      const times = Math.ceil(ARRIVALS_SECONDS / ARRIVAL_SECONDS);
      const successors = names(settled + times).slice(settled);
      return {
        ...base,
        summary: `beside settled guests one is replaced by a new one each ${ARRIVAL_SECONDS} s`,
        before: starts(settled + 1, of),
        later: successors.slice(1).flatMap((guest, index): TimedStep[] => {
          const atMillis = (index + 1) * ARRIVAL_SECONDS * 1000;
          return [
            { atMillis, step: { kind: 'stop', guest: successors[index] ?? '' } },
            { atMillis, step: { kind: 'start', guest, content: of } },
          ];
        }),
        lastsMillis: ARRIVALS_SECONDS * 1000,
        gainMiB: gain(settled, of.commonMiB),
      };
    }
  }
}

/** Guests with much that is empty are larger: eight of them where there are thirteen others. */
const ZEROS_GUESTS_SHARE = 8 / 13;

const WINDOWS_ZERO_SHARE = 0.4;
const WINDOWS_REWRITTEN_MIB_PER_SECOND = 16;

const ARRIVAL_SECONDS = 10;

const ARRIVALS_SECONDS = 150;
/** Six of them where there are thirteen others. */
const SETTLED_GUESTS_SHARE = 6 / 13;

/** Guests that come one by one are smaller: 384 MiB alike and 64 MiB of their own where others have 1024 and 256. */
function arrivalOf(commonMiB: number, ownMiB: number): GuestContent {
  return { commonMiB: Math.ceil(commonMiB * (3 / 8)), ownMiB: Math.ceil(ownMiB / 4), rewrittenMiBPerSecond: 0 };
}

function names(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `guest${String(index + 1).padStart(2, '0')}`);
}

/** A step and when it is done. */
export interface TimedStep {
  readonly atMillis: number;
  readonly step: Step;
}
