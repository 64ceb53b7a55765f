import { completionVerb } from './completion.js';
import { config } from './config.js';
import { doctor } from './doctor.js';
import { estimate } from './estimate.js';
import { explain } from './explain.js';
import { guests } from './guests.js';
import { history } from './history.js';
import { helpVerb } from './help.js';
import { pause, resume, stop, unmerge } from './holds.js';
import { policy } from './policy.js';
import { reload } from './reload.js';
import { retune } from './retune.js';
import { status } from './status.js';
import type { VerbTable } from './verb.js';
import { version } from './version.js';
import { watch } from './watch.js';

export const VERBS: VerbTable = {
  status,
  watch,
  explain,
  retune,
  policy,
  pause,
  stop,
  unmerge,
  resume,
  estimate,
  guests,
  history,
  doctor,
  config,
  reload,
  version,
  completion: completionVerb(() => VERBS),
  help: helpVerb(() => VERBS),
};
