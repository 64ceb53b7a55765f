import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { Ksmd } from '../../../src/host/ksmd.js';
import { listProcesses } from '../../../src/host/processes.js';
import { isAlive } from '../scratch.js';

const ROOT = '/sys/kernel/mm/ksm';
/** What was found before the laboratory changed it, and by which process: one KSM per kernel, one user at a time. */
const LEDGER = '/run/samepaged-test-ksm.json';

export interface SavedKsm {
  readonly pid: number;
  /** Every writable file and what writing it back takes. */
  readonly values: Readonly<Record<string, string>>;
  /** Whether anything was merged. */
  readonly shared: boolean;
  /** ksmd's scheduling, as "other 5"; absent where it cannot be seen. */
  readonly sched?: string;
}

const DEFAULTS = { advisor_mode: 'none', pages_to_scan: '100', sleep_millisecs: '20', merge_across_nodes: '1' };

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** `[none] scan-time` is how advisor_mode reads; `none` is what it takes. */
function value(name: string): string {
  const text = readFileSync(join(ROOT, name), 'utf8').trim();
  return /\[(.+)\]/.exec(text)?.[1] ?? text;
}

function writeIfDifferent(name: string, wanted: string): void {
  if (value(name) !== wanted) writeFileSync(join(ROOT, name), wanted);
}

function snapshot(): Record<string, string> {
  const writable = readdirSync(ROOT).filter((name) => (statSync(join(ROOT, name)).mode & 0o200) !== 0);
  return Object.fromEntries(writable.map((name) => [name, value(name)]));
}

/**
 * INVARIANTS: the advisor is off before pages_to_scan is written (EINVAL otherwise) and on again after it (switching it
 * off resets pages_to_scan); nothing is shared when merge_across_nodes or max_page_sharing is written (EBUSY otherwise);
 * `run` comes last, because unmerging changes it.
 */
function writeBack(values: Readonly<Record<string, string>>): void {
  const { run, advisor_mode: advisor, ...rest } = values;
  if (advisor !== undefined) writeIfDifferent('advisor_mode', 'none');
  for (const [name, wanted] of Object.entries(rest)) {
    try {
      writeIfDifferent(name, wanted);
    } catch (error) {
      if (codeOf(error) !== 'EBUSY') throw error;
      writeFileSync(join(ROOT, 'run'), '2');
      writeIfDifferent(name, wanted);
    }
  }
  if (advisor !== undefined) writeIfDifferent('advisor_mode', advisor);
  if (run !== undefined) writeIfDifferent('run', run);
}

/**
 * The pages of guests that ended while ksmd was stopped stay counted in pages_sharing, and in the way of
 * merge_across_nodes, until somebody unmerges.
 */
function restore(saved: SavedKsm): void {
  if (!saved.shared && value('pages_shared') !== '0') writeFileSync(join(ROOT, 'run'), '2');
  writeBack(saved.values);
  if (saved.sched !== undefined) setKsmdSched(saved.sched);
}

/** Not by Ksmd.setSched(), which takes a moment: at the end of a process there is none. */
function setKsmdSched(wanted: string): void {
  const pid = listProcesses('').find(({ comm }) => comm === 'ksmd')?.pid;
  if (pid === undefined || new Ksmd('').sched() === wanted) return;
  const [policy = '', nice] = wanted.split(' ');
  spawnSync('chrt', [`--${policy}`, '-p', '0', String(pid)]);
  setPriority(pid, Number(nice));
}

async function readLedger(): Promise<SavedKsm | undefined> {
  try {
    return JSON.parse(await readFile(LEDGER, 'utf8')) as SavedKsm;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Every file of the kernel's KSM, as it reads, without the line's end. */
export async function readKsm(): Promise<Record<string, string>> {
  const read = async (name: string): Promise<[string, string]> => [
    name,
    (await readFile(join(ROOT, name), 'utf8')).trim(),
  ];
  return Object.fromEntries(await Promise.all(readdirSync(ROOT).map(read)));
}

/**
 * Takes KSM for this process. Rejects while another living process has it; what a killed one did not restore is restored
 * first. Restored at exit if restoreKsm() was not called.
 */
export async function saveKsm(): Promise<SavedKsm> {
  const left = await readLedger();
  if (left !== undefined) {
    if (isAlive(left.pid)) throw new Error(`process ${left.pid} is using KSM (${LEDGER})`);
    restore(left);
    await rm(LEDGER);
  }
  const sched = new Ksmd('').sched();
  const saved = {
    ...{ pid: process.pid, values: snapshot(), shared: value('pages_shared') !== '0' },
    ...(sched === undefined ? {} : { sched }),
  };
  await writeFile(LEDGER, JSON.stringify(saved), { flag: 'wx' });
  process.once('exit', restoreAtExit);
  return saved;
}

/** Unmerges if nothing was merged when it was saved. Releases KSM for other processes. */
export async function restoreKsm(saved: SavedKsm): Promise<void> {
  restore(saved);
  process.off('exit', restoreAtExit);
  await rm(LEDGER, { force: true });
}

function restoreAtExit(): void {
  restore(JSON.parse(readFileSync(LEDGER, 'utf8')) as SavedKsm);
  rmSync(LEDGER);
}

/** Nothing merged, ksmd stopped, and the kernel's defaults. Every merged page takes memory of its own again. */
export async function resetKsm(): Promise<void> {
  await writeFile(join(ROOT, 'run'), '2');
  await writeFile(join(ROOT, 'run'), '0');
  const present = new Set(readdirSync(ROOT));
  writeBack(Object.fromEntries(Object.entries(DEFAULTS).filter(([name]) => present.has(name))));
}
