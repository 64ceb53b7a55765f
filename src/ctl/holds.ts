import { setTimeout as sleep } from 'node:timers/promises';
import { formatBytes } from '../core/format.js';
import { formatDuration, parseDuration } from '../core/duration.js';
import { savingsOf } from '../core/savings.js';
import { KsmDirectory } from '../host/ksm.js';
import { pageSizeBytes } from '../host/sysfs.js';
import { runCommand } from './command.js';
import { UsageError, type Verb, type VerbInput } from './verb.js';

/** How often the progress of unmerging is shown, in milliseconds. */
const PROGRESS_MILLIS = 200;

export const stop: Verb = {
  summary: 'stop ksmd; shared pages stay shared',
  details:
    'Stops ksmd until resume. Shared pages stay shared. If something else starts KSM meanwhile, KSM_ON_CONFLICT applies, as ' +
    'for pause.',
  options: ['bus', 'json'],
  examples: [{ command: 'samepagectl stop', does: 'no more CPU time for ksmd' }],
  run: (input) => runCommand(input, (daemon) => daemon.command('Stop')),
};

export const pause: Verb = {
  summary: 'stop ksmd for 90s, 10m, 2h30m, or until resume',
  details:
    'Stops ksmd for a time such as 90s, 10m, 2h30m or 1d, or until resume. Shared pages stay shared. A restart of ' +
    'samepaged does not end it. If something else starts KSM meanwhile, samepaged warns, and stops KSM again or leaves it as ' +
    'KSM_ON_CONFLICT says.',
  usage: 'pause [DURATION]',
  words: [['10m', '1h', '8h']],
  options: ['bus', 'json'],
  examples: [
    { command: 'samepagectl pause 10m', does: 'all CPU time for something else, for ten minutes' },
    { command: 'samepagectl pause', does: 'until samepagectl resume' },
  ],
  run: (input) => {
    const [duration, ...more] = input.words;
    const millis = duration === undefined ? 0 : parseDuration(duration);
    if (millis === undefined || more.length > 0) {
      throw new UsageError(`"${input.words.join(' ')}" is not a duration; expected for example 90s, 10m, 2h30m or 1d`);
    }
    return runCommand(input, (daemon) => daemon.command('Pause', 't', [BigInt(millis / 1000)]));
  },
};

export const resume: Verb = {
  summary: 'let the policy decide again',
  options: ['bus', 'json'],
  examples: [{ command: 'samepagectl resume', does: 'go on' }],
  run: (input) => runCommand(input, (daemon) => daemon.command('Resume')),
};

export const unmerge: Verb = {
  summary: 'give every guest its own pages back, and stop',
  details:
    'Undoes all merging (run=2) until resume. The saved memory must fit into available memory with a tenth to spare; ' +
    'otherwise unmerge is refused with the figures. With --gradually QEMU withdraws one guest after the other from KSM, ' +
    'the smallest first, each if it fits. Ctrl-C ends this between two guests. run=2 then unmerges what is left, and QEMU ' +
    'offers the guests to KSM again.',
  options: ['bus', 'json', 'force', 'gradually', 'libvirt'],
  examples: [
    { command: 'samepagectl unmerge', does: 'before a benchmark, where memory allows it' },
    { command: 'samepagectl unmerge --gradually', does: 'guest by guest, as far as memory allows it' },
    { command: 'samepagectl unmerge --force', does: 'whatever the memory' },
  ],
  run: async (input) => {
    if (input.gradually) return (await import('./unmerge/gradually.js')).unmergeGradually(input);
    const watched = new AbortController();
    const [result] = await Promise.all([
      runCommand(input, (daemon) => daemon.command('Unmerge', 'b', [input.force])).finally(() => {
        watched.abort();
      }),
      showProgress(input, watched.signal),
    ]);
    return result;
  },
};

/** The kernel unmerges while the call waits; how far it is shows in what is still saved. */
async function showProgress({ progress }: VerbInput, until: AbortSignal): Promise<void> {
  const ksm = new KsmDirectory('');
  if (!ksm.exists()) return;
  const pageSize = pageSizeBytes('');
  const begin = performance.now();
  for (;;) {
    await sleep(PROGRESS_MILLIS);
    if (until.aborted) break;
    const left = formatBytes(savingsOf(ksm.read(), pageSize).savedBytes);
    progress(`unmerging: ${left} still shared, ${formatDuration(performance.now() - begin)}`);
  }
  progress('');
}
