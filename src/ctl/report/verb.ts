import type { Verb, VerbTable } from '../verb.js';

/** @param verbs the table that the verb itself is in. */
export function reportVerb(verbs: () => VerbTable): Verb {
  return {
    summary: "a bug report, without the guests' names",
    details:
      'Prints what version, status, explain, doctor, config, guests and history show, and the files of the kernel. Read it ' +
      'before you send it. Names of guests are replaced by guest-1, guest-2 and so on; --names keeps them. Nothing is sent. It ' +
      'works without samepaged.',
    options: ['bus', 'libvirt', 'names'],
    examples: [
      { command: 'samepagectl report', does: 'read it first' },
      { command: 'samepagectl report > report.txt', does: 'then write it into a file' },
    ],
    run: async (input) => (await import('./run.js')).run(input, verbs()),
  };
}
