import type { Daemon } from '../api/client.js';
import { withDaemon } from '../api/withDaemon.js';
import type { RetuneReply } from '../api/replies.js';
import { cleanJson } from '../text/clean.js';
import { fold } from '../text/terminal.js';
import type { VerbInput, VerbResult } from './verb.js';

/** Has the daemon do something and tells the retune that followed: the decision, what it changed, what went wrong. */
export async function runCommand(
  { bus, json, terminal }: Pick<VerbInput, 'bus' | 'json' | 'terminal'>,
  act: (daemon: Daemon) => Promise<RetuneReply>,
): Promise<VerbResult> {
  const reply = await withDaemon(bus, act);
  return { status: 0, output: json ? toJson(reply) : fold(retuneLines(reply), terminal) };
}

/** A retune in lines. */
export function retuneLines({ sentence, failure, changes, problems }: RetuneReply): readonly string[] {
  return [
    sentence ?? failure ?? 'no decision',
    changes.length === 0 ? 'nothing had to be changed' : changes.join(', '),
    ...problems.map((problem) => `warning: ${problem}`),
  ];
}

export function toJson(value: unknown): string {
  return cleanJson(JSON.stringify(value, undefined, 2));
}
