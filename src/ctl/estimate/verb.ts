import type { Verb } from '../verb.js';

export const estimate: Verb = {
  summary: 'what merging would save here, by trying it',
  details:
    'Has ksmd go through all memory at its CPU budget (KSM_CPU_MAX), until passes bring nothing more or the time is up, and ' +
    'says what that saves and costs. Then everything is unmerged again. Pages are shared meanwhile, which is a side channel: ' +
    'it asks first, and needs --yes where nobody can be asked. Ctrl-C ends it and puts everything back. Works with ' +
    'samepaged, whose policy waits, and without, as root.',
  usage: 'estimate',
  options: ['bus', 'json', 'libvirt', 'root', 'for', 'keep', 'yes'],
  examples: [
    { command: 'sudo samepagectl estimate', does: 'ask, and take two minutes at most' },
    { command: 'sudo samepagectl estimate --for 10m --yes --json', does: 'on a large host, for a program' },
  ],
  run: async (input) => (await import('./run.js')).run(input),
};
