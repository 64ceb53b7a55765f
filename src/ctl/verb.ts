import type { BusAddress } from '../dbus/address.js';
import type { Terminal } from '../text/terminal.js';

interface Option {
  readonly type: 'string' | 'boolean';
  readonly default: string | boolean;
  /** What it does, in half a line. */
  readonly help: string;
  /** What stands for its value in the help; of a boolean nothing. */
  readonly placeholder?: string;
  /** Values to offer; any may be given. */
  readonly values?: readonly string[] | 'directory';
}

/** What was asked failed, was refused, or was not done. */
export const FAILED_STATUS = 1;

/** As `systemctl status`: the daemon does not run. */
export const NOT_RUNNING_STATUS = 3;

/** Every option of samepagectl; each verb names those that it takes. */
export const OPTIONS = {
  all: { type: 'boolean', default: false, help: 'defaults as well' },
  bus: {
    type: 'string',
    default: 'system',
    help: 'system, session or a D-Bus address (system)',
    placeholder: 'BUS',
    values: ['system', 'session'],
  },
  csv: { type: 'boolean', default: false, help: 'comma-separated values, a record a line' },
  for: {
    type: 'string',
    default: '2m',
    help: 'how long at most: 90s, 2m, 1h (2m)',
    placeholder: 'DURATION',
    values: ['30s', '2m', '10m'],
  },
  force: { type: 'boolean', default: false, help: 'even if it may not fit into memory' },
  gradually: { type: 'boolean', default: false, help: 'guest by guest, as far as they fit into memory' },
  json: { type: 'boolean', default: false, help: 'JSON, for programs' },
  keep: { type: 'boolean', default: false, help: 'leave merged what was merged' },
  libvirt: {
    type: 'string',
    default: '/org/libvirt/QEMU',
    help: "libvirt-dbus's connection, or none (/org/libvirt/QEMU)",
    placeholder: 'OBJECT',
    values: ['/org/libvirt/QEMU', 'none'],
  },
  names: { type: 'boolean', default: false, help: "keep the guests' names" },
  now: { type: 'boolean', default: false, help: 'the running guest as well, at once' },
  once: { type: 'boolean', default: false, help: 'print one frame and end' },
  output: {
    type: 'string',
    default: '',
    help: 'replace FILE with it instead of printing it',
    placeholder: 'FILE',
    values: 'directory',
  },
  root: {
    type: 'string',
    default: '',
    help: 'take /proc and /sys from DIR',
    placeholder: 'DIR',
    values: 'directory',
  },
  since: {
    type: 'string',
    default: '1d',
    help: 'how far to look back: 90m, 1h, 30d (1d)',
    placeholder: 'DURATION',
    values: ['1h', '6h', '1d', '7d', '30d'],
  },
  svg: {
    type: 'string',
    default: '',
    help: 'draw a chart into FILE, or onto stdout for -',
    placeholder: 'FILE',
    values: ['-'],
  },
  yes: { type: 'boolean', default: false, help: 'do not ask' },
} as const satisfies Readonly<Record<string, Option>>;
export type OptionName = keyof typeof OPTIONS;
type OptionValues = {
  readonly [Name in OptionName]: (typeof OPTIONS)[Name]['type'] extends 'boolean' ? boolean : string;
};

/** An option by its name, with what is not there left out of its type. */
export function optionOf(name: OptionName): Option {
  return OPTIONS[name];
}

export interface VerbInput extends OptionValues {
  readonly bus: BusAddress;
  /** What follows the verb. */
  readonly words: readonly string[];
  /** Where the output goes. */
  readonly terminal: Terminal;
  /** Shows how a long task is getting on, on a terminal only; each text replaces the one before. */
  readonly progress: (text: string) => void;
  /** Says a sentence on stderr before something is done. */
  readonly notice: (text: string) => void;
}

export interface VerbResult {
  /** The exit status. */
  readonly status: number;
  /** What goes to stdout. */
  readonly output: string;
}

/** What a word after the verb can be: one of these, or a name of that kind. */
export type Word = readonly string[] | 'guest' | 'policy' | 'verb' | 'file';

export interface Example {
  /** A line for a shell. */
  readonly command: string;
  readonly does: string;
}

/** A verb of samepagectl: one entry in verbs.ts makes it callable and puts it into help, completion and manual page. */
export interface Verb {
  /** What it does, in half a line. */
  readonly summary: string;
  /** What it does, in full; for those whose summary does not say it all. */
  readonly details?: string;
  /** The verb with the words it takes, as in "pause [DURATION]"; none by default. */
  readonly usage?: string;
  /** What can be offered for these words, one after the other. */
  readonly words?: readonly Word[];
  readonly options: readonly OptionName[];
  /** Each can be run as it is. */
  readonly examples: readonly Example[];
  readonly run: (input: VerbInput) => Promise<VerbResult>;
}

export type VerbTable = Readonly<Record<string, Verb>>;

/** A command line that a verb cannot take; the message says what was expected. */
export class UsageError extends Error {}
