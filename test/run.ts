import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { LAYERS, type Layer, missingPackages, rightsObstacle } from './layers.js';
import { leaveIdleClass } from './support/idleClass.js';

/**
 * `npm test [LAYER]...`: installs what the layers need where it may, runs them, and ends with a table of what ran and what did not
 * and why. With CI=true a layer that could not run is a failure. So is a checkout in which the tests have left something.
 *
 * Layers that only compute run beside one that leaves them time, as SCHED_IDLE until that has ended. All others run one after the other: beside others
 * ksmd would get no CPU, and free memory would be no figure to rely on.
 */

interface Outcome {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly note?: string;
}

const BY_NAME = LAYERS.filter(({ byName }) => byName === true).map(({ name }) => name);
/** Layers that may run beside a patient one. */
const BESIDE = ['check', ...LAYERS.filter(({ runsBeside }) => runsBeside === true).map(({ name }) => name)];
const CHECKS: readonly (readonly string[])[] = [
  ['tsc', '-p', 'src/cockpit'],
  ['eslint', '.'],
  ['prettier', '--check', '.'],
  ['knip'],
];

async function check(): Promise<Outcome> {
  const passes = await Promise.all(
    CHECKS.map(async (command) => {
      const child = spawn('npx', ['--no-install', ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
      const output = await outputOf(child);
      process.stdout.write(`$ npx ${command.join(' ')}\n${output}`);
      return child.exitCode === 0;
    }),
  );
  const passed = passes.filter(Boolean).length;
  return { name: 'check', passed, failed: passes.length - passed, skipped: 0 };
}

/** What it has printed when it has ended. */
async function outputOf(child: ChildProcess): Promise<string> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  await once(child, 'close');
  return output;
}

/** Runs these layers, as SCHED_IDLE until another has run, and shows what they printed when they have ended. */
async function besideOther(names: readonly string[], other: Promise<Outcome>): Promise<readonly Outcome[]> {
  const command = ['--idle', '0', process.execPath, ...process.argv.slice(1, 2), ...names];
  const child = spawn('chrt', command, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  let outcomes: readonly Outcome[] | undefined;
  child.on('message', (message) => (outcomes = message as readonly Outcome[]));
  void other.then(() => {
    if (child.pid !== undefined) leaveIdleClass(child.pid);
  });
  const [output] = await Promise.all([outputOf(child), once(child, 'disconnect')]);
  process.stdout.write(`\n${names.join(', ')}, beside the others:\n${output}`);
  return outcomes ?? [{ name: names.join(' '), passed: 0, failed: 1, skipped: 0, note: 'ended without a result' }];
}

/** Why the layer cannot run here, once what it needs was installed where that may be. */
function obstacleTo(layer: Layer): string | undefined {
  const obstacle = rightsObstacle(layer);
  const packages = missingPackages(layer);
  return obstacle ?? (packages.length > 0 ? install(packages) : undefined);
}

function install(packages: readonly string[]): string | undefined {
  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    return `needs the Debian packages ${packages.join(' ')}; run: sudo ${command}`;
  }
  process.stdout.write(`installing ${packages.join(' ')}\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const words of [['apt-get', 'update'], command.split(' ')]) {
    const { status, stderr } = spawnSync(words[0] ?? '', words.slice(1), { env, encoding: 'utf8' });
    if (status !== 0) return `${words.join(' ')} failed: ${stderr.trim().split('\n').at(-1) ?? ''}`;
  }
  return undefined;
}

async function runLayer(layer: Layer, obstacle: string | undefined): Promise<Outcome> {
  const none = { name: layer.name, passed: 0, failed: 0 };
  if (obstacle !== undefined) return { ...none, skipped: 1, note: obstacle };

  const directory = join('dist/test', layer.name);
  const files = existsSync(directory)
    ? readdirSync(directory, { encoding: 'utf8', recursive: true })
        .filter((name) => name.endsWith('.test.js') && existsSync(sourceOf(layer.name, name)))
        .sort()
    : [];
  if (files.length === 0) return { ...none, failed: 1, skipped: 0, note: `no test in test/${layer.name}` };
  process.stdout.write(`\n${layer.name}: ${files.length} files\n`);
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const stream = run({
    files: layer.sharesProcess === true ? shards(layer.name, files) : files.map((name) => join(directory, name)),
    // Files that run side by side wait for their daemons half of the time.
    concurrency: layer.parallel ? availableParallelism() + 1 : 1,
  });
  stream.on('test:pass', ({ skip, todo, details }) => {
    if (details.type === 'suite') return;
    if (skip !== undefined || todo !== undefined) counts.skipped += 1;
    else counts.passed += 1;
  });
  stream.on('test:fail', ({ details }) => {
    if (details.type !== 'suite') counts.failed += 1;
  });
  const report = stream.compose<Duplex>(new spec());
  report.pipe(process.stdout, { end: false });
  await once(report, 'end');
  return { name: layer.name, ...counts };
}

/** As many files as there are CPUs, each of which imports its share of a layer's: most of a small test is the start of Node. */
function shards(layer: string, files: readonly string[]): readonly string[] {
  const directory = 'dist/test/shards';
  mkdirSync(directory, { recursive: true });
  return Array.from({ length: availableParallelism() }, (_, shard) => {
    const imports = files
      .filter((_file, index) => index % availableParallelism() === shard)
      .map((name) => `import ${JSON.stringify(resolve('dist/test', layer, name))};\n`);
    const path = join(directory, `${layer}-${shard}.js`);
    writeFileSync(path, imports.join(''));
    return path;
  });
}

/** A compiled test whose source is gone is left over from an earlier checkout. */
function sourceOf(layer: string, compiled: string): string {
  return join('test', layer, compiled.replace(/\.js$/, '.ts'));
}

/** What differs from the commit, as git says; a checkout without git has nothing to say. */
function checkout(): string {
  return spawnSync('git', ['status', '--porcelain'], { encoding: 'utf8' }).stdout;
}

async function main(): Promise<number> {
  const names = ['check', ...LAYERS.map(({ name }) => name)];
  const asked = process.argv.slice(2);
  const unknown = asked.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    process.stderr.write(`no layer ${unknown.join(', ')}; there are ${names.join(', ')}\n`);
    return 2;
  }
  const wanted = asked.length === 0 ? names.filter((name) => !BY_NAME.includes(name)) : asked;
  const before = checkout();
  const layers = LAYERS.filter(({ name }) => wanted.includes(name)).map((layer) => [layer, obstacleTo(layer)] as const);
  const beside = wanted.filter((name) => BESIDE.includes(name));
  const patient = layers.find(([{ leavesTime }, obstacle]) => leavesTime === true && obstacle === undefined);
  const outcomes: Outcome[] = [];
  if (beside.length > 0 && patient !== undefined) {
    const patientOutcome = runLayer(...patient);
    outcomes.push(...(await besideOther(beside, patientOutcome)), await patientOutcome);
  } else if (wanted.includes('check')) outcomes.push(await check());
  const done = outcomes.map(({ name }) => name);
  for (const [layer, obstacle] of layers) {
    if (!done.includes(layer.name)) outcomes.push(await runLayer(layer, obstacle));
  }
  if (process.send !== undefined) {
    process.send(outcomes);
    process.disconnect();
    return 0;
  }
  const after = checkout();
  if (after !== before) {
    outcomes.push({ name: 'checkout', passed: 0, failed: 1, skipped: 0, note: `the tests changed it:\n${after}` });
  }

  process.stdout.write('\n');
  for (const { name, passed, failed, skipped, note } of outcomes) {
    const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
    process.stdout.write(`${name.padEnd(12)} ${counts}${note === undefined ? '' : `: ${note}`}\n`);
  }
  const sum = (pick: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + pick(outcome), 0);
  const [passed, failed, skipped] = [sum((o) => o.passed), sum((o) => o.failed), sum((o) => o.skipped)];
  const skippedInCi = skipped > 0 && process.env['CI'] === 'true';
  if (skippedInCi) process.stdout.write('In CI a skipped test is a failure.\n');
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  return failed > 0 || skippedInCi ? 1 : 0;
}

process.exitCode = await main();
