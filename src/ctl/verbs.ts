import { completion } from './completion/verb.js';
import { config } from './config.js';
import { doctor } from './doctor/verb.js';
import { estimate } from './estimate/verb.js';
import { explain } from './explain/verb.js';
import { guests } from './guests/verb.js';
import { history } from './history/verb.js';
import { helpVerb } from './help.js';
import { metrics } from './metrics.js';
import { pause, resume, stop, unmerge } from './holds.js';
import { policy } from './policy.js';
import { reload } from './reload.js';
import { reportVerb } from './report/verb.js';
import { retune } from './retune.js';
import { status } from './status/verb.js';
import type { VerbTable } from './verb.js';
import { version } from './version.js';
import { watch } from './watch/verb.js';

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
  metrics,
  doctor,
  config,
  reload,
  report: reportVerb(() => VERBS),
  version,
  completion,
  help: helpVerb(() => VERBS),
};
