import { findRivals } from '../../../src/host/daemons.js';
import { scenario } from '../../../src/simulation/step.js';
import { Lab } from '../../support/kvm/lab.js';
import { KsmControl } from './ksmControl.js';
import { type BenchOptions, USAGE, UsageError, readOptions } from './options.js';
import { Progress } from './progress.js';
import { type Result, describeMachine, writeResults } from './results.js';
import { Stage, memoryObstacle } from './stage.js';
import { simulated } from './simulated.js';
import { coRunner } from './coRunner.js';
import { type Expect, table } from './table.js';
import { type Outcome, type Theatre, hasEmptyPages, runTrial } from './trial.js';
import { takesPart } from './tuners.js';

/** `npm run bench:ksm`: every tuner of KSM on the same real guests. Not a test: it judges nothing. */

const EXIT = { failed: 1, usage: 2, interrupted: 130 } as const;

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(USAGE);
    return 0;
  }
  const obstacle = await obstacleTo(options);
  if (obstacle !== undefined) throw new Error(obstacle);
  const interruption = new AbortController();
  const interrupt = () => {
    // The second one does not wait for anything: what the kernel had is restored at exit.
    if (interruption.signal.aborted) process.exit(EXIT.interrupted);
    process.stderr.write('\ninterrupted: ending the guests, and restoring KSM\n');
    interruption.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  try {
    await bench(options, interruption.signal);
    return 0;
  } catch (error) {
    if (interruption.signal.aborted) return EXIT.interrupted;
    throw error;
  }
}

async function obstacleTo(options: BenchOptions): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'it needs root';
  const [rival] = await findRivals('', process.pid);
  if (rival !== undefined) return `${rival.name} (process ${rival.pid}) is tuning KSM: stop it first`;
  return memoryObstacle(options);
}

async function bench(options: BenchOptions, signal: AbortSignal): Promise<void> {
  await using ksm = await KsmControl.open();
  await using lab = await Lab.start();
  const [stage, progress] = [new Stage(lab, signal), new Progress()];
  const theatre: Theatre = { lab, ksm, stage, progress, signal };
  const results: Result[] = [];
  process.stdout.write(`${describeMachine(options)}\n\n`);
  if (options.coRunner) await coRunner(theatre, options);
  const trials = options.scenarios.flatMap((name) => options.tuners.filter((tuner) => takesPart(tuner, name)));
  for (const name of options.scenarios) {
    const played = scenario(name, options.sizes);
    const expect: Expect = (tuner) => simulated(name, tuner, options);
    const outcomes: Outcome[] = [];
    try {
      progress.count(results.length + 1, trials.length);
      progress.stage(`${name}: guests are coming up`);
      await ksm.fresh();
      const anew = hasEmptyPages(played);
      if (!anew) await stage.set(played.before);
      if (!anew && played.before.length > 0) {
        progress.stage(`${name}: everything is merged once, so that all tuners find the same split pages`);
        await ksm.converge(signal);
      }
      for (const tuner of options.tuners.filter((each) => takesPart(each, name))) {
        progress.count(results.length + 1, trials.length);
        if (anew) {
          await stage.set([]);
          await stage.set(played.before);
        }
        const outcome = await runTrial(theatre, played, tuner, options);
        outcomes.push(outcome);
        results.push({ outcome, simulated: expect(tuner) });
        if (options.jsonFile !== undefined) writeResults(options.jsonFile, options, results);
      }
    } finally {
      progress.clear();
      if (outcomes.length > 0) process.stdout.write(`${table(played, outcomes, expect)}\n`);
    }
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench:ksm: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UsageError ? EXIT.usage : EXIT.failed;
}
