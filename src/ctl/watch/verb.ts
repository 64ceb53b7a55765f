import type { Verb } from '../verb.js';

export const watch: Verb = {
  summary: 'live: curves, decisions, guests; keys r, p, ?, q',
  details:
    'Shows curves of saved and free memory, scan rate and CPU time of ksmd over the last ten minutes, decisions and guest ' +
    'events as they happen, and guests sorted by merged memory. It does not start samepaged. With --once the exit status ' +
    'is 3 while samepaged does not run.',
  options: ['once', 'bus', 'libvirt', 'root'],
  examples: [{ command: 'samepagectl watch --once', does: 'one frame, as for a report' }],
  run: async (input) => (await import('./run.js')).run(input),
};
