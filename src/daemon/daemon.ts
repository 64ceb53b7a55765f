import { closeSync, constants, existsSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import { ReplaySubject } from 'rxjs';
import { type AgentOptions, type FirstRetune, runAgent } from './agent.js';
import { HELP, parseCommandLine } from './commandLine.js';
import { KEYS } from '../config/keys.js';
import { type Config, formatConfig, requirePolicy } from '../config/load.js';
import { loadConfigInTime } from '../config/loadInTime.js';
import { readConfig } from '../config/view.js';
import { type KsmSetting, ksmFile } from '../core/ksm.js';
import { EXIT, type ExitStatus, FatalError, errnoOf, messageOf, stackOf, watchStdout } from '../errors.js';
import { FreedBySplitsFile } from '../state/freedBySplits.js';
import { giveBackForTheDead } from './giveBack.js';
import { silentKernel } from '../host/fuse.js';
import { HoldFile } from '../state/hold.js';
import { hangs } from '../host/inTime.js';
import { HistoryStore } from '../state/history/store.js';
import { KsmDirectory } from '../host/ksm.js';
import { Ledger } from '../state/ledger.js';
import { pidFilePath, removePidFile, writePidFile } from '../state/pidfile.js';
import { hidesProcesses } from '../host/processes.js';
import { lockState } from '../state/lock.js';
import { STATE_FILES, requireOwnDirectory, silentState, stateDirectory } from '../state/directory.js';
import type { Root } from '../host/sysfs.js';
import { Systemd } from './serviceManager.js';
import type { End } from './shutdown.js';
import { otherTuners, refuseRivals, warnOfOthers } from './otherTuners.js';
import { standBy, tunesAlready } from './standBy.js';
import { type Log, Logging } from '../log.js';
import { policyObstacle } from '../config/plan.js';
import { overview } from './startScreen.js';
import { clean, cleanOutput } from '../text/clean.js';
import { VERSION } from '../version.js';

interface Setup {
  readonly config: Config;
  readonly configFile: string;
  readonly root: Root;
  readonly busAddress: string;
  readonly libvirtObject: string | undefined;
  readonly dryRunAsked: boolean;
  readonly watchesConfig: boolean;
  readonly standsBy: boolean;
}

/** What the command line and the configuration say, or undefined when there was only something to print. */
async function setUp(): Promise<Setup | undefined> {
  const values = parseCommandLine();
  if (values.help) {
    process.stdout.write(HELP);
    return undefined;
  }
  if (values.version) {
    process.stdout.write(`samepaged ${VERSION}\n`);
    return undefined;
  }
  if (values.replay !== undefined) {
    // A daemon needs none of it.
    const { runReplay } = await import('../replay/main.js');
    runReplay({ path: values.replay, configFile: values.config, policy: values.policy });
    return undefined;
  }
  const root = (values.root ?? '').replace(/\/+$/, '');
  if (values['give-back']) {
    await giveBackForTheDead({ root, configFile: values.config });
    return undefined;
  }
  const config = await loadConfigInTime(values.config);
  if (values['print-config']) {
    for (const warning of config.warnings) process.stderr.write(`${clean(warning)}\n`);
    process.stdout.write(`${cleanOutput(formatConfig(config))}\n`);
    return undefined;
  }
  return {
    config,
    configFile: values.config,
    root,
    busAddress: values.bus,
    libvirtObject: values.libvirt === 'none' ? undefined : values.libvirt,
    dryRunAsked: values['dry-run'],
    watchesConfig: values['watch-config'],
    standsBy: values['stand-by'],
  };
}

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

function openLedger(directory: string, root: Root, ksm: KsmDirectory, log: Log): Ledger {
  const ledger = new Ledger(directory, root, ksm.read());
  if (ledger.inherited !== undefined) {
    const before = Object.entries(ledger.toRestore()).map(
      ([setting, value]) => `${ksmFile(setting as KsmSetting)} ${value}`,
    );
    const had = `before it the host had ${before.join(', ')} (${ledger.file})`;
    if (ledger.inherited === 'left') log.info(`the last samepaged left its settings in force (KSM_ON_EXIT); ${had}`);
    else log.warn(`the last samepaged ended without restoring the host's settings; ${had}`);
  }
  return ledger;
}

/** Does something with the PIDFILE. A file that cannot be written is a warning and no failure. */
async function withPidFile(path: string, log: Log, action: (path: string) => Promise<void>): Promise<void> {
  try {
    await action(path);
  } catch (error) {
    log.warn(`PIDFILE ${path}: ${errnoOf(error) ?? messageOf(error)}`);
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

interface TuneOptions extends Pick<
  AgentOptions,
  'signal$' | 'fault$' | 'ksm' | 'logging' | 'config' | 'reload' | 'standsBy'
> {
  readonly setup: Setup;
  readonly dryRun: string | undefined;
}

/** Tunes KSM until something ends that. */
async function tune({ setup, dryRun, ksm, config, ...options }: TuneOptions): Promise<End> {
  const { root, configFile, busAddress, libvirtObject, watchesConfig } = setup;
  const { log } = options.logging;
  const { PIDFILE } = config.values;
  const directory = dryRun === undefined ? stateDirectory(root) : undefined;
  if (directory !== undefined) {
    const silent = await silentState(directory);
    if (silent !== undefined) throw new FatalError(silent, EXIT.unavailable);
    requireOwnDirectory(directory);
  }
  const unlock = directory === undefined ? () => Promise.resolve() : await lockState(directory, log);
  const ledger = directory === undefined ? undefined : openLedger(directory, root, ksm, log);
  const pidFile = ledger === undefined ? undefined : pidFilePath(root, PIDFILE, KEYS.PIDFILE.fallback);
  const history = new HistoryStore({ directory, log, nowMillis: Date.now() });
  try {
    return await runAgent({
      ...options,
      version: VERSION,
      root,
      configFile: resolve(configFile),
      watchesConfig,
      ksm,
      ledger,
      holdFile: directory === undefined ? undefined : new HoldFile(directory),
      freedFile: directory === undefined ? undefined : new FreedBySplitsFile(directory, root),
      history,
      config,
      busAddress,
      libvirtObject,
      systemd: Systemd.fromEnvironment(log),
      onJoined: async () => {
        if (pidFile !== undefined) await withPidFile(pidFile, log, writePidFile);
      },
      ...(process.stdout.isTTY
        ? {
            onFirst: (first: FirstRetune) => {
              const text = overview(first, { busAddress, dryRun, columns: process.stdout.columns || 80 });
              process.stdout.write(cleanOutput(text));
            },
          }
        : {}),
    });
  } finally {
    if (pidFile !== undefined) await withPidFile(pidFile, log, removePidFile);
    await history.close();
    // As anything in the state directory's.
    await unlock().catch(() => undefined);
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
