import { type Conflicts, type OnConflict, describeConflict, leftToOthers, nextConflicts } from '../core/conflicts.js';
import { type ForeignValue, type KsmSetting, ksmFile } from '../core/ksm.js';
import type { Problem } from '../core/sample.js';
import type { RunningDaemon } from '../host/daemons.js';

/** What else tunes KSM here. */
export type FindOthers = () => Promise<readonly RunningDaemon[]>;

export interface Disputed {
  /** What is not to be set now. */
  readonly left: readonly KsmSetting[];
  /** Those of them that are the others' from now on. */
  readonly ceded: readonly KsmSetting[];
  readonly problems: readonly Problem[];
}

/** The settings that something else changes too. Whatever it is, the kernel sees no more than a few writes against it. */
export class Disputes {
  private readonly others: FindOthers;
  private conflicts: Conflicts = new Map();
  private problems = new Map<KsmSetting, Problem>();

  constructor(others: FindOthers) {
    this.others = others;
  }

  /** Forgets them: an administrator has spoken, and everything is samepaged's again. */
  forget(): void {
    this.conflicts = new Map();
  }

  /** @param nowMillis on a clock that nobody sets. */
  async take(foreign: readonly ForeignValue[], onConflict: OnConflict, nowMillis: number): Promise<Disputed> {
    const before = this.conflicts;
    this.conflicts = nextConflicts(before, foreign, { onConflict, nowMillis });
    const left = leftToOthers(this.conflicts, nowMillis);
    const fresh = [...this.conflicts].filter(([key, conflict]) => before.get(key) !== conflict);
    const daemons = fresh.length === 0 ? [] : await this.others().catch(() => []);
    for (const [key, conflict] of fresh) {
      // Each change in a row is a problem of its own, so that none goes without a line in the log.
      const subject = `${ksmFile(key)} changed by others, ${conflict.times}`;
      this.problems.set(key, { subject, sentence: describeConflict(conflict, whoDid(conflict.foreign, daemons)) });
    }
    const shown = [...this.conflicts].filter(
      ([key, conflict]) => left.includes(conflict) || before.get(key) !== conflict,
    );
    return {
      left: left.flatMap(({ settings }) => settings),
      ceded: fresh.flatMap(([, { againAtMillis, settings }]) => (againAtMillis === Infinity ? settings : [])),
      problems: shown.flatMap(([key]) => this.problems.get(key) ?? []),
    };
  }
}

/** The kernel does not say who wrote to a file of sysfs: what runs here and does such things is named. */
function whoDid(foreign: readonly ForeignValue[], daemons: readonly RunningDaemon[]): string {
  if (daemons.length > 0)
    return `${daemons.map(({ name, pid }) => `${name} (pid ${pid})`).join(' and ')} tunes KSM too`;
  return foreign.some(({ setting, found }) => setting === 'advisorMode' && found === 'scan-time')
    ? "something else switched the kernel's advisor on"
    : 'something else changed it';
}
