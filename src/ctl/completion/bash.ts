import { POLICY_WORDS } from '../policy.js';
import { OPTIONS, type OptionName, type VerbTable, type Word, optionOf } from '../verb.js';

/**
 * Completion for bash 4 and newer; needs nothing else. The line is split at blanks here: in COMP_WORDS a bus address is
 * several words.
 */
export function bashCompletion(verbs: VerbTable): string {
  const names = Object.keys(verbs);
  const valued = (Object.keys(OPTIONS) as OptionName[]).filter((name) => optionOf(name).values !== undefined);
  return `# bash completion for samepagectl; made by: samepagectl completion bash
_samepagectl() {
    local line="\${COMP_LINE:0:COMP_POINT}" cur='' before='' verb='' kind='' words='' options='--help'
    local -a typed asked=() found=()
    local -i i at=0 count
    read -r -a typed <<<"$line"
    [[ $line == *[[:blank:]] ]] || { cur="\${typed[-1]}"; unset 'typed[-1]'; }
    count=\${#typed[@]}
    ((count > 0)) || return
    before="\${typed[count-1]}"
    for ((i = 1; i < count; i++)); do
        case "\${typed[i]}" in
        --bus|--libvirt) asked+=("\${typed[i]}" "\${typed[i+1]-}"); i+=1 ;;
        --bus=*|--libvirt=*) asked+=("\${typed[i]}") ;;
${valued
  .filter((name) => name !== 'bus' && name !== 'libvirt')
  .map((name) => `        --${name}) i+=1 ;;\n`)
  .join('')}        -*) ;;
        *) if [[ -z $verb ]]; then verb="\${typed[i]}"; else at+=1; fi ;;
        esac
    done
    [[ $cur == --*=* ]] && { before="\${cur%%=*}"; cur="\${cur#*=}"; }
    case "$before" in
${valued.map((name) => `    --${name}) ${optionCase(name)} ;;\n`).join('')}    *)
        case "$verb" in
        '') words='${names.join(' ')}' options='${flags(Object.keys(OPTIONS) as OptionName[])} --version' ;;
${Object.entries(verbs).map(verbCase(names)).join('\n')}
        esac
        [[ $cur == -* ]] && { words="$options"; kind=''; }
        ;;
    esac
    case "$kind" in
    guest) mapfile -t found < <("$1" completion guests "\${asked[@]}" 2>/dev/null) ;;
    file) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); compopt -o filenames 2>/dev/null; return ;;
    directory) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); compopt -o filenames 2>/dev/null; return ;;
    *) read -r -a found <<<"$words" ;;
    esac
    COMPREPLY=()
    # Of a word with a colon bash replaces what is after it.
    local head="\${cur%"\${cur##*[:=]}"}" name
    for name in "\${found[@]}"; do
        [[ $name == "$cur"* ]] && COMPREPLY+=("$(printf '%q' "\${name#"$head"}")")
    done
}
complete -F _samepagectl samepagectl`;
}

function optionCase(name: OptionName): string {
  const { values = [] } = optionOf(name);
  return typeof values === 'string' ? `kind=${values}` : `words='${values.join(' ')}'`;
}

function verbCase(names: readonly string[]): (entry: [string, VerbTable[string]]) => string {
  return ([name, { words = [], options }]) => {
    const cases = words.map((word, at) => `${at}) ${wordCase(word, names)} ;;`).join(' ');
    const choice = words.length === 0 ? '' : ` case $at in ${cases} esac ;`;
    return `        ${name}) options='${flags(options)}' ;${choice};`;
  };
}

function wordCase(word: Word, names: readonly string[]): string {
  if (word === 'policy') return `words='${POLICY_WORDS.join(' ')}'`;
  if (word === 'verb') return `words='${names.join(' ')}'`;
  return typeof word === 'string' ? `kind=${word}` : `words='${word.join(' ')}'`;
}

function flags(options: readonly OptionName[]): string {
  return [...options, 'help'].map((name) => `--${name}`).join(' ');
}
