import type { KeyName, Values } from './keys.js';

export type PolicyName = Values['KSM_POLICY'];

/** What each policy does, in a line. */
export const POLICY_HELP: Readonly<Record<PolicyName, string>> = {
  ksmtuned: 'as the script: faster while memory is short, slower while it is not',
  adaptive: 'a CPU budget: a burst when guests start or memory is short, then rest',
  advisor: "the kernel's own advisor paces ksmd (Linux 6.8): only on, off and its targets",
};

/** The policies that KSM_POLICY takes. */
export const POLICY_NAMES = Object.keys(POLICY_HELP) as readonly PolicyName[];

/** What each key does, in a line of at most 76 characters: with "# " and a margin it fits a terminal. */
export const KEY_HELP: Readonly<Record<KeyName, string>> = {
  KSM_MONITOR_INTERVAL: 'seconds to the next look when nothing happens',
  KSM_SLEEP_MSEC: "milliseconds between ksmd's batches on a host of 16 GiB; less on a larger",
  KSM_NPAGES_BOOST: 'pages per batch that a look adds while less than the reserve is free',
  KSM_NPAGES_DECAY: 'pages per batch that a look adds while it is not; as a rule below 0',
  KSM_NPAGES_MIN: 'the least pages per batch',
  KSM_NPAGES_MAX: 'the most pages per batch',
  KSM_THRES_COEF: 'the reserve, memory that should stay free, in percent of all memory',
  KSM_THRES_CONST: 'the least reserve, in kB or as 512M or 2G',
  LOGFILE: 'a file for the log',
  DEBUG: '1 logs every decision, and the calls that ksmtuned would make',
  PIDFILE: 'where scripts look for the process id',
  KSM_POLICY: 'how it is decided: ksmtuned, adaptive or advisor; see samepagectl policy',
  KSM_CPU_MAX: "what ksmd may take, in percent of one core (adaptive, advisor)",
  KSM_PROBE_MAX: 'seconds between looks for new gain at the longest (adaptive)',
  KSM_MEMORY_ACCOUNTING: 'corrected: hugepages, ARC, shared memory told apart; legacy: as ksmtuned',
  KSM_ON_EXIT: 'at the end: restore what was found, leave it, stop merging, or unmerge all',
  KSM_WHEN: 'needed: merge while memory is short; always: whatever memory there is',
  KSM_MERGE_ACROSS_NODES: '0 merges pages of one NUMA node only, 1 of all nodes',
  KSM_USE_ZERO_PAGES: "1 merges empty pages with the kernel's zero page (Linux 4.12)",
  KSM_SMART_SCAN: '1 looks less often at pages that never merged (Linux 6.7)',
  KSM_MAX_PAGE_SHARING: 'how many pages one copy may stand for',
  KSM_STABLE_NODE_CHAINS_PRUNE_MILLISECS: 'milliseconds between cleanings of lists of copies',
  KSM_MAX_KERNEL_PAGES: 'a limit of very old kernels on merged pages; half of memory unless given',
  KSM_UNMERGE_TO_APPLY: '1 unmerges, where that fits into memory, to set what needs it',
  KSM_FORBID_GUESTS: 'guests that should not be merged: a warning where one could be',
  KSM_EVENT_SETTLE: 'milliseconds in which events of guests become one look',
  KSM_EVENT_RECHECK: "seconds after a guest's start at which to look again",
};
