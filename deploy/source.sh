#!/bin/sh
# deploy/source.sh [--only-source] [DIRECTORY]: makes there (out) what deploy/rpm and deploy/arch build from: the files of the
# checkout that git knows, and node_modules as "npm ci" has made it. The same checkout gives the same bytes.
set -eu
umask 022
export LC_ALL=C

modules=1
if [ "${1:-}" = --only-source ]; then
	modules=
	shift
fi
cd "$(dirname "$0")/.."
directory=${1:-out}
name=samepaged-$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
date=$(sed -n 's/^ -- .*>  //p' deploy/debian/changelog | head -n 1)
mkdir -p "$directory"

# archive COMPRESS PREFIX: of the files that stdin names, without their owners and times.
archive() {
	tar --create --null --files-from=- --transform="s|^|$2|S" --sort=name --mtime="$date" --owner=0 --group=0 --numeric-owner \
		--mode=go=rX --use-compress-program="$1"
}

git ls-files -z --cached --others --exclude-standard | archive 'gzip -9n' "$name/" > "$directory/$name.tar.gz"
[ -n "$modules" ] || exit 0
printf 'node_modules\0' | archive 'zstd -q' '' > "$directory/$name-node_modules.tar.zst"
