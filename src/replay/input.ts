import * as v from 'valibot';
import type { HistoryRecord } from '../core/history/record.js';
import { EXIT, FatalError, errnoOf, messageOf } from '../errors.js';
import { describeLosses, parseHistory, recordsFrom } from '../state/history/file.js';
import { TooLarge, readPlain } from '../plainFile.js';
import { clean } from '../text/clean.js';

export interface Recording {
  /** In the order of time; at least one is a sample. */
  readonly records: readonly HistoryRecord[];
  /** What was left out, each with its place. */
  readonly notes: readonly string[];
}

/** Several times what a month's history can be, in either form. */
const LARGEST_BYTES = 64 * 1024 ** 2;
const EXPECTED =
  'expected the history.log that samepaged keeps in /var/lib/samepaged, or what samepagectl history --json prints';
const MOST_NOTES = 20;
/** More is not a host's, and would not be simulated in any time and memory. */
const MOST_GUESTS = 10_000;
const MOST_BYTES = 2 ** 50;
const BRACE = 0x7b;

/** @throws FatalError when the file cannot be read, or holds nothing to replay. */
export function readRecording(path: string): Recording {
  const bytes = readBounded(path);
  const isDocument = bytes[0] === BRACE;
  const { records, notes } = isDocument ? readDocument(path, bytes.toString('utf8')) : readLines(path, bytes);
  if (!records.some(({ kind }) => kind === 'sample')) {
    throw new FatalError([...notes, `${path}: there is no sample in it; ${EXPECTED}`].join('\n'), EXIT.usage);
  }
  return { records: records.map(cleaned).toSorted((a, b) => a.atMillis - b.atMillis), notes };
}

/** @returns what can be read of the daemon's own file. @throws FatalError when it cannot be read at all. */
export function readOwnHistory(path: string): readonly HistoryRecord[] {
  return readLines(path, readBounded(path)).records.map(cleaned);
}

/** What is shown of it goes to a terminal. */
function cleaned(record: HistoryRecord): HistoryRecord {
  if (record.kind === 'guest') return { ...record, name: clean(record.name) };
  if (record.kind === 'sample') return record;
  return { ...record, policy: clean(record.policy), sentence: clean(record.sentence) };
}

function readBounded(path: string): Buffer {
  try {
    return readPlain(path, LARGEST_BYTES);
  } catch (error) {
    if (error instanceof TooLarge) {
      throw new FatalError(`${path} is larger than a month's history can be; ${EXPECTED}`, EXIT.usage);
    }
    throw new FatalError(`${path} cannot be read (${errnoOf(error) ?? messageOf(error)})`, EXIT.usage);
  }
}

/** The daemon's own file. What only another version can have written is counted with what it is known to have written. */
function readLines(path: string, bytes: Buffer): Recording {
  const { records, losses } = recordsFrom((take) => parseHistory(bytes, take));
  const sound = records.filter((record) => record.kind !== 'sample' || v.is(SAMPLE, record));
  const foreign = losses.foreign + records.length - sound.length;
  return { records: sound, notes: describeLosses(path, { ...losses, foreign }) };
}

function wholeNumber(least: number, most: number) {
  return v.pipe(
    v.number(),
    v.check(
      (value) => Number.isInteger(value) && value >= least && value <= most,
      ({ received }) => `Expected a whole number from ${least} to ${most} but received ${received}`,
    ),
  );
}
const size = wholeNumber(0, MOST_BYTES);
const counter = v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER));
const SAMPLE = v.object({
  ...{
    savedBytes: size,
    freedBytes: v.optional(size, 0),
    freeBytes: size,
    totalBytes: wholeNumber(1, MOST_BYTES),
    committedBytes: size,
  },
  ...{ guestCount: wholeNumber(0, MOST_GUESTS), run: wholeNumber(0, 2) },
  ...{ profitBytes: v.optional(wholeNumber(-MOST_BYTES, MOST_BYTES)), ksmdCpuNanos: counter, pagesScanned: counter },
});
const time = v.pipe(
  v.string(),
  v.transform((text) => Date.parse(text)),
  v.number('Invalid time: Expected one as in ISO 8601'),
);
const SAMPLE_ITEM = v.pipe(
  v.object({ time, ...SAMPLE.entries }),
  v.transform(({ time: atMillis, profitBytes, ksmdCpuNanos, pagesScanned, ...sample }): HistoryRecord => {
    return { kind: 'sample', atMillis, ...sample, profitBytes, ksmdCpuNanos, pagesScanned };
  }),
);
const DECISION_ITEM = v.pipe(
  v.object({ time, policy: v.string(), reason: v.string(), sentence: v.string(), changes: v.array(v.string()) }),
  v.transform(({ time: atMillis, ...decision }): HistoryRecord => ({ kind: 'decision', atMillis, ...decision })),
);
const GUEST_EVENT_ITEM = v.pipe(
  v.object({ time, guest: v.string(), change: v.picklist(['started', 'stopped', 'crashed', 'resized']) }),
  v.transform(({ time: atMillis, guest: name, change }): HistoryRecord => ({ kind: 'guest', atMillis, name, change })),
);
const DOCUMENT = v.object({
  version: v.literal(1),
  samples: v.array(v.unknown()),
  decisions: v.array(v.unknown()),
  guestEvents: v.array(v.unknown()),
});

/** What samepagectl history --json prints. */
function readDocument(path: string, text: string): Recording {
  const document = v.safeParse(DOCUMENT, parseJson(path, text));
  if (!document.success) throw new FatalError(`${path}: ${complaint(document.issues)}; ${EXPECTED}`, EXIT.usage);
  const lists = [
    ['samples', SAMPLE_ITEM],
    ['decisions', DECISION_ITEM],
    ['guestEvents', GUEST_EVENT_ITEM],
  ] as const;
  const notes: string[] = [];
  const records = lists.flatMap(([name, schema]) =>
    document.output[name].flatMap((item, index): HistoryRecord[] => {
      const read = v.safeParse(schema, item);
      if (read.success) return [read.output];
      notes.push(`${path}: ${name}[${index}]: ${complaint(read.issues)}: left out`);
      return [];
    }),
  );
  const more = notes.length - MOST_NOTES;
  return { records, notes: more > 0 ? [...notes.slice(0, MOST_NOTES), `${path}: and ${more} more left out`] : notes };
}

function complaint([issue]: readonly [v.BaseIssue<unknown>, ...unknown[]]): string {
  const place = v.getDotPath(issue);
  return clean(place === null ? issue.message : `${place}: ${issue.message}`);
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FatalError(`${path}: ${clean(messageOf(error))}; ${EXPECTED}`, EXIT.usage);
  }
}
