import type { Verb } from '../verb.js';

export const guests: Verb = {
  summary: "guests' memory and what is merged of it",
  details:
    "Shows each guest's memory, how much of it is merged, and why a guest cannot be merged. forbid puts <nosharepages/> " +
    "into the guest's persistent definition for its next start, allow takes it out. With --now QEMU also withdraws a " +
    'running guest from KSM, which unmerges it alone if it fits into memory, or offers it to KSM again. For a guest that is ' +
    "not libvirt's they name its manager's command.",
  usage: 'guests [forbid|allow NAME]',
  words: [['forbid', 'allow'], 'guest'],
  options: ['bus', 'json', 'libvirt', 'root', 'now', 'force'],
  examples: [
    { command: 'samepagectl guests', does: 'every running guest' },
    { command: 'samepagectl guests forbid vault', does: 'keep the memory of the guest vault from being merged' },
    { command: 'samepagectl guests forbid --now vault', does: 'unmerge it at once as well' },
    { command: 'samepagectl guests allow vault', does: 'let it be merged again' },
  ],
  run: async (input) => (await import('./run.js')).run(input),
};
