import { rmSync } from 'node:fs';
import * as v from 'valibot';
import {
  KSM_SETTINGS,
  type KsmSetting,
  type KsmSettings,
  type KsmState,
  settingsOf,
  settingsTouched,
} from '../core/ksm.js';
import { EXIT, FatalError } from '../errors.js';
import { mayTuneKsm } from './daemons.js';
import { userOf } from './processes.js';
import { replaceFile } from './replaceFile.js';
import { type Root, readTextIfThere } from './sysfs.js';

const Entry = v.object({
  version: v.literal(1),
  /** The boot that the values belong to: another boot begins with the kernel's own. */
  bootId: v.string(),
  /** The process that wrote it last. */
  pid: v.number(),
  /** Whether its settings were left in force on purpose (KSM_ON_EXIT). */
  left: v.boolean(),
  found: v.record(v.string(), v.unknown()),
  changed: v.array(v.string()),
});

/**
 * What the host had before samepaged changed it, kept in a file so that a crash does not lose it.
 *
 * INVARIANTS: a setting is in the file before its first write to the kernel; the file goes away only when everything in
 * it has been put back. So whatever the file names is ours to restore, whichever process wrote it.
 */
export class Ledger {
  /** Whether there are values from an earlier samepaged: one that `left` them on purpose, or one that `crashed`. */
  readonly inherited: 'left' | 'crashed' | undefined;
  readonly file: string;
  private readonly bootId: string;
  private readonly found: KsmSettings;
  private readonly changed: Set<KsmSetting>;
  /** Whether the file has everything in it. */
  private complete = true;

  /**
   * @param directory where the file ledger.json is kept; made when the first setting is recorded.
   * @param state what the kernel shows now.
   * @throws FatalError when a living samepaged keeps the ledger, or when it cannot be understood: overwriting it would lose
   *   the host's values.
   */
  constructor(directory: string, root: Root, state: KsmState) {
    this.file = `${directory}/ledger.json`;
    this.bootId = readTextIfThere(`${root}/proc/sys/kernel/random/boot_id`) ?? '';
    const before = this.readFile(root);
    this.inherited = before === undefined ? undefined : before.left ? 'left' : 'crashed';
    this.found = { ...settingsOf(state), ...before?.found };
    this.changed = new Set(before?.changed);
  }

  /** What must be set to bring back what was found: the settings that samepaged changed. */
  toRestore(): KsmSettings {
    return Object.fromEntries(
      Object.entries(this.found).filter(([setting]) => this.changed.has(setting as KsmSetting)),
    );
  }

  /** Records that `settings` are about to be changed. */
  record(settings: readonly KsmSetting[]): void {
    const fresh = settingsTouched(settings).filter((setting) => !this.changed.has(setting));
    if (fresh.length === 0 && this.complete) return;
    for (const setting of fresh) this.changed.add(setting);
    this.complete = false;
    this.writeFile(false);
    this.complete = true;
  }

  /** `settings` have been put back. */
  release(settings: readonly KsmSetting[]): void {
    const ours = settings.filter((setting) => this.changed.delete(setting));
    if (ours.length === 0) return;
    if (this.changed.size === 0) this.clear();
    else this.writeFile(false);
  }

  /** What is set stays in force on purpose; the next samepaged still knows what the host had before. */
  leave(): void {
    if (this.changed.size > 0) this.writeFile(true);
  }

  /** Everything has been put back. */
  clear(): void {
    this.changed.clear();
    if (readTextIfThere(this.file) !== undefined) rmSync(this.file);
  }

  private readFile(root: Root): { left: boolean; found: KsmSettings; changed: KsmSetting[] } | undefined {
    const text = readTextIfThere(this.file);
    if (text === undefined) return undefined;
    const entry = v.safeParse(Entry, parseJson(text));
    if (!entry.success) {
      const expected = "expected what samepaged noted of the host's KSM settings, found something else";
      throw new FatalError(`${this.file}: ${expected}; see it and remove it`, EXIT.config);
    }
    const { bootId, pid, left, changed } = entry.output;
    const found = settingsIn(entry.output.found);
    if (bootId !== this.bootId) return undefined;
    if (isLivingSamepaged(root, pid)) {
      throw new FatalError(
        `samepaged is running, pid ${pid}, and keeps ${this.file}: there can be only one`,
        EXIT.tempFail,
      );
    }
    const known = changed.filter((name): name is KsmSetting => name in found);
    return { left, found, changed: known };
  }

  private writeFile(left: boolean): void {
    const entry: v.InferOutput<typeof Entry> = {
      version: 1,
      bootId: this.bootId,
      pid: process.pid,
      left,
      found: { ...this.found },
      changed: [...this.changed],
    };
    replaceFile(this.file, `${JSON.stringify(entry, undefined, 2)}\n`);
  }
}

/** The settings of KSM among these, where they have a value that the kernel can have shown. */
function settingsIn(found: Readonly<Record<string, unknown>>): KsmSettings {
  return Object.fromEntries(Object.entries(found).filter(([name, value]) => isSettingOf(name, value)));
}

function isSettingOf(name: string, value: unknown): boolean {
  if (name === 'advisorMode') return value === 'none' || value === 'scan-time';
  const most = name === 'run' ? 2 : Number.MAX_SAFE_INTEGER;
  return Object.hasOwn(KSM_SETTINGS, name) && Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isLivingSamepaged(root: Root, pid: number): boolean {
  if (pid === process.pid || !mayTuneKsm(root, userOf('', pid))) return false;
  return readTextIfThere(`/proc/${pid}/comm`)?.startsWith('samepaged') === true;
}
