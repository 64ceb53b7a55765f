import { giveBack } from './shutdown.js';
import { type OnExit, Tuner } from './tuner.js';
import { loadConfigInTime } from '../config/loadInTime.js';
import { EXIT, FatalError, messageOf } from '../errors.js';
import { silentKernel } from '../host/fuse.js';
import { KsmDirectory } from '../host/ksm.js';
import { Ledger } from '../state/ledger.js';
import { requireOwnDirectory, silentState, stateDirectory } from '../state/directory.js';
import { type Root, pageSizeBytes } from '../host/sysfs.js';
import { unmergeCheck } from './unmergeCheck.js';
import { cleanOutput } from '../text/clean.js';

/**
 * `samepaged --give-back`: gives the host back for a samepaged that was killed before it could. The unit runs it at every stop,
 * so that a daemon which hangs is one second's matter.
 *
 * @throws FatalError while that samepaged lives.
 */
export async function giveBackForTheDead({ root, configFile }: { root: Root; configFile: string }): Promise<void> {
  const tell = (text: string) => void process.stdout.write(cleanOutput(`${text}\n`));
  const ksm = new KsmDirectory(root);
  const directory = stateDirectory(root);
  const silent = (await silentKernel(root)) ?? (await silentState(directory));
  if (silent !== undefined) throw new FatalError(silent, EXIT.unavailable);
  requireOwnDirectory(directory);
  const ledger = new Ledger(directory, root, ksm.readSettings());
  if (ledger.inherited !== 'crashed') {
    tell(`${ledger.file}: no samepaged ended without restoring the host's settings`);
    return;
  }
  const tuner = new Tuner({
    ksm,
    ledger,
    libvirt: () => Promise.resolve(undefined),
    unmergeObstacle: () => unmergeCheck({ root, ksm, pageSizeBytes: pageSizeBytes(root), watched: {} }),
    others: () => Promise.resolve([]),
  });
  await giveBack(tuner, { onExit: await onExit(configFile, tell), log: { info: tell, warn: tell } });
}

/** What an unmerge takes nobody has time for now, and a configuration that has errors must not keep the host from its own. */
async function onExit(configFile: string, tell: (text: string) => void): Promise<OnExit> {
  try {
    const { KSM_ON_EXIT } = (await loadConfigInTime(configFile)).values;
    return KSM_ON_EXIT === 'unmerge' ? 'stop' : KSM_ON_EXIT;
  } catch (error) {
    tell(messageOf(error));
    return 'restore';
  }
}
