import type { Verb } from '../verb.js';

export const doctor: Verb = {
  summary: 'what keeps KSM from working well on this host',
  details:
    'Shows for each check what was found, why it matters and the command that fixes it. It works without samepaged. The ' +
    'exit status is 1 if there is a problem.',
  options: ['bus', 'json', 'libvirt', 'root'],
  examples: [
    { command: 'samepagectl doctor', does: 'this host' },
    { command: 'samepagectl doctor --root /tmp/host', does: 'another host, from a copy of its /proc and /sys' },
  ],
  run: async (input) => (await import('./run.js')).run(input),
};
