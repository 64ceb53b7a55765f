// What each shell loads: it asks samepagectl for candidates, and for file names itself; see completer.ts.

const bash = `# bash completion for samepagectl; made by: samepagectl completion bash
_samepagectl() {
    local line="\${COMP_LINE:0:COMP_POINT}" typed word head found
    # In COMP_WORDS a bus address is several words.
    read -r -a typed <<<"$line"
    [[ $line == *[[:blank:]] ]] && typed+=('')
    word="\${typed[-1]}"
    # Of a word with a colon bash replaces what is after it.
    head="\${word%"\${word##*[:=]}"}"
    COMPREPLY=()
    while IFS= read -r found; do
        case "$found" in
        $'\\tfile') mapfile -t COMPREPLY < <(compgen -f -- "\${word#--*=}"); compopt -o filenames 2>/dev/null ;;
        $'\\tdirectory') mapfile -t COMPREPLY < <(compgen -d -- "\${word#--*=}"); compopt -o filenames 2>/dev/null ;;
        "$word"*) found="\${found%%$'\\t'*}"; COMPREPLY+=("$(printf '%q' "\${found#"$head"}")") ;;
        esac
    done < <("$1" __complete "\${typed[@]:1}" 2>/dev/null)
}
complete -F _samepagectl samepagectl`;

const zsh = `#compdef samepagectl
# zsh completion for samepagectl; made by: samepagectl completion zsh
local found
local -a candidates typed=("\${(@Q)words[1,CURRENT-1]}" "\${(Q)PREFIX}")
for found in "\${(@f)$(samepagectl __complete "\${(@)typed[2,-1]}" 2>/dev/null)}"; do
    case "$found" in
    $'\\tfile') compset -P '--*='; _files; return ;;
    $'\\tdirectory') compset -P '--*='; _files -/; return ;;
    ?*) candidates+=("\${\${found%%$'\\t'*}//:/\\\\:}:\${found#*$'\\t'}") ;;
    esac
done
_describe samepagectl candidates`;

const fish = `# fish completion for samepagectl; made by: samepagectl completion fish
function __samepagectl
    set -l typed (commandline -opc)
    set -l word (commandline -ct)
    set -l flag (string match -r -- '^--.*=' "$word")
    set -l path (string replace -r -- '^--.*=' '' "$word")
    set -l found (samepagectl __complete $typed[2..] "$word" 2>/dev/null)
    switch "$found"
        case \\tfile
            __fish_complete_path "$path" | string replace -r '^' -- "$flag"
        case \\tdirectory
            __fish_complete_directories "$path" | string replace -r '^' -- "$flag"
        case '*'
            string join \\n -- $found
    end
end
complete -c samepagectl -f -a '(__samepagectl)'`;

export const SHIMS = { bash, zsh, fish } as const;
