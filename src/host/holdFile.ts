import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import * as v from 'valibot';
import type { Hold } from '../core/hold.js';
import { readTextIfThere } from './sysfs.js';

const Entry = v.object({
  kind: v.picklist(['paused', 'stopped', 'unmerged']),
  untilMillis: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
});

/** Keeps an administrator's hold over restarts, in the state directory. */
export class HoldFile {
  readonly path: string;
  private readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    this.path = `${directory}/hold.json`;
  }

  /** @throws Error when the file is there and is no hold. */
  read(): Hold | undefined {
    const text = readTextIfThere(this.path);
    if (text === undefined) return undefined;
    const { kind, untilMillis } = v.parse(Entry, JSON.parse(text));
    return { kind, ...(untilMillis === undefined ? {} : { untilMillis }) };
  }

  write(hold: Hold | undefined): void {
    if (hold === undefined) {
      if (existsSync(this.path)) rmSync(this.path);
      return;
    }
    mkdirSync(this.directory, { recursive: true });
    writeFileSync(`${this.path}.new`, `${JSON.stringify(hold)}\n`);
    renameSync(`${this.path}.new`, this.path);
  }
}
