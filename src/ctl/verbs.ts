import { doctor } from './doctor.js';
import { guests } from './guests.js';
import { pause, resume, stop, unmerge } from './holds.js';
import { retune } from './retune.js';
import { status } from './status.js';
import type { Verb } from './verb.js';

export const VERBS: Readonly<Record<string, Verb>> = {
  status,
  retune,
  pause,
  stop,
  unmerge,
  resume,
  guests,
  doctor,
};
