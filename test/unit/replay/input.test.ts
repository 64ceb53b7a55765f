import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { HistoryRecord } from '../../../src/core/history/record.js';
import { historyJson } from '../../../src/ctl/history/export.js';
import { historyOf } from '../../../src/core/history/series.js';
import { EXIT, FatalError } from '../../../src/errors.js';
import { encodeLine } from '../../../src/state/history/lines.js';
import { readRecording } from '../../../src/replay/input.js';
import { exampleDay } from '../../support/examples/historyExample.js';
import { FROM } from '../../support/simulation/replayHost.js';

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
  test('a recording is read from the file of the daemon and from the document of samepagectl alike', () => {
    for (const text of [linesOf(day), documentOf(day)]) {
      const { records, notes } = read(text);
      assert.deepEqual(sorted(records), sorted(day));
      assert.deepEqual(notes, []);
      assert.ok(records.every(({ atMillis }, index) => index === 0 || atMillis >= (records[index - 1]?.atMillis ?? 0)));
    }
  });

  test('a recording is read without its bad lines, which are told with their place', () => {
    const lines = linesOf(day).split('\n');
    const { records, notes } = read([...lines.slice(0, 3), 'nonsense', ...lines.slice(3)].join('\n'));
    assert.equal(records.length, day.length);
    assert.deepEqual(notes, ['FILE:4: damaged and left out']);
  });

  test('a recording is read without the bad entries of a document, which are told with their place', () => {
    const { samples, ...rest } = JSON.parse(documentOf(day)) as { samples: Record<string, unknown>[] };
    const bad = [{ ...samples[0], savedBytes: 'many\u001b' }, { ...samples[1], time: 'noon' }, ...samples.slice(2)];
    const { records, notes } = read(JSON.stringify({ ...rest, samples: bad }));
    assert.equal(records.length, day.length - 2);
    assert.deepEqual(notes, [
      'FILE: samples[0]: savedBytes: Invalid type: Expected number but received "many?": left out',
      'FILE: samples[1]: time: Invalid time: Expected one as in ISO 8601: left out',
    ]);
  });

  const absurd: readonly (readonly [Record<string, number>, string])[] = [
    [{ guestCount: 1e9 }, 'guestCount: Expected a whole number from 0 to 10000 but received 1000000000'],
    [{ guestCount: 2.5 }, 'guestCount: Expected a whole number from 0 to 10000 but received 2.5'],
    [{ totalBytes: 0 }, 'totalBytes: Expected a whole number from 1 to 1125899906842624 but received 0'],
    [{ savedBytes: -5 }, 'savedBytes: Expected a whole number from 0 to 1125899906842624 but received -5'],
    [{ run: 3 }, 'run: Expected a whole number from 0 to 2 but received 3'],
  ];
  for (const [figure, complaint] of absurd) {
    test(`a recording is read without a sample whose ${JSON.stringify(figure)} no host has`, () => {
      const changed = day.map((record, index) => (index === 50 ? { ...record, ...figure } : record));
      assert.equal(changed[50]?.kind, 'sample');
      const number = changed.slice(0, 50).filter(({ kind }) => kind === 'sample').length;
      const document = read(documentOf(changed));
      assert.deepEqual(document.notes, [`FILE: samples[${number}]: ${complaint}: left out`]);
      assert.equal(document.records.length, day.length - 1);
      const lines = read(linesOf(changed));
      assert.deepEqual(lines.notes, ['FILE: 1 line of another version of samepaged left out']);
      assert.deepEqual(sorted(lines.records), sorted(document.records));
    });
  }

  test('a recording has nothing in it that a terminal would obey', () => {
    const decision = { kind: 'decision', atMillis: FROM, reason: 'always', changes: [] } as const;
    const evil: readonly HistoryRecord[] = [
      { ...decision, policy: 'ksm\u001b[2Jtuned', sentence: 'merging\u001b]0;x\u0007\u202e' },
      { kind: 'guest', atMillis: FROM, name: 'web\u009b', change: 'started' },
    ];
    for (const text of [linesOf([...day, ...evil]), documentOf([...day, ...evil])]) {
      const texts = JSON.stringify(read(text).records.filter(({ kind }) => kind !== 'sample'));
      assert.ok(texts.includes('ksm?[2Jtuned') && texts.includes('merging?]0;x??') && texts.includes('web?'));
      assert.doesNotMatch(texts, /\\u00|\u009b|\u202e/);
    }
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
    test(`a recording of ${name} is refused`, () => {
      assert.throws(
        () => read(text),
        (error) => error instanceof FatalError && error.status === EXIT.usage && complaint.test(error.message),
      );
    });
  }

  test('a recording that cannot be read is refused with the reason', () => {
    assert.throws(() => readRecording(join(directory, 'none')), /none cannot be read \(ENOENT\)$/);
    assert.throws(() => readRecording(directory), /cannot be read \(it is a directory and no regular file\)$/);
  });
});
