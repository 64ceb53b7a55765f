import { Daemon, type RetuneReply } from './client.js';
import type { VerbInput, VerbResult } from './verb.js';

/** Has the daemon do something and tells the retune that followed: the decision, what it changed, what went wrong. */
export async function runCommand(
  { bus, json }: Pick<VerbInput, 'bus' | 'json'>,
  act: (daemon: Daemon) => Promise<RetuneReply>,
): Promise<VerbResult> {
  const reply = await Daemon.with(bus, act);
  if (json) return { status: 0, output: JSON.stringify(reply, undefined, 2) };
  const { sentence, changes, problems } = reply;
  const lines = [
    sentence ?? 'no decision',
    changes.length === 0 ? 'nothing had to be changed' : changes.join(', '),
    ...problems.map((problem) => `warning: ${problem}`),
  ];
  return { status: 0, output: lines.join('\n') };
}
