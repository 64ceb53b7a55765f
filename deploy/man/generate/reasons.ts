import type { Reason } from '../../../src/core/decision.js';

/** Every reason of a decision, in a sentence for the page of the D-Bus interface. */
export const REASON_HELP: Readonly<Record<Reason, string>> = {
  'enough-memory': 'memory is enough: merging stops',
  'free-below-reserve': 'less is free than the reserve: merging, and faster than before',
  'free-at-reserve':
    'guests and the reserve fit, but no more than the reserve is free: merging, and slower than before',
  'committed-above-total':
    'guests and the reserve do not fit, but the reserve is still free: merging, and slower than before',
  always: 'memory is enough, and KSM_WHEN=always has it merge all the same',
  'guests-settling': 'guests that came fill their memory or keep the CPUs busy: merging waits',
  burst: 'there may be something to gain: ksmd goes through all memory at its CPU budget',
  probe: 'a little memory is looked at, to see whether anything has changed',
  'nothing-to-gain': 'merging is wanted, but passes brought nothing more: ksmd rests',
  'costs-more-than-it-saves': 'merging is wanted, but its bookkeeping takes more memory than it saves: ksmd rests',
  advised: "the kernel's advisor paces ksmd: fast after something has happened, slower the longer nothing does",
  paused: 'an administrator paused merging',
  stopped: 'an administrator stopped merging; what is shared stays shared',
  unmerged: 'an administrator had everything unmerged',
  estimating: 'an administrator asked what merging would save: one burst, whatever memory there is',
};
