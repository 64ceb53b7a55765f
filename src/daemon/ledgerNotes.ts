import type { KsmSetting, KsmWrite } from '../core/ksm.js';
import type { Problem } from '../core/sample.js';
import { errnoOf, messageOf } from '../errors.js';
import type { Ledger } from '../state/ledger.js';

/** The problem with which nothing may be written, or none. */
export function recordIn(ledger: Ledger, writes: readonly KsmWrite[]): Promise<readonly Problem[]> {
  return inLedger(ledger, 'samepaged sets nothing, because a crash would lose what the host had before', () =>
    ledger.record(writes),
  );
}

export function releaseIn(ledger: Ledger, settings: readonly KsmSetting[]): Promise<readonly Problem[]> {
  return inLedger(ledger, 'the next samepaged will restore the same settings again', () => ledger.release(settings));
}

export function cedeIn(ledger: Ledger, settings: readonly KsmSetting[]): Promise<readonly Problem[]> {
  return inLedger(ledger, 'samepaged will restore them when it ends', () => ledger.cede(settings));
}

export function leaveIn(ledger: Ledger): Promise<readonly Problem[]> {
  return inLedger(ledger, 'the next samepaged will treat this end as a crash', () => ledger.leave());
}

/** Writing the ledger may fail: that is a problem, with what follows from it. */
async function inLedger(ledger: Ledger, consequence: string, write: () => Promise<void>): Promise<readonly Problem[]> {
  try {
    await write();
    return [];
  } catch (error) {
    const why = errnoOf(error) ?? messageOf(error);
    return [{ subject: 'ledger', sentence: `${ledger.file} cannot be written (${why}): ${consequence}` }];
  }
}
