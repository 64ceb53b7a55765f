import { type OptionName, type VerbTable, OPTIONS, optionOf } from './verb.js';

/** The parts of samepagectl(1) that follow from the table of verbs, as roff for man(7), by the section's name. */
export function manSections(
  verbs: VerbTable,
): Readonly<Record<'SYNOPSIS' | 'COMMANDS' | 'OPTIONS' | 'EXAMPLES', string>> {
  const entries = Object.entries(verbs);
  return {
    SYNOPSIS: entries
      .map(([name, { usage = name, options }]) => {
        const taken = options.map((option) => `[${flag(option)}]`).join(' ');
        return `.B samepagectl\n${words(usage)}${taken === '' ? '' : ` ${taken}`}\n.br`;
      })
      .join('\n'),
    COMMANDS: entries
      .map(([name, { usage = name, summary, details }]) => {
        return `.TP\n${words(usage)}\n${details === undefined ? sentence(summary) : escaped(details)}`;
      })
      .join('\n'),
    OPTIONS: (Object.keys(OPTIONS) as OptionName[])
      .map((option) => `.TP\n${flag(option)}\n${sentence(optionOf(option).help)}`)
      .join('\n'),
    EXAMPLES: entries
      .flatMap(([, { examples }]) => examples)
      .map(({ command, does }) => `.TP\n.B ${escaped(command)}\n${sentence(does)}`)
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

function flag(name: OptionName): string {
  const { placeholder } = optionOf(name);
  return `\\fB${escaped(`--${name}`)}\\fR${placeholder === undefined ? '' : ` \\fI${placeholder}\\fR`}`;
}

function sentence(text: string): string {
  return escaped(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
}

/** A backslash, a hyphen that is to be copied, and a dot or quote that begins a line mean something to roff. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', String.raw`\e`)
    .replaceAll('-', String.raw`\-`)
    .replace(/^[.']/gm, String.raw`\&$&`);
}
