import { runCommand } from './command.js';
import type { Verb } from './verb.js';

export const retune: Verb = {
  summary: 'look at memory and guests now, and set KSM accordingly',
  options: ['bus', 'json'],
  run: (input) => runCommand(input, (daemon) => daemon.command('Retune')),
};
