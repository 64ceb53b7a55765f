import { Daemon, type RetuneReply } from './client.js';
import type { Verb } from './verb.js';

export const retune: Verb = {
  summary: 'look at memory and guests now, and set KSM accordingly',
  options: ['bus', 'json'],
  async run({ bus, json }) {
    const reply = await Daemon.with(bus, (daemon) => daemon.command('Retune'));
    return { status: 0, output: json ? JSON.stringify(reply, undefined, 2) : text(reply) };
  },
};

function text({ sentence, changes, problems }: RetuneReply): string {
  return [
    sentence ?? 'no decision',
    changes.length === 0 ? 'nothing had to be changed' : changes.join(', '),
    ...problems.map((problem) => `warning: ${problem}`),
  ].join('\n');
}
