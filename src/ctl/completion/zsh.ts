import { POLICY_WORDS } from '../policy.js';
import { OPTIONS, type OptionName, type VerbTable, type Word, optionOf } from '../verb.js';

/** Completion for zsh, as a file _samepagectl in its $fpath. */
export function zshCompletion(verbs: VerbTable): string {
  const every = (Object.keys(OPTIONS) as OptionName[]).map(optionSpec).map((spec) => `        ${spec} \\`);
  return `#compdef samepagectl
# zsh completion for samepagectl; made by: samepagectl completion zsh
_samepagectl_guests() {
    local -a names asked
    local -i i
    for ((i = 1; i < $#typed; i++)); do
        [[ $typed[i] == --(bus|libvirt) ]] && asked+=("$typed[i]" "$typed[i+1]")
        [[ $typed[i] == --(bus|libvirt)=* ]] && asked+=("$typed[i]")
    done
    names=("\${(@f)$(samepagectl completion guests $asked 2>/dev/null)}")
    compadd -a names
}
_samepagectl_verbs() {
    local -a verbs=(
${Object.entries(verbs)
  .map(([name, { summary }]) => `        ${quoted(`${name}:${summary}`)}`)
  .join('\n')}
    )
    _describe verb verbs
}
_samepagectl() {
    local curcontext="$curcontext" state
    # _arguments leaves only the words after the verb in $words.
    local -a line typed=("\${words[@]}")
    _arguments -C \\
${every.join('\n')}
        '(- *)--help[show help]' \\
        '(- *)--version[show the version]' \\
        '1:verb:_samepagectl_verbs' \\
        '*::word:->words'
    [[ $state == words ]] || return
    case $line[1] in
${Object.entries(verbs).map(verbCase).join('\n')}
    esac
}
_samepagectl "$@"`;
}

function verbCase([name, { words = [], options }]: [string, VerbTable[string]]): string {
  const specs = [
    ...options.map(optionSpec),
    quoted('(- *)--help[show help]'),
    ...words.map((word, at) => quoted(`${at + 1}:${nameOf(word)}:${action(word)}`)),
  ];
  return `    ${name}) _arguments ${specs.join(' ')} ;;`;
}

function optionSpec(name: OptionName): string {
  const { help, placeholder, values } = optionOf(name);
  const described = `--${name}${placeholder === undefined ? '' : '='}[${help.replace(/[\][:]/g, String.raw`\$&`)}]`;
  if (placeholder === undefined) return quoted(described);
  const offered = typeof values === 'string' ? '_files -/' : `(${(values ?? []).join(' ')})`;
  return quoted(`${described}:${placeholder}:${offered}`);
}

function nameOf(word: Word): string {
  return typeof word === 'string' ? word : 'word';
}

function action(word: Word): string {
  switch (word) {
    case 'guest':
      return '_samepagectl_guests';
    case 'verb':
      return '_samepagectl_verbs';
    case 'file':
      return '_files';
    default:
      return `(${(word === 'policy' ? POLICY_WORDS : word).join(' ')})`;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
