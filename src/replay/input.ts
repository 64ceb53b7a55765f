import { readFileSync, statSync } from 'node:fs';
import * as v from 'valibot';
import type { HistoryRecord } from '../core/history.js';
import { EXIT, FatalError, errnoOf, messageOf } from '../errors.js';
import { describeLosses, parseHistory } from '../host/historyFile.js';
import { decodeLine } from '../host/historyLines.js';

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
const BRACE = 0x7b;

/** @throws FatalError when the file cannot be read, or holds nothing to replay. */
export function readRecording(path: string): Recording {
  const bytes = readBounded(path);
  const isDocument = bytes[0] === BRACE;
  const { records, notes } = isDocument ? readDocument(path, bytes.toString('utf8')) : readLines(path, bytes);
  if (!records.some(({ kind }) => kind === 'sample')) {
    throw new FatalError([...notes, `${path}: there is no sample in it; ${EXPECTED}`].join('\n'), EXIT.usage);
  }
  return { records: records.toSorted((a, b) => a.atMillis - b.atMillis), notes };
}

function readBounded(path: string): Buffer {
  try {
    const { size } = statSync(path);
    if (size <= LARGEST_BYTES) return readFileSync(path);
  } catch (error) {
    throw new FatalError(`${path} cannot be read (${errnoOf(error) ?? messageOf(error)})`, EXIT.usage);
  }
  throw new FatalError(`${path} is larger than a month's history can be; ${EXPECTED}`, EXIT.usage);
}

/** The daemon's own file. */
function readLines(path: string, bytes: Buffer): Recording {
  const records: HistoryRecord[] = [];
  let foreign = 0;
  const losses = parseHistory(bytes, (line) => {
    const record = decodeLine(line);
    if (record === undefined) foreign += 1;
    else records.push(record);
  });
  return { records, notes: describeLosses(path, { ...losses, foreign: losses.foreign + foreign }) };
}

const amount = v.pipe(v.number(), v.finite());
const time = v.pipe(
  v.string(),
  v.transform((text) => Date.parse(text)),
  v.number('Invalid time: Expected one as in ISO 8601'),
);
const SAMPLE = v.pipe(
  v.object({
    time,
    ...{ savedBytes: amount, freeBytes: amount, totalBytes: amount, committedBytes: amount },
    ...{ guestCount: amount, run: amount },
    ...{ profitBytes: v.optional(amount), ksmdCpuNanos: v.optional(amount), pagesScanned: v.optional(amount) },
  }),
  v.transform(({ time: atMillis, profitBytes, ksmdCpuNanos, pagesScanned, ...sample }): HistoryRecord => {
    return { kind: 'sample', atMillis, ...sample, profitBytes, ksmdCpuNanos, pagesScanned };
  }),
);
const DECISION = v.pipe(
  v.object({ time, policy: v.string(), reason: v.string(), sentence: v.string(), changes: v.array(v.string()) }),
  v.transform(({ time: atMillis, ...decision }): HistoryRecord => ({ kind: 'decision', atMillis, ...decision })),
);
const GUEST_EVENT = v.pipe(
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
    ['samples', SAMPLE],
    ['decisions', DECISION],
    ['guestEvents', GUEST_EVENT],
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
  return place === null ? issue.message : `${place}: ${issue.message}`;
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FatalError(`${path}: ${messageOf(error)}; ${EXPECTED}`, EXIT.usage);
  }
}
