import { closeSync, constants, existsSync, openSync } from 'node:fs';
import { ReplaySubject } from 'rxjs';
import type { AgentOptions } from './agent.js';
import { type Config, requirePolicy } from '../config/load.js';
import { loadConfigInTime } from '../config/loadInTime.js';
import { policyObstacle } from '../config/plan.js';
import { readConfig } from '../config/view.js';
import { EXIT, type ExitStatus, FatalError, errnoOf, messageOf, stackOf, watchStdout } from '../errors.js';
import { silentKernel } from '../host/fuse.js';
import { hangs } from '../host/inTime.js';
import { KsmDirectory } from '../host/ksm.js';
import { hidesProcesses } from '../host/processes.js';
import { Logging } from '../log.js';
import { STATE_FILES, stateDirectory } from '../state/directory.js';
import { cleanOutput } from '../text/clean.js';
import { otherTuners, refuseRivals, warnOfOthers } from './otherTuners.js';
import { setUp } from './setup.js';
import { standBy, tunesAlready } from './standBy.js';
import { tune } from './tune.js';

/** Why nothing will be written, or undefined when it will be. */
function dryRunReason(ksm: KsmDirectory, asked: boolean): string | undefined {
  if (asked) return '--dry-run was given';
  try {
    // access(2) asks without the capabilities of a user other than root.
    closeSync(openSync(`${ksm.path}/run`, constants.O_WRONLY | constants.O_NONBLOCK));
    return undefined;
  } catch (error) {
    const why = process.getuid?.() === 0 ? 'it is read-only here' : 'this is not root';
    return `${ksm.path} cannot be written, ${why} (${errnoOf(error) ?? messageOf(error)})`;
  }
}

async function run(streams: Pick<AgentOptions, 'signal$' | 'fault$'>): Promise<ExitStatus> {
  const setup = await setUp();
  if (setup === undefined) return EXIT.ok;
  const { config, configFile, root } = setup;
  const { LOGFILE, DEBUG } = config.values;
  const ksm = new KsmDirectory(root);
  const silent = await silentKernel(root);
  if (silent !== undefined) throw new FatalError(silent, EXIT.unavailable);
  const absence = ksm.absence();
  if (absence !== undefined) throw new FatalError(absence, EXIT.unavailable);
  const kernelSettings = ksm.readSettings();
  const checked = (read: Config) => requirePolicy(read, policyObstacle(read.values.KSM_POLICY, kernelSettings));
  const reload = async () => checked(await loadConfigInTime(configFile));
  checked(config);
  const logging = await Logging.start({ debug: DEBUG, logFile: LOGFILE });
  const { log } = logging;
  for (const warning of config.warnings) log.warn(warning);

  const dryRun = dryRunReason(ksm, setup.dryRunAsked);
  // Its name tells others (host/daemons.ts) that a process tunes this kernel.
  process.title = dryRun === undefined && root === '' ? 'samepaged' : 'samepaged-trial';
  const others = await otherTuners(root, log);
  const standsBy = setup.standsBy && dryRun === undefined;
  if (dryRun === undefined && !standsBy) refuseRivals(root, others);
  else if (dryRun !== undefined && !process.stdout.isTTY)
    log.info(`a dry run, ${dryRun}: changes are logged, not made`);

  if (hidesProcesses(root)) {
    log.warn(
      "/proc hides other users' processes (hidepid): neither guests nor ksmd nor rivals are seen; see samepaged(8)",
    );
  }
  warnOfOthers(root, others, log);
  const common = { ...streams, ...{ setup, ksm, logging, dryRun, standsBy } };
  try {
    if (!standsBy) return (await tune({ ...common, config, reload })).status;
    const isOurs = existsSync(`${stateDirectory(root)}/${STATE_FILES.ledger}`);
    let tuning = tunesAlready(others, { isRunning: kernelSettings.run === 1, isOurs });
    let current = config;
    while (await standBy({ root, ksm, tuning, config: current, signal$: streams.signal$, log })) {
      current = (await readConfig(reload)).config ?? current;
      const { status, rival } = await tune({ ...common, config: current, reload });
      if (rival === undefined) return status;
      tuning = rival;
    }
    return EXIT.ok;
  } finally {
    await logging.flush();
  }
}

export type SignalListener = (name: NodeJS.Signals) => void;

/**
 * The program, from its command line to its exit status.
 *
 * @param onSignal called once; hands over the signals that came before, and each that comes.
 */
export async function runSamepaged(onSignal: (listener: SignalListener) => void): Promise<void> {
  const signal$ = new ReplaySubject<NodeJS.Signals>(8);
  const fault$ = new ReplaySubject<unknown>(1);
  onSignal((name) => {
    signal$.next(name);
  });
  watchStdout('samepaged', () => (process.exitCode = EXIT.ioError));
  process.on('uncaughtException', (error) => {
    fault$.next(error);
  });
  try {
    process.exitCode = await run({ signal$, fault$ });
  } catch (error) {
    const words = error instanceof FatalError ? error.message : stackOf(error);
    process.stderr.write(cleanOutput(`samepaged: ${words}\n`));
    process.exitCode = error instanceof FatalError ? error.status : EXIT.software;
  }
  // A call that still waits for its time-out must not keep an ended daemon alive; what stdout did not take is known by then.
  setImmediate(() => {
    // exit() waits for what hangs in the kernel, and SIGKILL does not.
    if (hangs()) process.kill(process.pid, 'SIGKILL');
    process.exit();
  });
}
