import { entry, escaped, flag, literal, sentence } from './roff.js';
import { type OptionName, type VerbTable, OPTIONS, optionOf } from '../../../src/ctl/verb.js';

/** The parts of samepagectl(1) that follow from the table of verbs, as roff for man(7). */
export function manSections(
  verbs: VerbTable,
): Readonly<Record<'SYNOPSIS' | 'COMMANDS' | 'OPTIONS' | 'EXAMPLES', string>> {
  const entries = Object.entries(verbs);
  return {
    SYNOPSIS: entries
      .map(([name, { usage = name, options }]) =>
        ['.SY samepagectl', words(usage), ...options.map((option) => `[${optionFlag(option)}]`)].join('\n'),
      )
      .join('\n'),
    COMMANDS: entries
      .map(([name, { usage = name, summary, details }]) => {
        return entry(words(usage), details === undefined ? sentence(summary) : escaped(details));
      })
      .join('\n'),
    OPTIONS: (Object.keys(OPTIONS) as OptionName[])
      .map((option) => entry(optionFlag(option), escaped(optionOf(option).help)))
      .join('\n'),
    EXAMPLES: entries
      .flatMap(([, { examples }]) => examples)
      .map(({ command, does }) => entry(literal(command), escaped(does)))
      .join('\n'),
  };
}

/** A verb with its words: those in capitals stand for something. */
function words(usage: string): string {
  return escaped(usage)
    .split(/(\b[A-Z]+\b)/)
    .map((part, at) => (at % 2 === 1 ? `\\fI${part}\\fR` : part.replace(/[a-z]+/g, String.raw`\fB$&\fR`)))
    .join('');
}

function optionFlag(name: OptionName): string {
  return flag(name, optionOf(name).placeholder);
}
