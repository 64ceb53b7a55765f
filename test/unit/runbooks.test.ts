import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { DaemonProperties } from '../../src/api/replies.js';
import { guestsTable } from '../../src/ctl/guests/table.js';
import { statusScreen } from '../../src/ctl/status/screen.js';
import { CHECKS } from '../../src/doctor/examine.js';
import { NOW, PLAIN, PROPERTIES, REPLY } from '../support/examples/ctlExamples.js';
import { HEALTHY } from '../support/examples/doctorFacts.js';

// Somebody reads a runbook at night, beside what the programs print: the words must be theirs.

const golden = (name: string) => readFileSync(`fixtures/golden/${name}.txt`, 'utf8').split('\n');
const matching = (lines: readonly string[], pattern: RegExp) =>
  new Set(lines.flatMap((line) => pattern.exec(line)?.[1] ?? []));
const TOPIC = /^ {2}([a-z]+) {2,}\S/;
const HEADING = /^(KSM is .*)$/;
const TITLE = /^([A-Z][a-z' ]+)$/;
const FINDING = /^(?:note|problem): (.*)$/;

const BURST: DaemonProperties = { ...PROPERTIES, lastRetune: { ...REPLY, stage: 'first-pass' } };
const STATUS = [...golden('status'), ...statusScreen(BURST, NOW, PLAIN).split('\n')];
const GUESTS = guestsTable(
  {
    source: 'proc',
    guests: [
      {
        ...{ id: '1', name: 'web', pid: 1, manager: 'qemu', vmId: undefined, cgroup: undefined, stranger: undefined },
        ...{ configuredBytes: 1, residentBytes: 1, mergeability: undefined, mergedPages: 1, mergedBytes: 4096 },
        ...{ freedBytes: undefined, profitBytes: 1 },
      },
    ],
    hostSavedBytes: undefined,
    otherMergers: undefined,
    notes: [],
  },
  PLAIN,
).split('\n');

/** What of a command's output is always the same, by its verb: every such part of a runbook must be one that the command prints. */
const PRINTED: Readonly<Record<string, readonly { readonly pattern: RegExp; readonly known: ReadonlySet<string> }[]>> =
  {
    status: [
      { pattern: HEADING, known: matching(STATUS, HEADING) },
      { pattern: TOPIC, known: matching(STATUS, TOPIC) },
    ],
    doctor: [{ pattern: FINDING, known: new Set(CHECKS.flatMap((check) => check.examine(HEALTHY)?.title ?? [])) }],
    explain: [{ pattern: TITLE, known: matching(golden('explain'), TITLE) }],
    guests: [{ pattern: /\b([A-Z]{4,})\b/g, known: wordsOf(GUESTS) }],
    history: [{ pattern: /\b([A-Z]{3,})\b/g, known: wordsOf(golden('history-hour')) }],
  };

function wordsOf(lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.match(/\b[A-Z]{3,}\b/g) ?? []));
}

describe('the output that a runbook shows has the words of the program', () => {
  for (const file of readdirSync('docs/runbooks')) {
    test(`the output that the runbook ${file} shows has the words of the program`, () => {
      const text = readFileSync(`docs/runbooks/${file}`, 'utf8');
      let count = 0;
      for (const [, verb = '', block = ''] of text.matchAll(/^ {4}\$ samepagectl (\w+).*\n((?: {4}.*\n|\n)*)/gm)) {
        const output = block.split(/^ {4}\$ /m)[0] ?? '';
        const lines = output.split('\n').map((line) => line.slice(4));
        for (const { pattern, known } of PRINTED[verb] ?? []) {
          for (const line of lines) {
            for (const [, word = ''] of line.matchAll(new RegExp(pattern, 'g'))) {
              assert.ok(known.has(word), `samepagectl ${verb} does not print "${word}"`);
              count += 1;
            }
          }
        }
      }
      assert.ok(count > 0, 'nothing was compared');
    });
  }
});
