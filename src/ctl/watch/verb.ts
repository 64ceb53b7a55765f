import type { Verb } from '../verb.js';

export const watch: Verb = {
  summary: 'live: curves, decisions, guests; keys r, p, ?, q',
  details:
    'Curves of saved and free memory, scan rate and CPU time of ksmd over the last ten minutes, decisions and guest events ' +
    'as they come, guests by what is merged of them. It only looks: samepaged is not started for it. With --once the exit ' +
    'status is 3 while samepaged does not run.',
  options: ['once', 'bus', 'libvirt', 'root'],
  examples: [{ command: 'samepagectl watch --once', does: 'one frame, as for a report' }],
  run: async (input) => (await import('./run.js')).run(input),
};
