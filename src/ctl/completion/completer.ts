import { parseArgs } from 'node:util';
import { POLICY_HELP } from '../../config/keys.js';
import { POLICY_WORDS } from '../policy.js';
import { OPTIONS, type OptionName, type VerbTable, type Word, optionOf } from '../verb.js';

/** What the shells call, with the words after samepagectl up to the cursor; of the last, the part before it. */
export const COMPLETE = '__complete';

interface Candidate {
  readonly text: string;
  readonly description: string;
}
/** Names of files and directories are the shell's own to offer. */
type Offer = readonly Candidate[] | 'file' | 'directory';

export interface Names {
  readonly verbs: VerbTable;
  /** Asked only where a guest is to be named. */
  readonly guests: (asked: { readonly bus: string; readonly libvirt: string }) => Promise<readonly string[]>;
}

/**
 * What can stand for the last of `typed`: a line each with a tab and a description; or one line, a tab and `file` or
 * `directory`. The shell picks those that fit.
 */
export async function completions(typed: readonly string[], names: Names): Promise<string> {
  const offer = await offered(typed.slice(0, -1), typed.at(-1) ?? '', names);
  if (typeof offer === 'string') return `\t${offer}`;
  return offer.map(({ text, description }) => `${text}\t${description}`).join('\n');
}

async function offered(before: readonly string[], word: string, { verbs, guests }: Names): Promise<Offer> {
  const { values, positionals, tokens } = parseArgs({
    args: [...before],
    options: OPTIONS,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const last = tokens.at(-1);
  if (last?.kind === 'option' && last.value === undefined && takesValue(last.name)) return valuesOf(last.name);
  const [prefix = '', flag = ''] = /^--([^=]+)=/.exec(word) ?? [];
  if (prefix !== '') return takesValue(flag) ? valuesOf(flag, prefix) : [];
  const [name, ...words] = positionals;
  const verb = name !== undefined && Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (word.startsWith('-')) return flags(name === undefined ? undefined : (verb?.options ?? []));
  if (name === undefined) return verbCandidates(verbs);
  const kind = verb?.words?.[words.length];
  if (kind === 'guest') {
    const found = await guests({ bus: String(values.bus), libvirt: String(values.libvirt) });
    return found.map((text) => ({ text, description: 'guest' }));
  }
  return kind === undefined ? [] : wordsOf(kind, verbs);
}

function wordsOf(kind: Exclude<Word, 'guest'>, verbs: VerbTable): Offer {
  if (kind === 'file') return kind;
  if (kind === 'verb') return verbCandidates(verbs);
  const help: Readonly<Record<string, string>> = POLICY_HELP;
  if (kind === 'policy') return POLICY_WORDS.map((text) => ({ text, description: help[text] ?? 'as configured' }));
  return kind.map((text) => ({ text, description: '' }));
}

function verbCandidates(verbs: VerbTable): readonly Candidate[] {
  return Object.entries(verbs).map(([text, { summary }]) => ({ text, description: summary }));
}

/** @param options of a verb; all, where there is none yet. */
function flags(options?: readonly OptionName[]): readonly Candidate[] {
  const named = options ?? (Object.keys(OPTIONS) as OptionName[]);
  return [
    ...named.map((name) => ({ text: `--${name}`, description: optionOf(name).help })),
    { text: '--help', description: 'show help' },
    ...(options === undefined ? [{ text: '--version', description: 'show the version' }] : []),
  ];
}

function takesValue(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name) && optionOf(name as OptionName).values !== undefined;
}

/** @param prefix what of the word is before the value. */
function valuesOf(name: OptionName, prefix = ''): Offer {
  const { values = [], help } = optionOf(name);
  return typeof values === 'string' ? values : values.map((value) => ({ text: prefix + value, description: help }));
}
