import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import * as v from 'valibot';
import { type KsmSetting, type KsmSettings, type KsmState, settingsOf } from '../core/ksm.js';
import { type Root, readTextIfThere } from './sysfs.js';

const Entry = v.object({
  version: v.literal(1),
  /** The boot that the values belong to: another boot begins with the kernel's own. */
  bootId: v.string(),
  found: v.record(v.string(), v.union([v.number(), v.string()])),
  changed: v.array(v.string()),
});

/**
 * What the host had before samepaged changed it, kept in a file so that a crash does not lose it.
 *
 * INVARIANTS: a setting is in the file before its first write to the kernel; the file goes away only when everything in
 * it has been put back. So whatever the file names is ours to restore, whichever process wrote it.
 */
export class Ledger {
  /** Values left over from a samepaged that ended without restoring them. */
  readonly inherited: boolean;
  private readonly directory: string;
  private readonly bootId: string;
  private readonly found: KsmSettings;
  private readonly changed: Set<KsmSetting>;

  /**
   * @param directory where the file ledger.json is kept; made when the first setting is recorded.
   * @param state what the kernel shows now.
   * @throws Error when a ledger of this boot is there and cannot be understood: overwriting it would lose the host's values.
   */
  constructor(directory: string, root: Root, state: KsmState) {
    this.directory = directory;
    this.bootId = readTextIfThere(`${root}/proc/sys/kernel/random/boot_id`) ?? '';
    const before = this.readFile();
    this.inherited = before !== undefined;
    this.found = before?.found ?? settingsOf(state);
    this.changed = new Set(before?.changed);
  }

  get file(): string {
    return `${this.directory}/ledger.json`;
  }

  /** What must be set to bring back what was found: the settings that samepaged changed. */
  toRestore(): KsmSettings {
    return Object.fromEntries(
      Object.entries(this.found).filter(([setting]) => this.changed.has(setting as KsmSetting)),
    );
  }

  /** Records that `settings` are about to be changed. Switching the advisor changes pages_to_scan too. */
  record(settings: readonly KsmSetting[]): void {
    const implied = settings.includes('advisorMode') ? (['pagesToScan'] as const) : [];
    const fresh = [...settings, ...implied].filter((setting) => !this.changed.has(setting));
    if (fresh.length === 0) return;
    for (const setting of fresh) this.changed.add(setting);
    this.writeFile();
  }

  /** Everything has been put back. */
  clear(): void {
    this.changed.clear();
    rmSync(this.file, { force: true });
  }

  private readFile(): { found: KsmSettings; changed: KsmSetting[] } | undefined {
    const text = readTextIfThere(this.file);
    if (text === undefined) return undefined;
    try {
      const { bootId, found, changed } = v.parse(Entry, JSON.parse(text));
      return bootId === this.bootId ? { found, changed: changed as KsmSetting[] } : undefined;
    } catch (error) {
      throw new Error(
        `${this.file}: expected what samepaged noted of the host's KSM settings, found something else; see it and remove it`,
        { cause: error },
      );
    }
  }

  private writeFile(): void {
    mkdirSync(this.directory, { recursive: true });
    const entry: v.InferOutput<typeof Entry> = {
      version: 1,
      bootId: this.bootId,
      found: { ...this.found },
      changed: [...this.changed],
    };
    const fresh = `${this.file}.new`;
    const file = openSync(fresh, 'w', 0o644);
    try {
      writeFileSync(file, `${JSON.stringify(entry, undefined, 2)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(fresh, this.file);
  }
}
