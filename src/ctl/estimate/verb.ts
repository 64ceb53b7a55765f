import type { Verb } from '../verb.js';

export const estimate: Verb = {
  summary: 'what merging would save here, by trying it',
  details:
    'ksmd scans all memory within its CPU budget (KSM_CPU_MAX) until passes gain nothing more or the time is up. Then ' +
    'estimate shows what merging saves and costs, and unmerges everything again. Shared pages are a side channel between ' +
    'guests, so it asks first; without a terminal it needs --yes. Ctrl-C ends it and restores everything. It works with ' +
    'samepaged, whose policy waits meanwhile, and as root without it.',
  usage: 'estimate',
  options: ['bus', 'json', 'libvirt', 'root', 'for', 'keep', 'yes'],
  examples: [
    { command: 'sudo samepagectl estimate', does: 'ask, and take two minutes at most' },
    { command: 'sudo samepagectl estimate --for 10m --yes --json', does: 'on a large host, for a program' },
  ],
  run: async (input) => (await import('./run.js')).run(input),
};
