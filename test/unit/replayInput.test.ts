import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { HistoryRecord } from '../../src/core/history.js';
import { historyJson } from '../../src/ctl/history/export.js';
import { historyOf } from '../../src/core/historySeries.js';
import { EXIT, FatalError } from '../../src/errors.js';
import { encodeLine } from '../../src/host/historyLines.js';
import { readRecording } from '../../src/replay/input.js';
import { exampleDay } from './historyExample.js';
import { FROM } from './replayHost.js';

const directory = mkdtempSync(join(tmpdir(), 'samepaged-replay-'));
after(() => {
  rmSync(directory, { recursive: true });
});

const DAY = 86_400_000;

function read(text: string) {
  const path = join(directory, 'history');
  writeFileSync(path, text);
  const { records, notes } = readRecording(path);
  return { records, notes: notes.map((note) => note.replace(path, 'FILE')) };
}

const linesOf = (records: readonly HistoryRecord[]) => records.map((record) => encodeLine(record).text).join('');
const documentOf = (records: readonly HistoryRecord[]) =>
  historyJson(historyOf(records, FROM, FROM + DAY), { source: 'file', notes: [] });
const day = exampleDay(FROM, 5);
const sorted = (records: readonly HistoryRecord[]) =>
  records.map((record) => JSON.stringify(record, Object.keys(record).sort())).sort();

describe('a recording', () => {
  test('is read from the file of the daemon and from the document of samepagectl alike', () => {
    for (const text of [linesOf(day), documentOf(day)]) {
      const { records, notes } = read(text);
      assert.deepEqual(sorted(records), sorted(day));
      assert.deepEqual(notes, []);
      assert.ok(records.every(({ atMillis }, index) => index === 0 || atMillis >= (records[index - 1]?.atMillis ?? 0)));
    }
  });

  test('without its bad lines, which are told with their place', () => {
    const lines = linesOf(day).split('\n');
    const { records, notes } = read([...lines.slice(0, 3), 'nonsense', ...lines.slice(3)].join('\n'));
    assert.equal(records.length, day.length);
    assert.deepEqual(notes, ['FILE:4: damaged and left out']);
  });

  test('without the bad entries of a document, which are told with their place', () => {
    const { samples, ...rest } = JSON.parse(documentOf(day)) as { samples: Record<string, unknown>[] };
    const bad = [{ ...samples[0], savedBytes: 'many' }, { ...samples[1], time: 'noon' }, ...samples.slice(2)];
    const { records, notes } = read(JSON.stringify({ ...rest, samples: bad }));
    assert.equal(records.length, day.length - 2);
    assert.deepEqual(notes, [
      'FILE: samples[0]: savedBytes: Invalid type: Expected number but received "many": left out',
      'FILE: samples[1]: time: Invalid time: Expected one as in ISO 8601: left out',
    ]);
  });

  const noSample = /: there is no sample in it; expected the history\.log .* samepagectl history --json prints$/;
  const refused: readonly [string, string, RegExp][] = [
    ['nothing', '', noSample],
    ['something else', 'Dear diary\n', /:1: damaged and left out\n.*there is no sample in it/],
    ['decisions only', linesOf(day.filter(({ kind }) => kind === 'decision')), noSample],
    ['half a document', documentOf(day).slice(0, 2000), /JSON.*; expected the history\.log/],
    ['another version', '{"version":2}', /: version: Invalid type: Expected 1 but received 2; expected the/],
  ];
  for (const [name, text, complaint] of refused) {
    test(`of ${name} is refused`, () => {
      assert.throws(
        () => read(text),
        (error) => error instanceof FatalError && error.status === EXIT.usage && complaint.test(error.message),
      );
    });
  }

  test('that cannot be read says so', () => {
    assert.throws(() => readRecording(join(directory, 'none')), /none cannot be read \(ENOENT\)$/);
    assert.throws(() => readRecording(directory), /cannot be read \(EISDIR\)$/);
  });
});
