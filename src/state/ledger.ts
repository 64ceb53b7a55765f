import { rm } from 'node:fs/promises';
import * as v from 'valibot';
import {
  KSM_SETTINGS,
  type KsmSetting,
  type KsmSettings,
  type KsmWrite,
  settingsOf,
  settingsTouched,
} from '../core/ksm.js';
import { EXIT, FatalError, errnoOf, messageOf } from '../errors.js';
import { readPlain } from '../plainFile.js';
import { mayTuneKsm } from '../host/daemons.js';
import { userOf } from '../host/processes.js';
import { STATE_FILES } from './directory.js';
import { inTurn } from './inTurn.js';
import { replaceFile } from './replaceFile.js';
import { type Root, isAbsence, readTextIfThere } from '../host/sysfs.js';

/** Of the masks of signals in /proc/PID/status: bit 0 is signal 1. */
const SIGKILL_MASK = 1n << 8n;
/** A ledger has some hundred bytes. */
const LARGEST_BYTES = 1024 ** 2;

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
  private found: KsmSettings;
  private changed: ReadonlySet<KsmSetting>;

  /**
   * @param directory where the file is kept; made when the first setting is recorded.
   * @param state what the kernel shows now.
   * @throws FatalError when a living samepaged keeps the ledger, or when it cannot be understood: overwriting it would lose
   *   the host's values.
   */
  constructor(directory: string, root: Root, state: KsmSettings) {
    this.file = `${directory}/${STATE_FILES.ledger}`;
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

  /**
   * Records that `writes` are about to be made.
   *
   * @throws Error with its errno, or Overdue, when the file cannot be written: then they must not be made.
   */
  async record(writes: readonly KsmWrite[]): Promise<void> {
    const fresh = settingsTouched(writes.map(({ setting }) => setting)).filter((setting) => !this.changed.has(setting));
    if (fresh.length === 0) return;
    const before = writes.map(({ setting, from }) => [setting, from] as const);
    // What could not be read when samepaged started is what the write found.
    const found: KsmSettings = { ...Object.fromEntries(before), ...this.found };
    await inTurn(this.file, async () => {
      const changed = new Set([...this.changed, ...fresh]);
      await this.writeFile({ left: false, found, changed });
      this.found = found;
      this.changed = changed;
    });
  }

  /** `settings` have been put back. @throws as record. */
  async release(settings: readonly KsmSetting[]): Promise<void> {
    const changed = new Set([...this.changed].filter((setting) => !settings.includes(setting)));
    if (changed.size === this.changed.size) return;
    this.changed = changed;
    await inTurn(this.file, async () => {
      if (changed.size === 0) await rm(this.file, { force: true });
      else await this.writeFile({ left: false, found: this.found, changed });
    });
  }

  /** `settings` are others' by now: what they have from them is what the host had, if samepaged sets it again. @throws as record. */
  async cede(settings: readonly KsmSetting[]): Promise<void> {
    await this.release(settings);
    this.found = Object.fromEntries(
      Object.entries(this.found).filter(([setting]) => !settings.includes(setting as KsmSetting)),
    );
  }

  /** What is set stays in force on purpose; the next samepaged still knows what the host had before. */
  async leave(): Promise<void> {
    if (this.changed.size === 0) return;
    await inTurn(this.file, () => this.writeFile({ left: true, found: this.found, changed: this.changed }));
  }

  private readFile(root: Root): { left: boolean; found: KsmSettings; changed: KsmSetting[] } | undefined {
    const text = this.readText();
    if (text === undefined) return undefined;
    const entry = v.safeParse(Entry, parseJson(text));
    if (!entry.success) {
      const expected = "expected what samepaged noted of the host's KSM settings, found something else";
      throw new FatalError(`${this.file}: ${expected}; check it and remove it`, EXIT.config);
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

  private readText(): string | undefined {
    try {
      return readPlain(this.file, LARGEST_BYTES).toString('utf8');
    } catch (error) {
      if (isAbsence(error)) return undefined;
      const why = errnoOf(error) ?? messageOf(error);
      throw new FatalError(`${this.file} cannot be read (${why}): it holds the host's own settings`, EXIT.config);
    }
  }

  private async writeFile({ left, found, changed }: Noted): Promise<void> {
    const entry: v.InferOutput<typeof Entry> = {
      version: 1,
      bootId: this.bootId,
      pid: process.pid,
      left,
      found: { ...found },
      changed: [...changed],
    };
    await replaceFile(this.file, `${JSON.stringify(entry, undefined, 2)}\n`);
  }
}

interface Noted {
  readonly left: boolean;
  readonly found: KsmSettings;
  readonly changed: ReadonlySet<KsmSetting>;
}

/** The settings of KSM among these, where they have a value that the kernel can have shown. */
function settingsIn(found: Readonly<Record<string, unknown>>): KsmSettings {
  return Object.fromEntries(Object.entries(found).filter(([name, value]) => isSettingOf(name, value)));
}

function isSettingOf(name: string, value: unknown): boolean {
  if (name === 'ksmdSched') return typeof value === 'string' && /^(other|batch|idle) -?\d{1,2}$/.test(value);
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
  return readTextIfThere(`/proc/${pid}/comm`)?.startsWith('samepaged') === true && !isDying(pid);
}

/** Whether it is a zombie, or gets SIGKILL as soon as what hangs in the kernel lets it: it does nothing more. */
function isDying(pid: number): boolean {
  const status = readTextIfThere(`/proc/${pid}/status`) ?? '';
  const pending = [...status.matchAll(/^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$/gm)].map(([, mask]) => BigInt(`0x${mask}`));
  return /^State:\s+[ZX]/m.test(status) || pending.some((mask) => (mask & SIGKILL_MASK) !== 0n);
}
