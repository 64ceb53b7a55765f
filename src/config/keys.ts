import * as v from 'valibot';
import type { KsmdSchedChoice } from '../core/policies/shared/ksmdSched.js';
import type { ZeroPagesChoice } from '../core/policies/shared/zeroPages.js';
import { LISTEN_FORMS, parseListenAddress } from './listenAddress.js';

/** A key of the configuration: its default as text, how its value is read, and what a value must be, for a person. */
interface Key<T> {
  readonly fallback: string;
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

/**
 * Every key, with the default of ksmtuned 4.20150326 where the key is ksmtuned's.
 * KSM_POLICY has one choice per file of core/policies.
 */
export const KEYS = {
  KSM_MONITOR_INTERVAL: wholeNumber('60', 'seconds', 1, 86400),
  KSM_SLEEP_MSEC: wholeNumber('10', 'milliseconds', 0, 60000),
  KSM_NPAGES_BOOST: wholeNumber('300', 'pages', -1000000, 1000000),
  KSM_NPAGES_DECAY: wholeNumber('-50', 'pages', -1000000, 1000000),
  KSM_NPAGES_MIN: wholeNumber('64', 'pages', 0, UINT32),
  KSM_NPAGES_MAX: wholeNumber('1250', 'pages', 0, UINT32),
  KSM_THRES_COEF: wholeNumber('20', 'percent', 0, 1000),
  KSM_THRES_CONST: key('2048', 'an amount in kB, or with a unit, as 512M or 2G', memorySize),
  LOGFILE: key('', 'an absolute path, or nothing', path),
  DEBUG: key('', '1, or nothing', flag),
  PIDFILE: key('/var/run/ksmtune.pid', 'an absolute path, or nothing', path),
  KSM_POLICY: oneOf(['ksmtuned', 'adaptive', 'advisor']),
  KSM_CPU_MAX: wholeNumber('50', 'percent of one core', 1, 100),
  KSM_PROBE_MAX: wholeNumber('600', 'seconds', 10, 86400),
  KSM_MEMORY_ACCOUNTING: oneOf(['corrected', 'legacy', 'pss']),
  KSM_ON_EXIT: oneOf(['restore', 'leave', 'stop', 'unmerge']),
  KSM_ON_CONFLICT: oneOf(['reassert', 'yield']),
  KSM_WHEN: oneOf(['needed', 'always']),
  KSM_MERGE_ACROSS_NODES: optionalNumber('0 or 1', 0, 1),
  KSM_USE_ZERO_PAGES: key<ZeroPagesChoice>('auto', 'one of auto, 0, 1, keep', zeroPages),
  KSM_THP_MAX_PTES_NONE: optionalNumber('a whole number of pages from 0 to 511', 0, 511),
  KSM_KSMD_SCHED: oneOf(['auto', 'idle', 'other', 'keep'] satisfies readonly KsmdSchedChoice[]),
  KSM_SMART_SCAN: optionalNumber('0 or 1', 0, 1),
  KSM_MAX_PAGE_SHARING: optionalNumber('a whole number of pages from 2 to 2147483647', 2, 2147483647),
  KSM_STABLE_NODE_CHAINS_PRUNE_MILLISECS: optionalNumber(
    'a whole number of milliseconds from 0 to 4294967295',
    0,
    UINT32,
  ),
  KSM_MAX_KERNEL_PAGES: optionalNumber('a whole number of pages', 0, Number.MAX_SAFE_INTEGER),
  KSM_UNMERGE_TO_APPLY: key('', '1, or nothing', flag),
  KSM_GUEST_USERS: key(
    'libvirt-qemu,qemu,qemu-libvirtd,kvm,oneadmin,lxd,incus',
    'names or numbers of users, with commas between them',
    v.pipe(v.string(), v.regex(/^[\w.$-]+([\s,]+[\w.$-]+)*$/)),
  ),
  KSM_FORBID_GUESTS: key('', 'names with * and ?, with commas between them', v.string()),
  KSM_EVENT_SETTLE: wholeNumber('250', 'milliseconds', 0, 60000),
  KSM_METRICS_LISTEN: key('', `${LISTEN_FORMS}, or nothing`, listenAddress),
  KSM_METRICS_GUESTS: key('', '1, or nothing', flag),
  KSM_EVENT_RECHECK: key('5,20', 'up to ten whole numbers of seconds, as 5,20, or nothing', secondsList),
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
