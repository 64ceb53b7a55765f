import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parsedFile } from '../support/examples/historyEntries.js';
import { faultRuns } from '../support/faultRuns.js';
import { numberOf, startWriter } from '../support/historyWriter.js';

/** What is kept of guest events (core/historyThinning.ts). */
const KEPT = 4096;

/** What it said until it was killed, after so many records. */
async function killedAfter(directory: string, records: number): Promise<readonly string[]> {
  const writer = startWriter(directory, 'write');
  const lines: string[] = [];
  assert.ok(writer.stdout !== null);
  const reader = createInterface(writer.stdout).on('line', (line) => {
    lines.push(line);
    if (lines.length > records) writer.kill('SIGKILL');
  });
  const closed = once(reader, 'close');
  await closed;
  return lines;
}

describe('a history whose writer is killed', () => {
  test('a history whose writer is killed at any moment has everything recorded before, and the next goes on', async () => {
    const seen = { kills: 0, torn: 0, halves: 0, recorded: 0 };
    // Two thousand records fill half a MiB, after which the file is rewritten: kills fall into that too.
    const counts = fc.array(fc.integer({ min: 0, max: 2500 }), { minLength: 2, maxLength: 5, size: 'max' });
    await fc.assert(
      fc.asyncProperty(counts, async (killedAt) => {
        const directory = mkdtempSync(join(tmpdir(), 'samepaged-killed-'));
        try {
          for (const records of killedAt) {
            const lines = await killedAfter(directory, records);
            const complaints = lines.filter((line) => line.startsWith('log '));
            assert.ok(complaints.length <= 1, complaints.join('\n'));
            for (const complaint of complaints) assert.match(complaint, /the last line was being written/);
            const last = Number(lines.filter((line) => /^\d+$/.test(line)).at(-1));
            const { entries, damaged, tail } = parsedFile(join(directory, 'history.log'));
            assert.deepEqual(damaged, []);
            const numbers = entries.map(({ record }) => numberOf(record));
            const newest = numbers.at(-1) ?? 0;
            // One more may have been recorded and not told, or told and not read.
            assert.ok(newest >= last, `${String(last)} was recorded, ${String(newest)} is the last there`);
            const first = numbers[0] ?? 0;
            assert.deepEqual(
              numbers,
              Array.from({ length: numbers.length }, (_, index) => first + index),
            );
            assert.ok(first === 1 || numbers.length >= KEPT, `${String(numbers.length)} from ${String(first)}`);
            assert.ok(statSync(join(directory, 'history.log')).size < 8e6);
            seen.kills += 1;
            seen.torn += tail === 'torn' ? 1 : 0;
            seen.halves += existsSync(join(directory, 'history.log.new')) ? 1 : 0;
            seen.recorded = Math.max(seen.recorded, newest);
          }
        } finally {
          rmSync(directory, { recursive: true, force: true });
        }
      }),
      faultRuns(100, 6),
    );
    assert.ok(seen.kills >= 12 && seen.recorded > KEPT, JSON.stringify(seen));
  });
});

describe('a history on a disk that is full', () => {
  test('a history on a full disk is told once, goes on in memory, and is whole again when there is room', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'samepaged-full-'));
    try {
      const mount = `mount -t tmpfs -o size=256k small "$0" && exec "$@"`;
      const namespaces = process.getuid?.() === 0 ? ['-m'] : ['-m', '-r'];
      const writer = startWriter(directory, 'fillDisk', ['unshare', ...namespaces, 'sh', '-c', mount, directory]);
      let output = '';
      writer.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
      await once(writer, 'close');
      assert.deepEqual(output.trimEnd().split('\n'), [
        `log ${directory}/history.log cannot be written (ENOSPC): the history is kept in memory only for now`,
        'making room',
        `log ${directory}/history.log: the history is written again`,
        'read 500, kept 500',
      ]);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
