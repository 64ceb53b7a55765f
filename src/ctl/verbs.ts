import type { BusAddress } from '../bus/connection.js';
import { retune } from './retune.js';
import { status } from './status.js';

export interface VerbInput {
  readonly bus: BusAddress;
  readonly json: boolean;
}

/** A verb of samepagectl: one entry makes it callable and puts it into the help. */
export interface Verb {
  /** What it does, in half a line. */
  readonly summary: string;
  readonly run: (input: VerbInput) => Promise<{ readonly status: number; readonly output: string }>;
}

export const VERBS: Readonly<Record<string, Verb>> = { status, retune };
