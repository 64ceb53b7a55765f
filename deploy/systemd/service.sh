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

# A Node that has this option never opens its debugger on SIGUSR1; Debian 13's has it not.
safe=--disable-sigusr1
$node $safe --version >/dev/null 2>&1 || safe=
exec setpriv --ambient-caps=-dac_read_search \
	$node --jitless --no-expose-wasm --max-semi-space-size=1 --optimize-for-size $safe /usr/lib/samepaged/samepaged.js "$@"
