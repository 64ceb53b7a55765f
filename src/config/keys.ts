import * as v from 'valibot';
import type { KsmdSchedChoice } from '../core/policies/shared/ksmdSched.js';
import type { ZeroPagesChoice } from '../core/policies/shared/zeroPages.js';
import { LISTEN_FORMS, parseListenAddress } from './listenAddress.js';

/** How a key of the configuration is read. */
interface Key<T> {
  /** Its default, as it would stand in a file. */
  readonly fallback: string;
  /** What a value must be, for a person. */
  readonly expected: string;
  readonly schema: v.GenericSchema<string, T>;
}

function key<T>(fallback: string, expected: string, schema: v.GenericSchema<string, T>): Key<T> {
  return { fallback, expected, schema };
}

function wholeNumber(fallback: string, unit: string, least: number, most: number): Key<number> {
  const schema = v.pipe(
    v.string(),
    v.regex(/^[+-]?\d{1,15}$/),
    v.transform(Number),
    v.minValue(least),
    v.maxValue(most),
  );
  return key(fallback, `a whole number of ${unit} from ${least} to ${most}`, schema);
}

/** A setting of the kernel's; null, which leaves it alone, unless it is given. */
function optionalNumber(expected: string, least: number, most: number): Key<number | null> {
  const schema = v.pipe(
    v.string(),
    v.regex(/^\d{0,15}$/),
    v.transform((text) => (text === '' ? null : Number(text))),
    v.check((value) => value === null || (value >= least && value <= most)),
  );
  return key<number | null>('', `${expected}, or nothing`, schema);
}

function oneOf<const Options extends readonly string[]>(options: Options): Key<Options[number]> {
  return key(options[0] ?? '', `one of ${options.join(', ')}`, v.picklist(options));
}

const UNIT_BYTES: Readonly<Record<string, number>> = { '': 1024, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

const memorySize = v.pipe(
  v.string(),
  v.regex(/^\d{1,12}\s*([KMGT](i?B)?|kB)?$/i),
  v.transform(
    (text) => Number.parseInt(text, 10) * (UNIT_BYTES[/[KMGT]/i.exec(text)?.[0].toUpperCase() ?? ''] ?? 1024),
  ),
);

const secondsList = v.pipe(
  v.string(),
  v.regex(/^$|^\d{1,5}([\s,]+\d{1,5}){0,9}$/),
  v.transform((text) => (text === '' ? [] : text.split(/[\s,]+/).map(Number))),
);

/** ksmtuned tests DEBUG for being set at all; a value that plainly says no is taken at its word here. */
const flag = v.pipe(
  v.string(),
  v.transform((text) => !['', '0', 'no', 'off', 'false'].includes(text.toLowerCase())),
);

const zeroPages = v.pipe(
  v.picklist(['auto', '0', '1', 'keep']),
  v.transform((word) => (word === '0' ? 0 : word === '1' ? 1 : word)),
);

const listenAddress = v.pipe(
  v.string(),
  v.transform((text) => (text === '' ? null : parseListenAddress(text))),
  v.check((address) => address !== undefined),
  v.transform((address) => address ?? null),
);

const path = v.pipe(v.string(), v.regex(/^$|^\//));

/** sysfs takes an unsigned 32-bit number for pages_to_scan and sleep_millisecs. */
const UINT32 = 4294967295;

/** What each policy does, in a line; the first is the default. */
export const POLICY_HELP = {
  ksmtuned: 'ksmd faster while memory is short, else slower, as ksmtuned',
  adaptive: 'bursts within a CPU budget when there is something to gain',
  advisor: "the kernel's own advisor, given targets (Linux 6.8 and newer)",
} as const;
export type PolicyName = keyof typeof POLICY_HELP;
export const POLICY_NAMES = Object.keys(POLICY_HELP) as readonly PolicyName[];

/**
 * Every key: what it does, in a line of at most 76 characters (with "# " and a margin it fits a terminal), its default, which is that
 * of ksmtuned 4.20150326 where the key is ksmtuned's, and what it takes.
 */
export const KEYS = {
  KSM_MONITOR_INTERVAL: {
    help: 'seconds between retunes when nothing happens',
    ...wholeNumber('60', 'seconds', 1, 86400),
  },
  KSM_SLEEP_MSEC: {
    help: "milliseconds between ksmd's batches on a host of 16 GiB; less on a larger",
    ...wholeNumber('10', 'milliseconds', 0, 60000),
  },
  KSM_NPAGES_BOOST: {
    help: 'change of pages_to_scan per retune while less than the reserve is free',
    ...wholeNumber('300', 'pages', -1000000, 1000000),
  },
  KSM_NPAGES_DECAY: {
    help: 'change of pages_to_scan per retune otherwise, normally negative',
    ...wholeNumber('-50', 'pages', -1000000, 1000000),
  },
  KSM_NPAGES_MIN: { help: 'the smallest pages_to_scan', ...wholeNumber('64', 'pages', 0, UINT32) },
  KSM_NPAGES_MAX: { help: 'the largest pages_to_scan', ...wholeNumber('1250', 'pages', 0, UINT32) },
  KSM_THRES_COEF: {
    help: 'the reserve: memory that should stay free, in percent of all memory',
    ...wholeNumber('20', 'percent', 0, 1000),
  },
  KSM_THRES_CONST: {
    help: 'the smallest reserve, in kB or as 512M or 2G',
    ...key('2048', 'an amount in kB, or with a unit, as 512M or 2G', memorySize),
  },
  LOGFILE: { help: 'a file for the log', ...key('', 'an absolute path, or nothing', path) },
  DEBUG: {
    help: 'whether every decision is logged, with the calls that ksmtuned would make',
    ...key('', '1, or nothing', flag),
  },
  PIDFILE: {
    help: 'the file with the process id, for scripts',
    ...key('/var/run/ksmtune.pid', 'an absolute path, or nothing', path),
  },
  KSM_POLICY: { help: 'the policy that decides: ksmtuned, adaptive or advisor', ...oneOf(POLICY_NAMES) },
  KSM_CPU_MAX: {
    help: "ksmd's CPU budget, in percent of one core (adaptive, advisor)",
    ...wholeNumber('50', 'percent of one core', 1, 100),
  },
  KSM_PROBE_MAX: {
    help: 'the longest time between two probes, in seconds (adaptive)',
    ...wholeNumber('600', 'seconds', 10, 86400),
  },
  KSM_MEMORY_ACCOUNTING: {
    help: 'how memory is counted: corrected, pss, or legacy as ksmtuned does it',
    ...oneOf(['corrected', 'legacy', 'pss']),
  },
  KSM_ON_EXIT: {
    help: 'what samepaged does with KSM when it ends: restore, leave, stop or unmerge',
    ...oneOf(['restore', 'leave', 'stop', 'unmerge']),
  },
  KSM_ON_CONFLICT: {
    help: 'when something else changes a setting: reassert or yield',
    ...oneOf(['reassert', 'yield']),
  },
  KSM_WHEN: { help: 'when to merge: needed (while memory is short) or always', ...oneOf(['needed', 'always']) },
  KSM_MERGE_ACROSS_NODES: {
    help: 'whether pages of different NUMA nodes are merged, 0 or 1',
    ...optionalNumber('0 or 1', 0, 1),
  },
  KSM_USE_ZERO_PAGES: {
    help: "merge empty pages with the kernel's zero page: auto, 0, 1 or keep",
    ...key<ZeroPagesChoice>('auto', 'one of auto, 0, 1, keep', zeroPages),
  },
  KSM_THP_MAX_PTES_NONE: {
    help: "khugepaged's max_ptes_none while pages are merged, from 0 to 511",
    ...optionalNumber('a whole number of pages from 0 to 511', 0, 511),
  },
  KSM_KSMD_SCHED: {
    help: "ksmd's scheduling class: auto (idle with adaptive), idle, other or keep",
    ...oneOf(['auto', 'idle', 'other', 'keep'] satisfies readonly KsmdSchedChoice[]),
  },
  KSM_SMART_SCAN: {
    help: 'whether pages that never merged are scanned less often, 0 or 1',
    ...optionalNumber('0 or 1', 0, 1),
  },
  KSM_MAX_PAGE_SHARING: {
    help: 'how many pages may share one copy',
    ...optionalNumber('a whole number of pages from 2 to 2147483647', 2, 2147483647),
  },
  KSM_STABLE_NODE_CHAINS_PRUNE_MILLISECS: {
    help: "milliseconds between ksmd's clean-ups of stale copies",
    ...optionalNumber('a whole number of milliseconds from 0 to 4294967295', 0, UINT32),
  },
  KSM_MAX_KERNEL_PAGES: {
    help: 'a limit of very old kernels on merged pages; half of memory unless given',
    ...optionalNumber('a whole number of pages', 0, Number.MAX_SAFE_INTEGER),
  },
  KSM_UNMERGE_TO_APPLY: {
    help: 'whether to unmerge, where that fits, to set what needs it',
    ...key('', '1, or nothing', flag),
  },
  KSM_GUEST_USERS: {
    help: 'users, besides root, whose guests count even if libvirt does not name them',
    ...key(
      'libvirt-qemu,qemu,qemu-libvirtd,kvm,oneadmin,lxd,incus',
      'names or numbers of users, with commas between them',
      v.pipe(v.string(), v.regex(/^[\w.$-]+([\s,]+[\w.$-]+)*$/)),
    ),
  },
  KSM_FORBID_GUESTS: {
    help: 'guests that must not be merged; samepaged warns if one can be',
    ...key('', 'names with * and ?, with commas between them', v.string()),
  },
  KSM_EVENT_SETTLE: {
    help: 'milliseconds in which guest events are collected for one retune',
    ...wholeNumber('250', 'milliseconds', 0, 60000),
  },
  KSM_METRICS_LISTEN: {
    help: 'where metrics for Prometheus are served, as 127.0.0.1:9870',
    ...key('', `${LISTEN_FORMS}, or nothing`, listenAddress),
  },
  KSM_METRICS_GUESTS: { help: 'whether the metrics have series for each guest', ...key('', '1, or nothing', flag) },
  KSM_EVENT_RECHECK: {
    help: "seconds after a guest's start for further retunes",
    ...key('5,20', 'up to ten whole numbers of seconds, as 5,20, or nothing', secondsList),
  },
} as const;

export type KeyName = keyof typeof KEYS;
export type Values = { readonly [K in KeyName]: (typeof KEYS)[K] extends Key<infer T> ? T : never };

/** What is in force where no file says anything. */
export function defaultValues(): Values {
  const names = Object.keys(KEYS) as KeyName[];
  return Object.fromEntries(names.map((name) => [name, readValue(name, KEYS[name].fallback)])) as Values;
}

/** Keys where an empty value means something; everywhere else it means the default, as in ksmtuned. */
const EMPTY_COUNTS: ReadonlySet<KeyName> = new Set<KeyName>(['PIDFILE', 'KSM_EVENT_RECHECK']);

/** The value of `name` as the program uses it, or undefined when `text` is not what was expected. */
export function readValue<K extends KeyName>(name: K, text: string): Values[K] | undefined {
  const given = text === '' && !EMPTY_COUNTS.has(name) ? KEYS[name].fallback : text;
  const parsed = v.safeParse(KEYS[name].schema, given);
  return parsed.success ? (parsed.output as Values[K]) : undefined;
}
