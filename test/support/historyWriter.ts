// A process that does nothing but keep a history, to be killed or to be given a full disk. Run as a program: DIRECTORY TASK.
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync, writeFileSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { HistoryRecord } from '../../src/core/history/record.js';
import { HistoryStore } from '../../src/state/history/store.js';

const SCRIPT = fileURLToPath(import.meta.url);
const STDOUT = 1;
/** So wide that two thousand fill what is added between two thinnings. */
const WIDE = '\u20ac'.repeat(68);

const TASKS: Readonly<Record<string, (directory: string) => Promise<void>>> = { write, fillDisk };
export type Task = 'write' | 'fillDisk';

/** @param before a command that runs another, as unshare(1) does. */
export function startWriter(directory: string, task: Task, before: readonly string[] = []): ChildProcess {
  const [program, ...words] = before;
  const script = [SCRIPT, directory, task];
  const args = program === undefined ? script : [...words, process.execPath, ...script];
  return spawn(program ?? process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** A record with its number in it. */
export function numbered(number: number, atMillis: number): HistoryRecord {
  return { kind: 'guest', atMillis, name: `${String(number).padStart(12, '0')}${WIDE}`, change: 'started' };
}

export function numberOf(record: HistoryRecord): number {
  return record.kind === 'guest' ? Number(record.name.slice(0, 12)) : Number.NaN;
}

/** Records numbers without end, beginning after the last there is; tells each, a line, when it has been recorded. */
async function write(directory: string): Promise<void> {
  const store = open(directory, tellWarning);
  const last = store.since(0).text.lastIndexOf('"started","');
  const first = last < 0 ? 1 : Number(store.since(0).text.slice(last + 11, last + 23)) + 1;
  for (let number = first; ; number += 1) {
    await store.add([numbered(number, Date.now())], Date.now());
    tell(String(number));
  }
}

/** Records until the disk is full and then some, makes room, goes on. Ends with what a new store reads of it. */
async function fillDisk(directory: string): Promise<void> {
  const store = open(directory, tellWarning);
  const ballast = `${directory}/ballast`;
  writeFileSync(ballast, Buffer.alloc(200 * 1024));
  for (let number = 1; number <= 400; number += 1) await store.add([numbered(number, Date.now())], Date.now());
  tell('making room');
  rmSync(ballast);
  for (let number = 401; number <= 500; number += 1) await store.add([numbered(number, Date.now())], Date.now());
  const read = open(directory, tellWarning).since(0).text;
  tell(`read ${String(read.split('\n').length - 1)}, kept ${String(store.since(0).text.split('\n').length - 1)}`);
}

function open(directory: string, warn: (text: string) => void): HistoryStore {
  return new HistoryStore({ directory, log: { warn, info: warn }, nowMillis: Date.now() });
}

function tellWarning(text: string): void {
  tell(`log ${text}`);
}

/** In one write, and at once: what was told before a kill has been told. */
function tell(line: string): void {
  writeSync(STDOUT, `${line}\n`);
}

if (process.argv[1] === SCRIPT) await TASKS[process.argv[3] ?? '']?.(process.argv[2] ?? '');
