import * as v from 'valibot';
import { isGuestChange } from '../core/guest.js';
import { OBSTACLES, type Obstacle } from '../core/mergeability.js';

/** Without the changes that only a newer daemon knows. */
const guestEvents = v.pipe(
  v.array(v.tuple([v.string(), v.string()])),
  v.transform((events) => events.flatMap(([name, change]) => (isGuestChange(change) ? [{ name, change }] : []))),
);

const retune = {
  triggers: v.optional(v.array(v.string()), []),
  /** Absent from a daemon of before 0.2.0. */
  guestEvents: v.optional(guestEvents),
  policy: v.optional(v.string()),
  failure: v.optional(v.string()),
  reason: v.optional(v.string()),
  sentence: v.optional(v.string()),
  routine: v.optional(v.boolean()),
  stage: v.optional(v.string()),
  firstSavingsInUSec: v.optional(v.number()),
  endInUSec: v.optional(v.number()),
  /** Absent: no. */
  dryRun: v.optional(v.boolean()),
  changes: v.optional(v.array(v.string()), []),
  failed: v.optional(v.array(v.string())),
  /** Files that hold another program's value; absent: none. */
  left: v.optional(v.array(v.string())),
  problems: v.optional(v.array(v.string()), []),
  realtimeUSec: v.optional(v.number()),
  totalBytes: v.optional(v.number()),
  freeBytes: v.optional(v.number()),
  committedBytes: v.optional(v.number()),
  guestCount: v.optional(v.number()),
};

/** A retune as the daemon tells it; see org.samepaged1.Manager. A failed one has a `failure` and no decision. */
export const Retune = v.object(retune);
export type RetuneReply = v.InferOutput<typeof Retune>;

/** What is not known is below 0 on the bus, and null here. */
const percent = v.pipe(
  v.number(),
  v.transform((value) => (value < 0 ? null : value)),
);

export const Properties = v.object({
  version: v.string(),
  dryRun: v.boolean(),
  policy: v.string(),
  configuredPolicy: v.string(),
  /** Absent from a daemon of before 0.2.0. */
  configFile: v.optional(v.string()),
  policies: v.array(v.string()),
  run: v.number(),
  pagesToScan: v.number(),
  sleepMillisecs: v.number(),
  savedBytes: v.number(),
  /** The parts of savedBytes; 0 from a daemon that does not report them. */
  sharedBytes: v.optional(v.number(), 0),
  zeroBytes: v.optional(v.number(), 0),
  freedBytes: v.optional(v.number(), 0),
  /** Of guests that have gone, and not in savedBytes. */
  beingFreedBytes: v.optional(v.number(), 0),
  sharingRatio: v.number(),
  ksmdCpuPercent: percent,
  bookkeepingBytes: v.number(),
  profitBytes: v.number(),
  availableBytes: v.number(),
  guestCount: v.number(),
  guestMemoryBytes: v.number(),
  libvirtConnected: v.boolean(),
  hold: v.string(),
  holdUntilUSec: v.number(),
  lastRetune: Retune,
  nextLookUSec: v.number(),
});
export type DaemonProperties = v.InferOutput<typeof Properties>;

const entry = v.pipe(
  v.tuple([v.string(), v.string(), v.string()]),
  v.transform(([key, value, origin]) => ({ key, value, origin })),
);
export type ConfigEntry = v.InferOutput<typeof entry>;

const term = v.pipe(
  v.tuple([v.string(), v.number(), v.string(), v.string()]),
  v.transform(([name, value, unit, source]) => ({ name, value, unit, source })),
);
export type TermReply = v.InferOutput<typeof term>;

/** Without `terms` the decision was not worked out by a policy, or its policy does not show how. */
export const Explanation = v.object({
  ...retune,
  terms: v.optional(v.array(term)),
  comparisons: v.optional(v.array(v.string()), []),
  notes: v.optional(v.array(v.string()), []),
  change: v.optional(v.string()),
  keys: v.optional(v.array(entry), []),
});
export type ExplanationReply = v.InferOutput<typeof Explanation>;

/** Without the obstacles that only a newer daemon knows. */
export const Obstacles = v.pipe(
  v.array(v.string()),
  v.transform((names) => names.filter((name): name is Obstacle => name in OBSTACLES)),
);

/** A guest as the daemon's last decision had it, and what its process shows where that is seen. */
const guest = v.pipe(
  v.tuple([
    v.string(),
    v.object({
      id: v.optional(v.string()),
      /** The name that it was given, where another is shown. */
      plainName: v.optional(v.string()),
      residentBytes: v.optional(v.number(), 0),
      configuredBytes: v.optional(v.number(), 0),
      freedBytes: v.optional(v.number(), 0),
      /** From here on absent from a daemon of before 0.2.0 too. */
      manager: v.optional(v.string()),
      vmId: v.optional(v.string()),
      mergeable: v.optional(v.boolean()),
      obstacles: v.optional(Obstacles, []),
      mergedBytes: v.optional(v.number()),
      profitBytes: v.optional(v.number()),
    }),
  ]),
  v.transform(([name, parts]) => ({ name, ...parts })),
);
export const Guests = v.array(guest);
export type GuestReply = v.InferOutput<typeof guest>;

export const Configuration = v.object({
  entries: v.array(entry),
  waiting: v.array(v.string()),
  problems: v.array(v.string()),
});
export type ConfigurationReply = v.InferOutput<typeof Configuration>;

export const Reloaded = v.object({ taken: v.boolean(), problems: v.array(v.string()), retune: v.optional(Retune) });
export type ReloadReply = v.InferOutput<typeof Reloaded>;
