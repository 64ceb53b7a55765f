import { resolve } from 'node:path';
import { type AgentOptions, type FirstRetune, runAgent } from './agent.js';
import { KEYS } from '../config/keys.js';
import { type KsmSetting, ksmFile } from '../core/ksm.js';
import { EXIT, FatalError, errnoOf, messageOf } from '../errors.js';
import type { KsmDirectory } from '../host/ksm.js';
import type { Root } from '../host/sysfs.js';
import type { Log } from '../log.js';
import { requireOwnDirectory, silentState, stateDirectory } from '../state/directory.js';
import { FreedBySplitsFile } from '../state/freedBySplits.js';
import { HistoryStore } from '../state/history/store.js';
import { HoldFile } from '../state/hold.js';
import { Ledger } from '../state/ledger.js';
import { lockState } from '../state/lock.js';
import { pidFilePath, removePidFile, writePidFile } from '../state/pidfile.js';
import { cleanOutput } from '../text/clean.js';
import { VERSION } from '../version.js';
import { Systemd } from './serviceManager.js';
import type { Setup } from './setup.js';
import type { End } from './shutdown.js';
import { overview } from './startScreen.js';

interface TuneOptions extends Pick<
  AgentOptions,
  'signal$' | 'fault$' | 'ksm' | 'logging' | 'config' | 'reload' | 'standsBy'
> {
  readonly setup: Setup;
  readonly dryRun: string | undefined;
}

/** Tunes KSM until something ends that. */
export async function tune({ setup, dryRun, ksm, config, ...options }: TuneOptions): Promise<End> {
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
