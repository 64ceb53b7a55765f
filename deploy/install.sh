#!/bin/sh
# Installs samepaged from a checkout in which npm has installed what it needs. See --help.
set -eu
umask 022
export LC_ALL=C

usage() {
	cat <<-END
	Usage: [DESTDIR=DIR] deploy/install.sh [OPTION]...
	Installs samepaged, its service, bus and polkit files, manual pages, completions,
	alerts and dashboards; where Cockpit is in /usr/share/cockpit, the page for it too.

	  --prefix=DIR      where it goes (/usr)
	  --bindir=DIR      for samepaged and samepagectl (PREFIX/bin)
	  --sbindir=DIR     for the command ksmtuned (PREFIX/sbin)
	  --unitdir=DIR     for samepaged.service and the units beside it (PREFIX/lib/systemd/system)
	  --zshdir=DIR      for the completion of zsh (PREFIX/share/zsh/site-functions)
	  --sharedir=DIR    for D-Bus and polkit, which look nowhere else (/usr/share)
	  --node=PATH       the Node that runs the programs (/usr/bin/env node)
	  --cockpit         the page for Cockpit in any case
	  --help            say so and end

	PREFIX/lib/samepaged/installed-files tells deploy/uninstall.sh what to remove.
	END
}

fail() {
	echo "install.sh: $1" >&2
	exit "${2:-1}"
}

prefix=/usr bindir='' sbindir='' unitdir='' zshdir='' ksmtuned='' cockpit='' sharedir=/usr/share node='/usr/bin/env node' DESTDIR=${DESTDIR:-}
case $DESTDIR in
'' | /*) ;;
*) fail "DESTDIR=$DESTDIR: expected an absolute path" 64 ;;
esac
for option; do
	case $option in
	--*=*[!A-Za-z0-9/._+-]*)
		fail "$option: expected only letters, digits and / . _ + - in a path that goes into the unit and the programs" 64
		;;
	--prefix=/* | --bindir=/* | --sbindir=/* | --unitdir=/* | --zshdir=/* | --sharedir=/* | --node=/*)
		name=${option%%=*}
		eval "${name#--}=\${option#*=}"
		;;
	--cockpit) cockpit=1 ;;
	--help) usage; exit ;;
	*) fail "$option: expected an option with an absolute path, see --help" 64 ;;
	esac
done
library=$prefix/lib/samepaged share=$prefix/share
bindir=${bindir:-$prefix/bin} sbindir=${sbindir:-$prefix/sbin} unitdir=${unitdir:-$prefix/lib/systemd/system} zshdir=${zshdir:-$share/zsh/site-functions}

cd "$(dirname "$0")/.."
list=$library/installed-files
# Of another system's Node nothing is known here.
if [ -z "$DESTDIR" ]; then
	version=$($node --version) || fail "$node cannot be run: expected Node"
	case $version in
	v20.19.* | v20.[2-9][0-9].* | v22.1[3-9].* | v22.[2-9][0-9].* | v2[4-9].* | v[3-9][0-9].*) ;;
	*) fail "$node is $version: expected 20.19, 22.13 or 24 and newer" ;;
	esac
fi
[ -d node_modules/esbuild ] || fail 'node_modules has no esbuild: run npm ci first'
if [ -e "$DESTDIR$library/samepaged.js" ] && ! [ -e "$DESTDIR$list" ]; then
	fail "$DESTDIR$library is there and not by install.sh: remove the package samepaged first"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
node deploy/bundle.js "$work"
for shell in bash zsh fish; do node "$work/samepagectl.js" completion "$shell" > "$work/$shell"; done
for program in samepaged samepagectl; do
	{ echo "#!$node"; sed 1d "$work/$program.js"; } > "$work/$program"
done
sed "s|^node=.*|node='$node'|; s|/usr/lib/samepaged|$library|g" deploy/systemd/service.sh > "$work/service"
units='samepaged.service samepaged-metrics.socket samepaged-textfile.service samepaged-textfile.timer'
for unit in $units; do
	sed "s|/usr/bin/samepage|$bindir/samepage|g; s|/usr/lib/samepaged|$library|g" "deploy/systemd/$unit" > "$work/$unit"
done
# Beside a ksmtuned.service of a package an alias of that name would hide it: "systemctl disable ksmtuned" would disable
# samepaged.
for directory in "$DESTDIR$prefix/lib/systemd/system" "$DESTDIR/usr/lib/systemd/system" "$DESTDIR/lib/systemd/system" "$DESTDIR$unitdir"; do
	if [ -e "$directory/ksmtuned.service" ]; then sed -i '/^Alias=ksmtuned.service$/d' "$work/samepaged.service"; fi
done
if [ -e "$DESTDIR$list" ]; then cp "$DESTDIR$list" "$work/list"; fi

# Makes a directory, and notes it and those above it that were not there.
directory() {
	if [ -d "$DESTDIR$1" ]; then return; fi
	directory "$(dirname "$1")"
	mkdir "$DESTDIR$1"
	echo "$1/" >> "$work/list"
}

# put FILE TARGET [MODE]
put() {
	directory "$(dirname "$2")"
	install -m "${3:-644}" "$1" "$DESTDIR$2"
	echo "$2" >> "$work/list"
}

mkdir -p "$DESTDIR/"
for program in samepaged samepagectl; do
	put "$work/$program" "$library/$program.js" 755
	directory "$bindir"
	ln -srfn "$DESTDIR$library/$program.js" "$DESTDIR$bindir/$program"
	echo "$bindir/$program" >> "$work/list"
done
put "$work/service" "$library/service" 755
# Not in the place of a ksmtuned that somebody else has installed.
command=$sbindir/ksmtuned
if ! [ -e "$DESTDIR$command" ] || { [ -e "$work/list" ] && grep -qxF "$command" "$work/list"; }; then
	put deploy/ksmtuned.sh "$command" 755
	ksmtuned=1
fi
put "$work/daemon.js" "$library/daemon.js"
# Their names change with what is in them.
rm -rf "$DESTDIR$library/chunks"
for chunk in "$work"/chunks/*.js; do put "$chunk" "$library/chunks/${chunk##*/}"; done
put "$work/package.json" "$library/package.json"
for unit in $units; do put "$work/$unit" "$unitdir/$unit"; done
put deploy/systemd/samepaged.sysusers.conf "$prefix/lib/sysusers.d/samepaged.conf"
put deploy/dbus/org.samepaged1.conf "$sharedir/dbus-1/system.d/org.samepaged1.conf"
put deploy/dbus/org.samepaged1.Manager.xml "$sharedir/dbus-1/interfaces/org.samepaged1.Manager.xml"
put deploy/polkit/org.samepaged1.policy "$sharedir/polkit-1/actions/org.samepaged1.policy"
put deploy/polkit/50-samepaged.rules "$sharedir/polkit-1/rules.d/50-samepaged.rules"
put "$work/bash" "$share/bash-completion/completions/samepagectl"
put "$work/zsh" "$zshdir/_samepagectl"
put "$work/fish" "$share/fish/vendor_completions.d/samepagectl.fish"
for page in deploy/man/*.[1-8]; do
	gzip -9nc "$page" > "$work/page"
	put "$work/page" "$share/man/man${page##*.}/${page##*/}.gz"
done
if [ -n "$ksmtuned" ]; then
	ln -sfn samepaged.8.gz "$DESTDIR$share/man/man8/ksmtuned.8.gz"
	echo "$share/man/man8/ksmtuned.8.gz" >> "$work/list"
fi
put "$work/copyright" "$share/doc/samepaged/copyright"
put fixtures/ksmtuned.conf "$share/doc/samepaged/examples/ksmtuned.conf"
for file in deploy/prometheus/*.yml; do put "$file" "$share/samepaged/prometheus/${file##*/}"; done
for file in deploy/prometheus/*.json; do put "$file" "$share/samepaged/grafana/${file##*/}"; done
for file in docs/runbooks/*.md; do put "$file" "$share/doc/samepaged/runbooks/${file##*/}"; done
sed "s|/usr/lib/samepaged|$library|g" deploy/apparmor/samepaged > "$work/apparmor"
put "$work/apparmor" "$share/apparmor/extra-profiles/samepaged"
put fixtures/schema/status.schema.json "$share/doc/samepaged/status.schema.json"
if [ -n "$cockpit" ] || [ -d "$DESTDIR/usr/share/cockpit" ]; then
	node deploy/cockpit/bundle.js "$work/cockpit"
	for file in "$work"/cockpit/samepaged/*; do put "$file" "$share/cockpit/samepaged/${file##*/}"; done
	put "$work/cockpit/copyright" "$share/doc/cockpit-samepaged/copyright"
	for file in deploy/cockpit/*.metainfo.xml; do put "$file" "$share/metainfo/${file##*/}"; done
fi
echo "$list" >> "$work/list"
sort -u "$work/list" > "$work/sorted"
install -m 644 "$work/sorted" "$DESTDIR$list"

if [ -n "$DESTDIR" ] || [ "$(id -u)" != 0 ]; then exit; fi
if [ -d /run/systemd/system ]; then
	systemd-sysusers "$prefix/lib/sysusers.d/samepaged.conf"
	systemctl daemon-reload
	systemctl reload dbus.service
fi
echo 'Now: systemctl disable --now ksmtuned ksm; systemctl enable --now samepaged'
