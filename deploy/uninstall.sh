#!/bin/sh
# Removes what deploy/install.sh installed, and nothing else. See --help.
set -eu

usage() {
	cat <<-END
	Usage: [DESTDIR=DIR] deploy/uninstall.sh [--prefix=DIR]
	Stops samepaged and removes what deploy/install.sh has noted in PREFIX/lib/samepaged/installed-files (/usr).
	The user samepaged, /var/lib/samepaged and /etc/ksmtuned.conf stay.
	END
}

fail() {
	echo "uninstall.sh: $1" >&2
	exit "${2:-1}"
}

prefix=/usr DESTDIR=${DESTDIR:-}
for option; do
	case $option in
	--prefix=/*) prefix=${option#*=} ;;
	--help) usage; exit ;;
	*) fail "$option: expected --prefix with an absolute path, see --help" 64 ;;
	esac
done

list=$DESTDIR$prefix/lib/samepaged/installed-files
[ -r "$list" ] || fail "$list cannot be read: deploy/install.sh has installed nothing there"
systemd=
if [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; then systemd=1; fi

if [ -n "$systemd" ]; then systemctl disable --now samepaged.service samepaged-metrics.socket samepaged-textfile.timer; fi
# What is in a directory comes after it in the list. install.sh takes no path that xargs would split.
paths=$(sort -r "$list")
cd "$DESTDIR/"
echo "$paths" | sed -n 's|^/\(.*[^/]\)$|./\1|p' | xargs rm -f
echo "$paths" | sed -n 's|^/\(.*/\)$|./\1|p' | xargs rmdir 2>/dev/null || true
if [ -n "$systemd" ]; then systemctl daemon-reload; fi
