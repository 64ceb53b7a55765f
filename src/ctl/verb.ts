import type { BusAddress } from '../bus/connection.js';

/** Every option of samepagectl; each verb names those that it takes. */
export const OPTIONS = {
  bus: { type: 'string', default: 'system', help: 'BUS  system, session or a D-Bus address (system)' },
  force: { type: 'boolean', default: false, help: 'unmerge even if it may not fit into memory' },
  gradually: { type: 'boolean', default: false, help: 'unmerge in steps, where the kernel can' },
  json: { type: 'boolean', default: false, help: 'for programs' },
  libvirt: {
    type: 'string',
    default: '/org/libvirt/QEMU',
    help: "OBJECT  libvirt-dbus's connection, or none (/org/libvirt/QEMU)",
  },
  root: { type: 'string', default: '', help: 'DIR  take /proc and /sys from DIR' },
} as const;
export type OptionName = keyof typeof OPTIONS;
type OptionValues = {
  readonly [Name in OptionName]: (typeof OPTIONS)[Name]['type'] extends 'boolean' ? boolean : string;
};

export interface VerbInput extends OptionValues {
  readonly bus: BusAddress;
  /** What follows the verb. */
  readonly words: readonly string[];
  /** Shows how a long task is getting on, on a terminal only; each text replaces the one before. */
  readonly progress: (text: string) => void;
}

export interface VerbResult {
  /** The exit status. */
  readonly status: number;
  /** What goes to stdout. */
  readonly output: string;
}

/** A verb of samepagectl: one entry in verbs.ts makes it callable and puts it into the help. */
export interface Verb {
  /** What it does, in half a line. */
  readonly summary: string;
  /** The words it takes, as in "forbid NAME"; none unless told. */
  readonly usage?: string;
  readonly options: readonly OptionName[];
  readonly run: (input: VerbInput) => Promise<VerbResult>;
}

/** A command line that a verb cannot take; the message says what was expected. */
export class UsageError extends Error {}
