import { existsSync, readdirSync } from 'node:fs';
import {
  KSM_NUMBERS,
  KSM_SETTINGS,
  type KsmNumber,
  type KsmdSched,
  type KsmSetting,
  type KsmSettings,
  type KsmState,
  ksmFile,
} from '../core/ksm.js';
import type { Problem } from '../core/sample.js';
import { EXIT, FatalError, messageOf } from '../errors.js';
import { inTime } from './inTime.js';
import { Ksmd } from './ksmd.js';
import { MalformedError, type Root, parseWhole, readText, writeValue } from './sysfs.js';

type PartialState = Partial<Record<KsmNumber, number>> & { advisorMode?: 'none' | 'scan-time'; ksmdSched?: KsmdSched };

/** A file that is not as it should be. */
interface OddFile {
  readonly subject: string;
  readonly what: string;
}

/** The settings that every KSM kernel has: without them there is no decision. */
const REQUIRED = ['run', 'pagesToScan', 'sleepMillisecs'] as const;
/** The counters that every KSM kernel has. */
const COUNTED = ['pagesShared', 'pagesSharing'] as const;

/** The kernel's KSM: the directory /sys/kernel/mm/ksm below `root`, the files beside it that are set with it, and its thread. */
export class KsmDirectory {
  readonly path: string;
  readonly ksmd: Ksmd;
  private readonly parent: string;

  constructor(root: Root) {
    this.parent = `${root}/sys/kernel/mm`;
    this.path = `${this.parent}/ksm`;
    this.ksmd = new Ksmd(root);
  }

  /** Whether KSM can be read and set here. */
  exists(): boolean {
    return this.absence() === undefined;
  }

  /** Why KSM cannot be read or set here; undefined where it can. */
  absence(): string | undefined {
    if (!existsSync(this.path)) return `${this.path} is not there: this kernel was built without KSM (CONFIG_KSM)`;
    if (existsSync(`${this.path}/run`)) return undefined;
    return `${this.path}/run is not there, which every kernel with KSM has: something hides it, or this is no whole /sys`;
  }

  /**
   * Every file there is that is known here. What is not as it should be is left out and reported in `problems`; of the counters
   * that every kernel has it is 0.
   *
   * @throws FatalError when run, pages_to_scan or sleep_millisecs is not as it should be, or a file is missing that every
   *   kernel has.
   */
  read(problems: Problem[] = []): KsmState {
    const odd: OddFile[] = [];
    const state = this.withSched(this.readFiles(KSM_NUMBERS, odd), odd);
    const isOdd = (name: KsmNumber) => odd.some(({ subject }) => subject === KSM_NUMBERS[name]);
    for (const name of COUNTED) if (isOdd(name)) state[name] = 0;
    problems.push(...odd.map(problemOf));
    if (hasRequired(state)) return state;
    const unusable = odd.find(({ subject }) => REQUIRED.some((name) => KSM_NUMBERS[name] === subject));
    if (unusable !== undefined) throw new FatalError(unusable.what, EXIT.unavailable);
    const missing = [...REQUIRED, ...COUNTED]
      .filter((name) => state[name] === undefined)
      .map((name) => KSM_NUMBERS[name]);
    throw new MalformedError(this.path, `the file ${missing.join(', ')}`, 'none');
  }

  /** The settings alone, without the counters. What is not as it should be is left out and reported in `problems`. */
  readSettings(problems: Problem[] = []): KsmSettings {
    const odd: OddFile[] = [];
    const settings = this.withSched(this.readFiles(KSM_SETTINGS, odd), odd);
    problems.push(...odd.map(problemOf));
    return settings;
  }

  /** Shared pages in use; while there are any, the kernel refuses some settings. 0 where the file says nothing. */
  pagesShared(): number {
    return this.readFiles({ pagesShared: KSM_NUMBERS.pagesShared }, []).pagesShared ?? 0;
  }

  /** Files of the directory that this version does not know: a newer kernel's, or a distributor's. None without KSM. */
  unknownFiles(): readonly string[] {
    if (!this.exists()) return [];
    const known = new Set<string>([...Object.values(KSM_NUMBERS), ksmFile('advisorMode')]);
    return readdirSync(this.path)
      .filter((file) => !known.has(file))
      .sort();
  }

  /** Whether this kernel has the setting. */
  has(setting: KsmSetting): boolean {
    return setting === 'ksmdSched' ? this.ksmd.sched() !== undefined : existsSync(this.pathOf(ksmFile(setting)));
  }

  /**
   * A write waits for ksmd's batch, and one that unmerges until everything is unmerged.
   *
   * @param patienceMillis how long it is waited for, for ever by default; the kernel may still do it later.
   * @throws WriteError or Overdue, which name the file.
   */
  async write(setting: KsmSetting, value: number | string, patienceMillis = Infinity): Promise<void> {
    if (setting === 'ksmdSched') return this.ksmd.setSched(value as KsmdSched);
    const path = this.pathOf(ksmFile(setting));
    await inTime(path, patienceMillis, () => this.ksmd.hurried(() => writeValue(path, String(value))));
  }

  private withSched(state: PartialState, odd: OddFile[]): PartialState {
    const ksmdSched = readable(ksmFile('ksmdSched'), odd, () => this.ksmd.sched());
    return ksmdSched === undefined ? state : { ...state, ksmdSched };
  }

  private readFiles(files: Readonly<Partial<Record<KsmNumber, string>>>, odd: OddFile[]): PartialState {
    const present = new Set(readdirSync(this.path));
    const state: PartialState = {};
    for (const [name, file] of Object.entries(files) as [KsmNumber, string][]) {
      const path = this.pathOf(file);
      if (!(isElsewhere(file) ? existsSync(path) : present.has(file))) continue;
      const value = readable(file, odd, () => parseWhole(readText(path), path));
      if (value !== undefined) state[name] = value;
    }
    if (!present.has('advisor_mode')) return state;
    const mode = readable('advisor_mode', odd, () => this.readAdvisorMode());
    return mode === undefined ? state : { ...state, advisorMode: mode };
  }

  private pathOf(file: string): string {
    return `${isElsewhere(file) ? this.parent : this.path}/${file}`;
  }

  /** The mode is the one in brackets, "[none] scan-time"; a copy that was written to holds the word alone. */
  private readAdvisorMode(): 'none' | 'scan-time' {
    const path = `${this.path}/advisor_mode`;
    const text = readText(path);
    const mode = /\[([\w-]+)\]/.exec(text)?.[1] ?? text;
    if (mode !== 'none' && mode !== 'scan-time') {
      throw new MalformedError(path, 'none or scan-time in brackets', text);
    }
    return mode;
  }
}

/** Whether a file is not in KSM's own directory; see KSM_SETTINGS. */
function isElsewhere(file: string): boolean {
  return file.includes('/');
}

/** What `read` gives; where it is not as it should be nothing, and the file is one of the `odd`. */
function readable<T>(file: string, odd: OddFile[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    odd.push({ subject: file, what: messageOf(error) });
    return undefined;
  }
}

function problemOf({ subject, what }: OddFile): Problem {
  return { subject, sentence: `${what}: it is left out` };
}

function hasRequired(state: PartialState): state is PartialState & KsmState {
  return [...REQUIRED, ...COUNTED].every((name) => state[name] !== undefined);
}
