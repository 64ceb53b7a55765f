#!/bin/sh
# What samepaged.service starts: samepaged on a Node that compiles nothing at run time (MemoryDenyWriteExecute=) and keeps
# little memory. Node's warning that V8 then has no WebAssembly is of no use to anybody.
set -eu
node=/usr/bin/node

# Only the owner of a process, and who has CAP_DAC_READ_SEARCH, may read its ksm_stat. This function has the capability, and reads
# nothing else. Its client is src/host/ksmStatReader.ts. It ends when samepaged has ended, not by a signal for samepaged.
read_ksm_stat() {
	trap '' HUP INT TERM USR1 USR2
	while read -r pid file; do
		text=
		case $pid:$file in
		*[!0-9]*:*) ;;
		[0-9]*:ksm_stat | [0-9]*:ksm_merging_pages)
			while read -r line; do
				text="$text$line
"
			done <"/proc/$pid/$file"
			;;
		esac 2>/dev/null || :
		printf '%s.\n' "$text"
	done
}

# samepaged itself starts without the capability.
if [ $# -eq 0 ]; then
	ask=$RUNTIME_DIRECTORY/ask answer=$RUNTIME_DIRECTORY/answer
	rm -f "$ask" "$answer"
	mkfifo "$ask" "$answer"
	read_ksm_stat <"$ask" >"$answer" &
	exec 8>"$ask" 9<"$answer"
	rm "$ask" "$answer"
	export SAMEPAGED_KSM_STAT='8 9'
fi

# --no-expose-wasm: else Node 20 and 22 warn at each start; 24 has no such option. --disable-sigusr1: never opens the debugger on
# SIGUSR1; Debian 13's Node has it not.
known=
for option in --no-expose-wasm --disable-sigusr1; do
	if $node "$option" --version >/dev/null 2>&1; then known="$known $option"; fi
done
# shellcheck disable=SC2086 # $node and $known may be several words.
exec setpriv --ambient-caps=-dac_read_search \
	$node --jitless --max-semi-space-size=1 --optimize-for-size --single-threaded-gc $known /usr/lib/samepaged/samepaged.js "$@"
