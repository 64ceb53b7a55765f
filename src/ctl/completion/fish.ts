import { POLICY_WORDS } from '../policy.js';
import { OPTIONS, type OptionName, type VerbTable, type Word, optionOf } from '../verb.js';

/** Completion for fish 3 and newer. */
export function fishCompletion(verbs: VerbTable): string {
  const valued = (Object.keys(OPTIONS) as OptionName[]).filter((name) => optionOf(name).placeholder !== undefined);
  const lines = Object.entries(verbs).flatMap(([name, { summary, words = [], options }]) => [
    `complete -c samepagectl -n '__samepagectl_at 0' -a ${name} -d ${quoted(summary)}`,
    ...options.map((option) => optionLine(`__samepagectl_verb ${name}`, option)),
    ...words.map(
      (word, at) => `complete -c samepagectl -n '__samepagectl_at ${at + 1} ${name}' ${offered(word, verbs)}`,
    ),
  ]);
  return `# fish completion for samepagectl; made by: samepagectl completion fish
# The verb and its words, without options and their values; what asks libvirt is kept apart.
function __samepagectl_words
    set -l skip
    for word in (commandline -opc)[2..]
        if set -q skip[1]
            set -e skip
        else if contains -- $word ${valued.map((name) => `--${name}`).join(' ')}
            set skip 1
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end
# Whether so many words are there, the first of them this verb.
function __samepagectl_at
    set -l words (__samepagectl_words)
    test (count $words) -eq $argv[1]; or return 1
    not set -q argv[2]; or test "$words[1]" = "$argv[2]"
end
function __samepagectl_verb
    set -l words (__samepagectl_words)
    test "$words[1]" = "$argv[1]"
end
function __samepagectl_guests
    set -l asked
    set -l typed (commandline -opc)
    for i in (seq (count $typed))
        contains -- $typed[$i] --bus --libvirt; and set -a asked $typed[$i] $typed[(math $i + 1)]
        string match -q -r -- '^--(bus|libvirt)=' $typed[$i]; and set -a asked $typed[$i]
    end
    samepagectl completion guests $asked 2>/dev/null
end
complete -c samepagectl -f
complete -c samepagectl -l help -d 'show help'
complete -c samepagectl -n '__samepagectl_at 0' -l version -d 'show the version'
${[...(Object.keys(OPTIONS) as OptionName[]).map((name) => optionLine('__samepagectl_at 0', name)), ...lines].join('\n')}`;
}

function optionLine(condition: string, name: OptionName): string {
  const { help, values } = optionOf(name);
  const value =
    values === undefined
      ? ''
      : typeof values === 'string'
        ? ` -x -a '(__fish_complete_directories)'`
        : ` -x -a ${quoted(values.join(' '))}`;
  return `complete -c samepagectl -n '${condition}' -l ${name}${value} -d ${quoted(help)}`;
}

function offered(word: Word, verbs: VerbTable): string {
  switch (word) {
    case 'guest':
      return `-a '(__samepagectl_guests)'`;
    case 'file':
      return '-F';
    case 'verb':
      return `-a ${quoted(Object.keys(verbs).join(' '))}`;
    default:
      return `-a ${quoted((word === 'policy' ? POLICY_WORDS : word).join(' '))}`;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', String.raw`\\`).replaceAll("'", String.raw`\'`)}'`;
}
