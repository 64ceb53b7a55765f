import { runCommand } from './command.js';
import type { Verb } from './verb.js';

export const retune: Verb = {
  summary: 'sample memory and guests now, decide, and set KSM',
  options: ['bus', 'json'],
  examples: [{ command: 'samepagectl retune', does: 'after something that samepaged cannot see' }],
  run: (input) => runCommand(input, (daemon) => daemon.command('Retune')),
};
