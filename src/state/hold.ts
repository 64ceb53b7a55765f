import { rm } from 'node:fs/promises';
import * as v from 'valibot';
import { RESTING_KINDS, type RestingHold } from '../core/hold.js';
import { readPlain } from '../plainFile.js';
import { STATE_FILES } from './directory.js';
import { inTurn } from './inTurn.js';
import { replaceFile } from './replaceFile.js';
import { isAbsence } from '../host/sysfs.js';

/** What it says has some hundred bytes. */
const LARGEST_BYTES = 1024 ** 2;

/** Names of policies, and the kernel's of a boot; what else stood there would be written back, and into the log. */
const Word = v.pipe(v.string(), v.regex(/^[\w-]{0,64}$/));
const Entry = v.pipe(
  v.object({
    kind: v.optional(v.picklist(RESTING_KINDS)),
    untilMillis: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
    /** How much of the time was left when it was written. */
    leftMillis: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
    policy: v.optional(v.object({ name: Word, insteadOf: Word, bootId: Word })),
  }),
  v.check(({ kind, policy }) => kind !== undefined || policy !== undefined, 'it holds nothing'),
);

/** A policy that was chosen by hand: it ends with the boot, and when the configuration names another than it did then. */
export interface PolicyChoice {
  readonly name: string;
  /** The policy that the configuration named then. */
  readonly insteadOf: string;
  readonly bootId: string;
}

/** What an administrator said that is in force until it is taken back. */
export interface SaidByHand {
  readonly hold: RestingHold | undefined;
  readonly policy: PolicyChoice | undefined;
}

/** Keeps what an administrator said over restarts, in the state directory. */
export class HoldFile {
  readonly path: string;

  constructor(directory: string) {
    this.path = `${directory}/${STATE_FILES.hold}`;
  }

  /** A hold lasts no longer than it had left when it was written, wherever the clock is now. @throws Error when the file is there and is none of these. */
  read(nowMillis: number): SaidByHand {
    const text = this.readText();
    if (text === undefined) return { hold: undefined, policy: undefined };
    const { kind, untilMillis, leftMillis = Infinity, policy } = v.parse(Entry, JSON.parse(text));
    const until = untilMillis === undefined ? {} : { untilMillis: Math.min(untilMillis, nowMillis + leftMillis) };
    return { hold: kind === undefined ? undefined : { kind, ...until }, policy };
  }

  /** @throws Error with its errno, or Overdue. */
  async write({ hold, policy }: SaidByHand, nowMillis: number): Promise<void> {
    if (hold === undefined && policy === undefined) return inTurn(this.path, () => rm(this.path).catch(unlessAbsent));
    const { kind, untilMillis } = hold ?? {};
    const left = untilMillis === undefined ? {} : { untilMillis, leftMillis: Math.max(untilMillis - nowMillis, 0) };
    const text = `${JSON.stringify({ kind, ...left, policy })}\n`;
    return inTurn(this.path, () => replaceFile(this.path, text));
  }

  private readText(): string | undefined {
    try {
      return readPlain(this.path, LARGEST_BYTES).toString('utf8');
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  }
}

function unlessAbsent(error: unknown): void {
  if (!isAbsence(error)) throw error;
}
