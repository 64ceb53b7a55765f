import type { KeyName, Values } from './keys.js';

export type PolicyName = Values['KSM_POLICY'];

/** What each policy does, in a line. */
export const POLICY_HELP: Readonly<Record<PolicyName, string>> = {
  ksmtuned: 'ksmd faster while memory is short, else slower, as ksmtuned',
  adaptive: 'bursts within a CPU budget when there is something to gain',
  advisor: "the kernel's own advisor, given targets (Linux 6.8 and newer)",
};

/** The policies that KSM_POLICY takes. */
export const POLICY_NAMES = Object.keys(POLICY_HELP) as readonly PolicyName[];

/** SetPolicy takes it for the policy that the configuration names. */
export const DEFAULT_POLICY = 'default';

/** What each key does, in a line of at most 76 characters: with "# " and a margin it fits a terminal. */
export const KEY_HELP: Readonly<Record<KeyName, string>> = {
  KSM_MONITOR_INTERVAL: 'seconds between retunes when nothing happens',
  KSM_SLEEP_MSEC: "milliseconds between ksmd's batches on a host of 16 GiB; less on a larger",
  KSM_NPAGES_BOOST: 'change of pages_to_scan per retune while less than the reserve is free',
  KSM_NPAGES_DECAY: 'change of pages_to_scan per retune otherwise, normally negative',
  KSM_NPAGES_MIN: 'the smallest pages_to_scan',
  KSM_NPAGES_MAX: 'the largest pages_to_scan',
  KSM_THRES_COEF: 'the reserve: memory that should stay free, in percent of all memory',
  KSM_THRES_CONST: 'the smallest reserve, in kB or as 512M or 2G',
  LOGFILE: 'a file for the log',
  DEBUG: 'whether every decision is logged, with the calls that ksmtuned would make',
  PIDFILE: 'the file with the process id, for scripts',
  KSM_POLICY: 'the policy that decides: ksmtuned, adaptive or advisor',
  KSM_CPU_MAX: "ksmd's CPU budget, in percent of one core (adaptive, advisor)",
  KSM_PROBE_MAX: 'the longest time between two probes, in seconds (adaptive)',
  KSM_MEMORY_ACCOUNTING: 'how memory is counted: corrected, pss, or legacy as ksmtuned does it',
  KSM_ON_EXIT: 'what samepaged does with KSM when it ends: restore, leave, stop or unmerge',
  KSM_ON_CONFLICT: 'when something else changes a setting: reassert or yield',
  KSM_WHEN: 'when to merge: needed (while memory is short) or always',
  KSM_MERGE_ACROSS_NODES: 'whether pages of different NUMA nodes are merged, 0 or 1',
  KSM_USE_ZERO_PAGES: "merge empty pages with the kernel's zero page: auto, 0, 1 or keep",
  KSM_THP_MAX_PTES_NONE: "khugepaged's max_ptes_none while pages are merged, from 0 to 511",
  KSM_KSMD_SCHED: "ksmd's scheduling class: auto (idle with adaptive), idle, other or keep",
  KSM_SMART_SCAN: 'whether pages that never merged are scanned less often, 0 or 1',
  KSM_MAX_PAGE_SHARING: 'how many pages may share one copy',
  KSM_STABLE_NODE_CHAINS_PRUNE_MILLISECS: "milliseconds between ksmd's clean-ups of stale copies",
  KSM_MAX_KERNEL_PAGES: 'a limit of very old kernels on merged pages; half of memory unless given',
  KSM_UNMERGE_TO_APPLY: 'whether to unmerge, where that fits, to set what needs it',
  KSM_GUEST_USERS: 'users, beside root, whose guests count even if libvirt does not name them',
  KSM_FORBID_GUESTS: 'guests that must not be merged; samepaged warns if one can be',
  KSM_EVENT_SETTLE: 'milliseconds in which guest events are collected for one retune',
  KSM_METRICS_LISTEN: 'where metrics for Prometheus are served, as 127.0.0.1:9870',
  KSM_METRICS_GUESTS: 'whether the metrics have series for each guest',
  KSM_EVENT_RECHECK: "seconds after a guest's start for further retunes",
};
