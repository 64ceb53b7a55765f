#!/bin/sh
# deploy/release.sh [--key=KEY] [DIRECTORY]: makes there (out) what a release of the commit that is checked out publishes: the
# packages, the source, a bill of materials (CycloneDX) for each package, and SHA256SUMS, with SHA256SUMS.asc by the key that
# gpg knows as KEY. Each package is built twice, in two clones at different paths, times, time zones and umasks, and must be the
# same bytes. Needs git, node, npm and its registry, dpkg-deb, and gpg for a key; no root.
set -eu
umask 022
export LC_ALL=C

fail() {
	echo "release.sh: $1" >&2
	exit "${2:-1}"
}

key='' directory=out
for word; do
	case $word in
	--key=?*) key=${word#--key=} ;;
	-*) fail "$word: expected --key=KEY or a directory" 64 ;;
	*) directory=$word ;;
	esac
done
mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
[ -z "$(ls -A "$directory")" ] || fail "$directory: expected an empty directory"

cd "$(dirname "$0")/.."
[ -z "$(git status --porcelain)" ] || fail 'the checkout has changes that are not committed'
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
[ "$(git tag --points-at HEAD --list "v$version")" ] || echo "release.sh: this commit has no tag v$version: a trial" >&2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# build CLONE: its packages, in CLONE/out.
build() {
	git clone --quiet . "$1"
	(cd "$1" && npm ci --no-audit --no-fund --loglevel=error >&2 && sh deploy/package.sh out >&2)
}
build "$work/samepaged"
(umask 077; TZ=Asia/Kathmandu build "$work/a second/checkout")

for package in "$work"/samepaged/out/*.deb; do
	file=${package##*/}
	cmp "$package" "$work/a second/checkout/out/$file" || fail "$file: the second build differs"
	cp "$package" "$directory/"
	name=${file%%_*}
	dpkg-deb --fsys-tarfile "$package" | tar -xO "./usr/share/doc/$name/copyright" > "$work/copyright"
	node deploy/sbom.js "$work/copyright" > "$directory/${name}_$version.cdx.json"
done
sh deploy/source.sh --only-source "$directory"

cd "$directory"
sha256sum ./* | sed 's|\./||' > "$work/SHA256SUMS"
mv "$work/SHA256SUMS" .
if [ "$key" ]; then
	gpg --local-user "$key" --armor --detach-sign --output SHA256SUMS.asc SHA256SUMS
	gpg --verify SHA256SUMS.asc SHA256SUMS
fi
ls -l >&2
