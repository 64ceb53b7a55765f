import { gzipSync } from 'node:zlib';
import { DBusError, Variant } from 'dbus-next';
import type { ConfigView } from '../config/view.js';
import { guestId } from '../core/guest.js';
import type { GuestDetails } from '../core/mergeability.js';
import { describeWrite, ksmFile } from '../core/ksm.js';
import { describeTrigger, type Trigger } from '../core/trigger.js';
import type { MergeStage } from '../core/mergeStage.js';
import type { Retune } from '../core/retune.js';
import { type Sample, freedBytesOf } from '../core/sample.js';

export type VariantDict = Record<string, Variant>;

/**
 * What nobody reads the bus keeps and charges to us, so no answer has more than 64 KiB. This is for its largest part; what
 * goes with it is small.
 */
export const MOST_ANSWER_BYTES = 56 * 1024;
const MIB = 1024 ** 2;
const LONGEST_TEXT = 1000;
const MOST_TEXTS = 20;

/** A text cut to what a person reads. */
function cut(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}...` : text;
}

function cutAll(texts: readonly string[]): string[] {
  const shown = texts.slice(0, MOST_TEXTS).map(cut);
  return texts.length > MOST_TEXTS ? [...shown, `and ${texts.length - MOST_TEXTS} more`] : shown;
}

/**
 * A retune as it goes over the bus. Sizes in bytes, RealtimeUSec in microseconds since 1970 as systemd's properties have it;
 * Changes, Failed (what the kernel did not take) and Problems are sentences. Left: files whose values are another program's (KSM_ON_CONFLICT). DryRun: nothing was written, and Changes is what
 * would have been. GuestEvents: name and change (started, stopped, crashed, resized) of those among the triggers, in their order.
 * Routine: it only follows measurements, as a probe now and then. Stage, for a policy that knows: waiting, first-pass, merging or
 * done, with estimates of when the first pages merge and when it is over.
 * A failed retune has only Triggers, GuestEvents, Policy and Failure.
 */
export function retuneDict(retune: Retune): VariantDict {
  const common = {
    Triggers: new Variant('as', cutAll(retune.triggers.map(describeTrigger))),
    GuestEvents: new Variant('a(ss)', guestEvents(retune.triggers)),
    Policy: new Variant('s', retune.policy),
  };
  if ('failure' in retune) return { ...common, Failure: new Variant('s', cut(retune.failure.message)) };
  const { sample, decision, applied } = retune;
  const { failed = [], left = [] } = applied;
  const problems = [...sample.problems, ...(decision.problems ?? []), ...applied.problems].map(
    ({ sentence }) => sentence,
  );
  return {
    ...common,
    Reason: new Variant('s', decision.reason),
    Sentence: new Variant('s', cut(decision.sentence)),
    Routine: new Variant('b', decision.routine === true),
    ...stageDict(decision.stage),
    ...(applied.dryRun === true ? { DryRun: new Variant('b', true) } : {}),
    Changes: new Variant('as', applied.writes.map(describeWrite)),
    ...(left.length === 0 ? {} : { Left: new Variant('as', left.map(ksmFile)) }),
    ...(failed.length === 0 ? {} : { Failed: new Variant('as', failed.map(describeWrite)) }),
    Problems: new Variant('as', cutAll(problems)),
    RealtimeUSec: new Variant('t', BigInt(sample.takenAtMillis) * 1000n),
    TotalBytes: new Variant('t', BigInt(sample.memory.totalBytes)),
    FreeBytes: new Variant('t', BigInt(sample.memory.freeBytes)),
    CommittedBytes: new Variant('t', BigInt(sample.memory.committedBytes)),
    GuestCount: new Variant('u', sample.guests.length),
  };
}

function guestEvents(triggers: readonly Trigger[]): string[][] {
  const events = triggers.flatMap((trigger) => (trigger.kind === 'guest' ? [trigger.event] : []));
  return events.slice(0, MOST_TEXTS).map(({ name, change }) => [cut(name), change]);
}

function stageDict(stage: MergeStage | undefined): VariantDict {
  if (stage === undefined) return {};
  const micros = (millis: number) => new Variant('t', unsigned(millis) * 1000n);
  const { name, firstSavingsInMillis: first, endInMillis: end } = stage;
  return {
    Stage: new Variant('s', name),
    ...(first === undefined ? {} : { FirstSavingsInUSec: micros(first) }),
    ...(end === undefined ? {} : { EndInUSec: micros(end) }),
  };
}

/**
 * The retune with its working. Terms: name, value, unit (bytes, percent, pages, milliseconds, count) and source of each
 * number. Keys: name, value and origin of each key of the configuration that is in play; Change is absent where nothing is
 * known that would change the decision. A hold, a failure and a policy that does not show its working have only the retune.
 */
export function explanationDict(retune: Retune, entries: ConfigView['entries']): VariantDict {
  const dict = retuneDict(retune);
  const working = 'decision' in retune ? retune.decision.working : undefined;
  if (working === undefined) return dict;
  const { terms, comparisons, change, notes = [], keys } = working;
  return {
    ...dict,
    Terms: new Variant(
      'a(sdss)',
      terms.map(({ name, value, unit, source }) => [name, value, unit, source]),
    ),
    Comparisons: new Variant('as', [...comparisons]),
    Notes: new Variant('as', cutAll(notes)),
    Keys: new Variant('a(sss)', tuples(entries.filter(([key]) => keys.includes(key)))),
    ...(change === undefined ? {} : { Change: new Variant('s', change) }),
  };
}

const GUESTS_OF_A_PAGE = 100;
/** The most that goes over the bus with a guest's name. */
const GUEST_BYTES = 450;

/**
 * Guests after `after` in the order of their names. PlainName: the name that a guest was given, where another is shown.
 * ResidentBytes and ConfiguredBytes as the decision had them; FreedBytes: what splits of huge pages gave back of the guest, as
 * far as it was watched. The rest is what its process shows, and absent where that is not seen.
 */
export function guestDicts(
  sample: Sample,
  details: ReadonlyMap<string, GuestDetails>,
  after: string,
): [name: string, guest: VariantDict][] {
  const names = sample.guests.map(({ name }) => name).sort();
  let bytes = 0;
  const page = new Set(
    names
      .filter((name) => name > after)
      .slice(0, GUESTS_OF_A_PAGE)
      .filter(
        (name, index) => (bytes += 2 * Buffer.byteLength(name) + GUEST_BYTES) <= MOST_ANSWER_BYTES || index === 0,
      ),
  );
  return sample.guests
    .filter(({ name }) => page.has(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((guest) => [
      guest.name,
      {
        Id: new Variant('s', guestId(guest)),
        ...(guest.plainName === undefined ? {} : { PlainName: new Variant('s', guest.plainName) }),
        ResidentBytes: new Variant('t', unsigned(guest.residentBytes)),
        ConfiguredBytes: new Variant('t', unsigned(guest.configuredBytes)),
        FreedBytes: new Variant('t', unsigned(freedBytesOf(sample, guest))),
        ...detailsDict(details.get(guestId(guest))),
      },
    ]);
}

function detailsDict(details: GuestDetails | undefined): VariantDict {
  if (details === undefined) return {};
  const { mergeability, mergedBytes, profitBytes, manager, vmId } = details;
  return {
    Manager: new Variant('s', manager),
    ...(vmId === undefined ? {} : { VmId: new Variant('s', cut(vmId)) }),
    ...(mergeability === undefined
      ? {}
      : {
          Mergeable: new Variant('b', mergeability.mergeable),
          Obstacles: new Variant('as', [...mergeability.obstacles]),
        }),
    ...(mergedBytes === undefined ? {} : { MergedBytes: new Variant('t', unsigned(wholeMib(mergedBytes))) }),
    ...(profitBytes === undefined ? {} : { ProfitBytes: new Variant('x', BigInt(wholeMib(profitBytes))) }),
  };
}

/**
 * The kernel shows these figures only to root and the owner of the guest, and everybody may call. In whole MiB they do not show
 * whether a single page was merged, which would be a side channel without the need to measure time.
 */
function wholeMib(bytes: number): number {
  return Math.trunc(bytes / MIB) * MIB;
}

/** Entries: name, value and origin of every key. Waiting: keys that the files say something else of by now. */
export function configurationDict({ entries, waiting, problems }: ConfigView): VariantDict {
  return {
    Entries: new Variant('a(sss)', tuples(entries)),
    Waiting: new Variant('as', [...waiting]),
    Problems: new Variant('as', cutAll(problems)),
  };
}

function tuples(entries: ConfigView['entries']): string[][] {
  return entries.map((entry) => entry.map(cut));
}

/** @throws DBusError where even the compressed page is more than an answer may have, as with thousands of guests. */
export function metricsBytes(page: string): Buffer {
  const bytes = gzipSync(page);
  if (bytes.length <= MOST_ANSWER_BYTES) return bytes;
  const limit = `the metrics do not fit into an answer of ${MOST_ANSWER_BYTES} bytes`;
  throw new DBusError('org.freedesktop.DBus.Error.LimitsExceeded', `${limit}: unset KSM_METRICS_GUESTS`);
}

/** The answer of a method that a retune followed. @throws DBusError for a failed one. */
export function reply(retune: Retune): VariantDict {
  if ('failure' in retune) throw new DBusError('org.samepaged1.Error.RetuneFailed', retune.failure.message);
  return retuneDict(retune);
}

/** The bus has no number below 0 for a size; a difference of the kernel's counters may be there for a moment. */
export function unsigned(value: number): bigint {
  return BigInt(Math.max(Math.round(value), 0));
}
