import { retune } from './retune.js';
import { status } from './status.js';
import type { Verb } from './verb.js';

export const VERBS: Readonly<Record<string, Verb>> = { status, retune };
