import type { Daemon } from '../api/client.js';
import { withDaemon } from '../api/withDaemon.js';
import type { RetuneReply } from '../api/replies.js';
import { cleanJson } from '../text/clean.js';
import { fold } from '../text/terminal.js';
import { EXIT } from '../errors.js';
import { FAILED_STATUS, type VerbInput, type VerbResult } from './verb.js';

/** Has the daemon do something and tells the retune that followed: the decision, what it changed, what went wrong. */
export async function runCommand(
  { bus, json, terminal }: Pick<VerbInput, 'bus' | 'json' | 'terminal'>,
  act: (daemon: Daemon) => Promise<RetuneReply>,
): Promise<VerbResult> {
  const reply = await withDaemon(bus, act);
  return {
    status: isDone(reply) ? EXIT.ok : FAILED_STATUS,
    output: json ? toJson(reply) : fold(retuneLines(reply), terminal),
  };
}

/** Whether KSM is as it was decided: a script that goes on after `unmerge` relies on it. */
export function isDone({ dryRun, changes, failed = [] }: RetuneReply): boolean {
  return failed.length === 0 && (dryRun !== true || changes.length === 0);
}

/** A retune in lines. */
export function retuneLines(retune: RetuneReply): readonly string[] {
  const { sentence, failure, dryRun = false, problems } = retune;
  return [
    ...(dryRun ? ['dry run, nothing was changed'] : []),
    sentence ?? failure ?? 'no decision',
    ...changeLines(retune),
    ...problems.map((problem) => `warning: ${problem}`),
  ];
}

function changeLines({ dryRun = false, changes, failed = [] }: RetuneReply): readonly string[] {
  if (changes.length + failed.length === 0) return [`nothing ${dryRun ? 'would have' : 'had'} to be changed`];
  const line = (words: string, all: readonly string[]) => (all.length === 0 ? [] : [`${words}${all.join(', ')}`]);
  return [...line(dryRun ? 'would be set: ' : '', changes), ...line('could not be set: ', failed)];
}

export function toJson(value: unknown): string {
  return cleanJson(JSON.stringify(value, undefined, 2));
}
