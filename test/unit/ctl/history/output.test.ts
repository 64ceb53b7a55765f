import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import type { HistoryRecord } from '../../../../src/core/history/record.js';
import { historyChart } from '../../../../src/ctl/history/chart.js';
import { historyCsv, historyJson } from '../../../../src/ctl/history/export.js';
import { historyOf } from '../../../../src/core/history/series.js';
import { historyText } from '../../../../src/ctl/history/text.js';
import { clean } from '../../../../src/text/clean.js';
import { assertGolden } from '../../../support/golden.js';
import { NOW, record } from '../../../support/examples/historyArbitraries.js';
import { exampleDay, exampleMonth } from '../../../support/examples/historyExample.js';
import { inTimeZone } from '../../../support/timeZone.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const DAY_BEGINS = Date.parse('2026-01-05T07:00:00Z');
const MONTH_BEGINS = Date.parse('2026-01-05T05:00:00Z');
const FROM_DAEMON = { source: 'daemon', notes: [] } as const;

const between = (records: readonly HistoryRecord[], from: number, millis: number) =>
  historyOf(records, from, from + millis);
const day = between(exampleDay(DAY_BEGINS), DAY_BEGINS, DAY);
const dayInTens = between(exampleDay(DAY_BEGINS, 10), DAY_BEGINS, DAY);
const hour = between(exampleDay(DAY_BEGINS), DAY_BEGINS + 3.75 * HOUR, HOUR);
const month = between(exampleMonth(MONTH_BEGINS), MONTH_BEGINS, 28 * DAY);
const nothing = between([], DAY_BEGINS, HOUR);
const any = fc.array(record, { maxLength: 60, size: 'max' }).map((records) => historyOf(records, NOW - 3 * DAY, NOW));

/** Every text of an XML document and its elements' names. @throws Error where it is not well-formed. */
function parsed(xml: string): { readonly texts: string; readonly names: ReadonlySet<string> } {
  const parser = new SaxesParser({ xmlns: true });
  const names = new Set<string>();
  let texts = '';
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('text', (text) => (texts += `${text}\n`));
  parser.on('opentag', ({ name }) => names.add(name));
  parser.write(xml).close();
  return { texts, names };
}

/** The cells of comma-separated values, as RFC 4180 has them. */
function cellsOf(csv: string): readonly (readonly string[])[] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/g)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === '') break;
    if (end === '\n') rows.push([]);
  }
  return rows;
}

describe('as it was', () => {
  inTimeZone('Europe/Berlin');
  test('the history table of an hour, a day and a month is as it was', () => {
    assertGolden('history-hour.txt', `${historyText(hour)}\n`);
    assertGolden('history-day.txt', `${historyText(day)}\n`);
    assertGolden('history-month.txt', `${historyText(month)}\n`);
  });

  test('the history as CSV and JSON of an hour is as it was', () => {
    assertGolden('history-hour.csv', `${historyCsv(hour)}\n`);
    assertGolden('history-hour.json', `${historyJson(hour, FROM_DAEMON)}\n`);
  });

  test('the history chart of a day and of nothing is as it was', () => {
    assertGolden('history-day.svg', `${historyChart(dayInTens, 'host1')}\n`);
    assertGolden('history-nothing.svg', `${historyChart(nothing, 'host1')}\n`);
  });
});

describe('the table', () => {
  inTimeZone('Europe/Berlin');
  test('the history table has a column for what splits freed where there is any, and says what it is', () => {
    const withFreed = (bytes: number) =>
      historyText({ ...hour, samples: hour.samples.map((sample) => ({ ...sample, freedBytes: bytes })) }).split('\n');
    const lines = withFreed(1024 ** 3);
    assert.match(lines[2] ?? '', /^TIME +SAVED +FREED +FREE +GUESTS USE +GUESTS +KSMD +KSM$/);
    assert.match(lines[3] ?? '', /^\d\d:\d\d +\S+ \S+ +1\.0 GiB +\S+ GiB /);
    assert.ok(lines.every((line) => line.length <= 80));
    assert.ok(lines.includes('FREED is the part of SAVED that splits of huge pages freed.'));
    assert.doesNotMatch(withFreed(0).join('\n'), /FREED/);
  });

  test('the history table fits 80 columns and two screens', () => {
    for (const history of [hour, day, month]) {
      const lines = historyText(history).split('\n');
      assert.ok(
        lines.every((line) => line.length <= 80),
        lines.filter((line) => line.length > 80).join('\n'),
      );
      assert.ok(lines.length <= 66, String(lines.length));
    }
  });

  test('the history table has nothing in it that a terminal would obey', () => {
    const atMillis = DAY_BEGINS + HOUR / 2;
    const started: HistoryRecord = { kind: 'guest', atMillis, name: 'we\u001b[2J\u202eb', change: 'started' };
    const text = historyText(between([...exampleDay(DAY_BEGINS), started], DAY_BEGINS, HOUR));
    assert.match(text, /guest we\?\[2J\?b started/);
  });

  test('the history table has no number that is none, whatever is in it', () => {
    fc.assert(
      fc.property(any, (history) => {
        const lines = historyText(history).split('\n');
        assert.ok(lines.every((line) => !/NaN|undefined|Infinity/.test(line)));
      }),
    );
  });
});

describe('JSON', () => {
  inTimeZone('Europe/Berlin');
  test('the history as JSON is JSON, whatever is in it, and keeps every record', () => {
    fc.assert(
      fc.property(any, (history) => {
        const read = JSON.parse(historyJson(history, FROM_DAEMON)) as Record<string, Record<string, unknown>[]>;
        const of = (list: string, field: string) => read[list]?.map((item) => item[field]);
        assert.deepEqual(
          of('samples', 'savedBytes'),
          history.samples.map(({ savedBytes }) => savedBytes),
        );
        assert.deepEqual(
          of('guestEvents', 'guest'),
          history.guestEvents.map(({ name }) => name),
        );
        assert.deepEqual(
          of('decisions', 'sentence'),
          history.decisions.map(({ sentence }) => sentence),
        );
      }),
    );
  });

  test('the history as JSON leaves out what the kernel does not tell', () => {
    const [sample] = day.samples;
    assert.ok(sample !== undefined);
    const bare = { ...sample, profitBytes: undefined, ksmdCpuNanos: undefined, pagesScanned: undefined };
    const { samples } = JSON.parse(historyJson({ ...nothing, samples: [bare] }, FROM_DAEMON)) as { samples: object[] };
    assert.deepEqual(Object.keys(samples[0] ?? {}), [
      ...['time', 'savedBytes', 'freedBytes', 'freeBytes', 'totalBytes', 'committedBytes', 'guestCount', 'run'],
    ]);
  });
});

describe('CSV', () => {
  inTimeZone('Europe/Berlin');
  const cell = (text: string) => clean(text).replace(/^(?=[=+@-])/, "'");

  test('in CSV a text that a spreadsheet would run is no formula any more; a number below 0 stays one', () => {
    const at = { atMillis: DAY_BEGINS };
    const names = ['=HYPERLINK("x")', '+1', '-1', '@SUM(A1)', 'web'];
    const guestEvents = names.map((name) => ({ kind: 'guest' as const, ...at, name, change: 'started' as const }));
    const [sample] = day.samples;
    assert.ok(sample !== undefined);
    const csv = historyCsv({ ...nothing, samples: [{ ...sample, profitBytes: -5 }], guestEvents });
    assert.deepEqual(
      cellsOf(csv).flatMap((row) => (row[1] === 'guest' ? [row[16]] : [])),
      ['\'=HYPERLINK("x")', "'+1", "'-1", "'@SUM(A1)", 'web'],
    );
    assert.match(csv, /,-5,/);
  });

  test('CSV has as many cells in every row, and gives the texts back, clean', () => {
    fc.assert(
      fc.property(any, (history) => {
        const [heading, ...rows] = cellsOf(historyCsv(history));
        assert.ok(heading !== undefined);
        assert.ok(rows.every((row) => row.length === heading.length));
        const column = (name: string, kind: string) =>
          rows.filter((row) => row[1] === kind).map((row) => row[heading.indexOf(name)]);
        assert.deepEqual(
          column('guest', 'guest'),
          history.guestEvents.map(({ name }) => cell(name)),
        );
        assert.deepEqual(
          column('sentence', 'decision'),
          history.decisions.map(({ sentence }) => cell(sentence)),
        );
        const times = rows.map(([time]) => time ?? '');
        assert.deepEqual(times, times.toSorted());
      }),
    );
  });
});

describe('the chart', () => {
  inTimeZone('Europe/Berlin');
  test('the history chart is well-formed, whatever is in it, and has no number that is none', () => {
    fc.assert(
      fc.property(any, fc.string({ unit: 'binary' }), (history, host) => {
        const svg = historyChart(history, host);
        parsed(svg);
        assert.doesNotMatch(svg.replaceAll(/<title>[^]*?<\/title>|<text[^]*?<\/text>/g, ''), /NaN|undefined|Infinity/);
      }),
    );
  });

  test('the history chart names guests and hosts as they are called, and marks every change', () => {
    const name = '<b>&"guest\'';
    const at = DAY_BEGINS + HOUR / 2;
    const events = (['started', 'stopped', 'crashed', 'resized'] as const).map((change, index): HistoryRecord => ({
      kind: 'guest',
      atMillis: at + (index * HOUR) / 10,
      name,
      change,
    }));
    const { texts } = parsed(historyChart(between([...exampleDay(DAY_BEGINS), ...events], DAY_BEGINS, HOUR), 'a<b'));
    assert.ok(texts.includes('Memory saved by KSM on a<b\n'));
    for (const change of ['started', 'stopped', 'crashed', 'resized'])
      assert.ok(texts.includes(`guest ${name} ${change}`));
  });

  test('the history chart is dark where the reader is, in every colour', () => {
    const svg = historyChart(day, 'host1');
    const [light = '', dark = ''] = svg.split('@media (prefers-color-scheme:dark)');
    const classes = [...svg.matchAll(/class="([\w -]+)"/g)].flatMap(([, names = '']) => names.split(' '));
    for (const name of new Set(classes)) {
      if (['strong', 'title', 'small'].includes(name) && !light.includes(`.${name}{fill`)) continue;
      const rule = new RegExp(`\\.${name}\\{(?:fill|stroke):#[0-9a-f]{6}\\}`);
      assert.match(light, rule);
      assert.match(dark, rule);
    }
  });

  test('the history chart of a month at full detail is no larger than a picture may be', () => {
    const samples = Array.from({ length: 17_000 }, (_, index) => {
      const [sample] = day.samples;
      assert.ok(sample !== undefined);
      return { ...sample, atMillis: DAY_BEGINS + index * 150_000, freeBytes: (index % 977) * 1e7, run: index % 2 };
    });
    const svg = historyChart(historyOf(samples, DAY_BEGINS, DAY_BEGINS + 30 * DAY), 'host1');
    assert.ok(svg.length < 2_000_000, String(svg.length));
  });
});
