import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Problem } from '../../../src/core/sample.js';
import type { Retune } from '../../../src/core/retune.js';
import { RetuneReport } from '../../../src/daemon/journal.js';
import { sampleOf } from '../../support/examples/examples.js';

type Decided = Extract<Retune, { sample: unknown }>;

const COMMON = { policy: 'ksmtuned', nextInMillis: 60_000 } as const;
const DECIDED: Decided = {
  ...COMMON,
  triggers: [{ kind: 'guest', event: { change: 'started', name: 'web' } }, { kind: 'timer' }],
  sample: sampleOf(),
  decision: {
    reason: 'free-below-reserve',
    sentence: 'short: merging',
    settings: { run: 1, pagesToScan: 364, sleepMillisecs: 10 },
  },
  applied: { writes: [{ setting: 'run', from: 0, to: 1 }], problems: [] },
};
const QUIET: Decided = { ...DECIDED, applied: { writes: [], problems: [] } };
const ROUTINE: Decided = { ...DECIDED, decision: { ...DECIDED.decision, routine: true } };
const FAILED: Retune = { ...COMMON, triggers: [{ kind: 'timer' }], failure: new Error('meminfo is odd') };

/** The lines that the turns leave in the log, as "level: text". */
function logged(turns: readonly Retune[], { least = 'info' } = {}): string[] {
  const lines: string[] = [];
  const levels = ['debug', 'info', 'warn'];
  const at =
    (level: string) =>
    (...words: unknown[]): void => {
      if (levels.indexOf(level) >= levels.indexOf(least)) lines.push(`${level}: ${String(words.at(-1))}`);
    };
  const unused = () => assert.fail('not for a turn');
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: unused, fatal: unused };
  const report = new RetuneReport(log);
  for (const turn of turns) report.add(turn);
  return lines;
}

const withProblems = (...problems: Problem[]): Retune => ({ ...QUIET, applied: { writes: [], problems } });
const busy: Problem = { subject: 'merge_across_nodes', sentence: 'it is busy' };
const denied: Problem = { subject: 'run', sentence: 'it is denied' };

describe('the log of the turns', () => {
  const rows: { name: string; turns: Retune[]; lines: string[] }[] = [
    {
      name: 'a decision that changes something is one line',
      turns: [DECIDED],
      lines: ['info: guest web started and 1 more: short: merging [run 0 -> 1]'],
    },
    {
      name: 'a dry run says what would be set',
      turns: [{ ...DECIDED, applied: { ...DECIDED.applied, dryRun: true } }],
      lines: ['info: guest web started and 1 more: short: merging [would set run 0 -> 1]'],
    },
    { name: 'a decision that changes nothing is none', turns: [QUIET, QUIET], lines: [] },
    { name: 'a decision that only follows measurements is none, whatever it changes', turns: [ROUTINE], lines: [] },
    {
      name: 'problems of a decision that changes nothing are told',
      turns: [{ ...ROUTINE, applied: { ...ROUTINE.applied, problems: [busy] } }],
      lines: ['warn: it is busy'],
    },
    { name: 'a problem is told', turns: [withProblems(busy)], lines: ['warn: it is busy'] },
    {
      name: 'a problem is told once, and not at every turn',
      turns: [withProblems(busy), withProblems(busy), withProblems(busy, denied)],
      lines: ['warn: it is busy', 'warn: it is denied'],
    },
    {
      name: 'a problem is told again when it had gone away',
      turns: [withProblems(busy), QUIET, withProblems(busy)],
      lines: ['warn: it is busy', 'warn: it is busy'],
    },
    {
      name: 'a problem of the sample is told once, and again when it had gone away',
      turns: [{ ...QUIET, sample: sampleOf({ problems: [denied] }) }, withProblems(denied)],
      lines: ['warn: it is denied'],
    },
    {
      name: 'failed turns in a row are told once',
      turns: [FAILED, FAILED, FAILED],
      lines: ['warn: no decision (timer): meminfo is odd'],
    },
    {
      name: 'a failed turn says nothing of the other problems, which are not told again after it',
      turns: [withProblems(busy), FAILED, withProblems(busy)],
      lines: ['warn: it is busy', 'warn: no decision (timer): meminfo is odd'],
    },
  ];
  for (const { name, turns, lines } of rows) {
    test(`the log of the turns: ${name}`, () => {
      assert.deepEqual(logged(turns), lines);
    });
  }

  test('the log of the turns with DEBUG has what changes nothing or only follows measurements too', () => {
    const lines = logged([QUIET, ROUTINE], { least: 'debug' });
    assert.ok(lines.includes('debug: guest web started and 1 more: short: merging'), lines.join('\n'));
    assert.ok(lines.includes('debug: guest web started and 1 more: short: merging [run 0 -> 1]'), lines.join('\n'));
  });

  test("the log of the turns with DEBUG has ksmtuned's own lines, in kB", () => {
    const memory = { totalBytes: 2048 * 1024, freeBytes: 1000 * 1024, committedBytes: 1024 * 512 };
    const stopped: Retune = { ...QUIET, decision: { ...QUIET.decision, settings: { run: 0 } } };
    const lines = logged([{ ...QUIET, sample: sampleOf({ memory }) }, stopped], { least: 'debug' });
    assert.ok(lines.includes('debug: total 2048 committed 512 free 1000'), lines.join('\n'));
    assert.ok(lines.includes('debug: KSMCTL start 364 10'), lines.join('\n'));
    assert.ok(lines.includes('debug: KSMCTL stop'), lines.join('\n'));
  });
});
