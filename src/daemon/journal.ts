import { describeTrigger } from '../core/policy.js';
import { describeWrite } from '../core/ksm.js';
import type { Problem } from '../core/problem.js';
import type { Retune } from '../core/retune.js';
import type { Log } from '../log.js';

/**
 * Logs turns of the loop: one line for a decision that changes something, unless it is routine, and problems once and not at
 * every turn.
 */
export class RetuneReport {
  private readonly log: Log;
  private readonly dryRun: boolean;
  private told = new Set<string>();

  constructor(log: Log, dryRun: boolean) {
    this.log = log;
    this.dryRun = dryRun;
  }

  add(retune: Retune): void {
    const [first, ...more] = retune.triggers.map(describeTrigger);
    const why = `${first ?? ''}${more.length > 0 ? ` and ${more.length} more` : ''}`;
    if ('failure' in retune) {
      const { message } = retune.failure;
      if (!this.told.has(message)) this.log.warn(`no decision (${why}): ${message}`);
      // It says nothing of the other problems.
      this.told.add(message);
      return;
    }
    const { sample, decision, applied } = retune;
    const { totalBytes, freeBytes, committedBytes } = sample.memory;
    const fields = { reason: decision.reason, triggers: retune.triggers.length, guests: sample.guests.length };
    const [total, free, committed] = [totalBytes, freeBytes, committedBytes].map((bytes) => Math.trunc(bytes / 1024));
    this.log.debug(`total ${total} committed ${committed} free ${free}`);
    const { run, pagesToScan, sleepMillisecs } = decision.settings;
    const start = `start ${pagesToScan} ${sleepMillisecs}`;
    this.log.debug(`KSMCTL ${run === 1 ? start : 'stop'}`);
    const level = applied.writes.length === 0 || decision.routine === true ? 'debug' : 'info';
    const changes = applied.writes.map(describeWrite).join(', ');
    const shown = changes === '' ? '' : ` [${this.dryRun ? 'would set ' : ''}${changes}]`;
    this.log[level]({ ...fields, ...(changes === '' ? {} : { changes }) }, `${why}: ${decision.sentence}${shown}`);
    this.tell([...sample.problems, ...(decision.problems ?? []), ...applied.problems]);
  }

  /** Warns of what was not a problem at the last turn, once however many met it. */
  private tell(problems: readonly Problem[]): void {
    const bySubject = new Map(problems.toReversed().map(({ subject, sentence }) => [subject, sentence]));
    for (const subject of new Set(problems.map((problem) => problem.subject))) {
      if (!this.told.has(subject)) this.log.warn(bySubject.get(subject) ?? '');
    }
    this.told = new Set(bySubject.keys());
  }
}
