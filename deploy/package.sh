#!/bin/sh
# deploy/package.sh [DIRECTORY]: makes samepaged_VERSION_all.deb and cockpit-samepaged_VERSION_all.deb there (out). Needs
# node, npm's packages and dpkg-deb, no root; the same source gives the same bytes.
set -eu
umask 022
export LC_ALL=C

cd "$(dirname "$0")/.."
directory=${1:-out}
version=$(sed -n '1s/^samepaged (\(.*\)) .*/\1/p' deploy/debian/changelog)
wanted=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json | tr - '~')
if [ "$version" != "$wanted" ]; then
	echo "deploy/debian/changelog: expected an entry for $wanted, which package.json names, and found $version" >&2
	exit 1
fi
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
	SOURCE_DATE_EPOCH=$(date -d "$(sed -n 's/^ -- .*>  //p' deploy/debian/changelog | head -n 1)" +%s)
fi
export SOURCE_DATE_EPOCH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# build NAME: makes the package of what is in $work/NAME.
build() {
	root=$work/$1
	gzip -9nc deploy/debian/changelog > "$root/usr/share/doc/$1/changelog.gz"
	mkdir -p "$root/DEBIAN"
	# As dpkg-gencontrol counts: KiB, and one for whatever is not a file.
	size=$(find "$root/usr" -printf '%y %s\n' | awk '{ sum += $1 == "f" ? int(($2 + 1023) / 1024) : 1 } END { print sum }')
	{
		awk -v RS= -v name="$1" '$1 == "Package:" && $2 == name' deploy/debian/control
		sed -n '/^Section:/p; /^Priority:/p; /^Maintainer:/p; /^Homepage:/p' deploy/debian/control
	} | sed "s/^Package:.*/&\nVersion: $version\nInstalled-Size: $size/; s/(= VERSION)/(= $version)/" > "$root/DEBIAN/control"
	(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) > "$work/md5sums"
	install -m 644 "$work/md5sums" "$root/DEBIAN/"
	find "$root" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
	dpkg-deb --root-owner-group -Zxz --build "$root" "$directory/$1_${version}_all.deb"
}

mkdir -p "$directory"

root=$work/samepaged
DESTDIR=$root deploy/install.sh --zshdir=/usr/share/zsh/vendor-completions --node=/usr/bin/node --cockpit
page=$work/cockpit-samepaged/usr/share
mkdir -p "$page/doc"
for part in cockpit metainfo doc/cockpit-samepaged; do mv "$root/usr/share/$part" "$page/$part"; done
# dpkg knows what it has installed.
rm "$root/usr/lib/samepaged/installed-files"
gzip -9nc CHANGELOG.md > "$root/usr/share/doc/samepaged/CHANGELOG.md.gz"
install -D -m 644 deploy/debian/lintian-overrides "$root/usr/share/lintian/overrides/samepaged"
mkdir "$root/DEBIAN"
for script in postinst prerm postrm; do install -m 755 "deploy/debian/$script" "$root/DEBIAN/"; done
build samepaged
build cockpit-samepaged
