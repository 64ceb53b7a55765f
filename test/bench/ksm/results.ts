import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism, release } from 'node:os';
import { readMemoryFigures } from '../../../src/host/meminfo.js';
import type { BenchOptions } from './options.js';
import type { Measured } from './sampler.js';
import type { Expected } from './table.js';
import type { Outcome } from './trial.js';

const CURVE_COLUMNS = [
  'atMillis',
  'savedBytes',
  'ksmdCpuNanos',
  'ksmdWaitNanos',
  'run',
  'pagesToScan',
  'sleepMillisecs',
  'fullScans',
  'pagesScanned',
  'bookkeepingBytes',
] as const satisfies readonly (keyof Measured)[];

export interface Result {
  readonly outcome: Outcome;
  readonly simulated: Expected | undefined;
}

/** Whole or not at all: the file is read while the benchmark goes on. */
export function writeResults(file: string, options: BenchOptions, results: readonly Result[]): void {
  const { memTotalBytes } = readMemoryFigures('');
  const machine = { kernel: release(), cores: availableParallelism(), memTotalBytes, cpu: cpuModel() };
  const outcomes = results.map(({ outcome: { curve, ...outcome }, simulated }) => ({
    ...outcome,
    simulated,
    curve: curve.map((point) => CURVE_COLUMNS.map((column) => Math.round(point[column] ?? NaN))),
  }));
  const text = JSON.stringify({ machine, options, curveColumns: CURVE_COLUMNS, outcomes });
  writeFileSync(`${file}.part`, `${text}\n`);
  renameSync(`${file}.part`, file);
}

function cpuModel(): string | undefined {
  return /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
}
