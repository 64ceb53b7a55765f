import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism, release } from 'node:os';
import { readMemoryFigures } from '../../../src/host/meminfo.js';
import { readTransparentHugepages } from '../../../src/host/transparentHugepages.js';
import type { BenchOptions } from './options.js';
import type { Measured } from './sampler.js';
import type { Expected } from './table.js';
import type { Outcome } from './trial.js';

const CURVE_COLUMNS = [
  'atMillis',
  'savedBytes',
  'countedBytes',
  'availableBytes',
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
  const outcomes = results.map(({ outcome: { curve, ...outcome }, simulated }) => ({
    ...outcome,
    simulated,
    curve: curve.map((point) => CURVE_COLUMNS.map((column) => Math.round(point[column] ?? NaN))),
  }));
  const text = JSON.stringify({ machine: machineFigures(), options, curveColumns: CURVE_COLUMNS, outcomes });
  writeFileSync(`${file}.part`, `${text}\n`);
  renameSync(`${file}.part`, file);
}

/** What the figures belong to. */
function machineFigures() {
  const { memTotalBytes } = readMemoryFigures('');
  const thp = readTransparentHugepages('')?.mode;
  return { kernel: release(), cores: availableParallelism(), memTotalBytes, cpu: cpuModel(), thp };
}

/** The same in a sentence, with the day. */
export function describeMachine(options: BenchOptions): string {
  const { kernel, cores, memTotalBytes, cpu = 'unknown', thp = 'not there' } = machineFigures();
  const gibibytes = (memTotalBytes / 1024 ** 3).toFixed(1);
  const [day] = new Date().toISOString().split('T');
  return (
    `${day}, kernel ${kernel}, ${cores} cores (${cpu}), ${gibibytes} GiB, ` +
    `transparent huge pages ${thp}, KSM_CPU_MAX=${options.cpuMaxPercent}`
  );
}

function cpuModel(): string | undefined {
  return /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
}
