import { existsSync, readdirSync } from 'node:fs';
import {
  KSM_NUMBERS,
  KSM_SETTINGS,
  type KsmNumber,
  type KsmSetting,
  type KsmSettings,
  type KsmState,
  ksmFile,
} from '../core/ksm.js';
import { MalformedError, type Root, parseWhole, readText, readTextIfThere, writeValue } from './sysfs.js';

type PartialState = Partial<Record<KsmNumber, number>> & { advisorMode?: 'none' | 'scan-time' };

const REQUIRED = ['run', 'pagesToScan', 'sleepMillisecs', 'pagesShared', 'pagesSharing'] as const;

/** The kernel's KSM: the directory /sys/kernel/mm/ksm below `root`. */
export class KsmDirectory {
  readonly path: string;

  constructor(root: Root) {
    this.path = `${root}/sys/kernel/mm/ksm`;
  }

  /** Whether this kernel has KSM (CONFIG_KSM). */
  exists(): boolean {
    return existsSync(`${this.path}/run`);
  }

  /**
   * Every file there is that is known here.
   *
   * @throws MalformedError when a file holds something else than a number, or one is missing that every kernel has.
   */
  read(): KsmState {
    const state: PartialState = this.readFiles(KSM_NUMBERS);
    if (hasRequired(state)) return state;
    const missing = REQUIRED.filter((name) => state[name] === undefined).map((name) => KSM_NUMBERS[name]);
    throw new MalformedError(this.path, `the file ${missing.join(', ')}`, 'none');
  }

  /**
   * The settings alone, without the counters.
   *
   * @throws MalformedError
   */
  readSettings(): KsmSettings {
    return this.readFiles(KSM_SETTINGS);
  }

  /** Shared pages in use; while there are any, the kernel refuses some settings. 0 where the file says nothing. */
  pagesShared(): number {
    const text = readTextIfThere(`${this.path}/${KSM_NUMBERS.pagesShared}`) ?? '';
    return /^\d+$/.test(text) ? Number(text) : 0;
  }

  /** @throws WriteError, which names the file. */
  async write(setting: KsmSetting, value: number | string): Promise<void> {
    await writeValue(`${this.path}/${ksmFile(setting)}`, String(value));
  }

  private readFiles(files: Readonly<Partial<Record<KsmNumber, string>>>): PartialState {
    const present = new Set(readdirSync(this.path));
    const state: PartialState = {};
    for (const [name, file] of Object.entries(files) as [KsmNumber, string][]) {
      const path = `${this.path}/${file}`;
      if (present.has(file)) state[name] = parseWhole(readText(path), path);
    }
    if (present.has('advisor_mode')) state.advisorMode = this.readAdvisorMode();
    return state;
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

function hasRequired(state: PartialState): state is PartialState & KsmState {
  return REQUIRED.every((name) => state[name] !== undefined);
}
