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
node "$work/samepagectl.js" completion bash > "$work/samepagectl"
node "$work/samepagectl.js" completion zsh > "$work/_samepagectl"
node "$work/samepagectl.js" completion fish > "$work/samepagectl.fish"
sed -i "1s|.*|#!$node|" "$work/samepaged.js" "$work/samepagectl.js"
sed "s|^node=.*|node='$node'|; s|/usr/lib/samepaged|$library|g" deploy/systemd/service.sh > "$work/service"
mkdir "$work/units" "$work/apparmor"
cp deploy/systemd/samepaged.service deploy/systemd/samepaged-metrics.socket deploy/systemd/samepaged-textfile.* "$work/units"
cp deploy/apparmor/samepaged "$work/apparmor"
sed -i "s|/usr/bin/samepage|$bindir/samepage|g; s|/usr/lib/samepaged|$library|g" "$work"/units/* "$work/apparmor/samepaged"
# Beside a ksmtuned.service of a package an alias of that name would hide it: "systemctl disable ksmtuned" would disable
# samepaged.
for directory in "$DESTDIR$prefix/lib/systemd/system" "$DESTDIR/usr/lib/systemd/system" "$DESTDIR/lib/systemd/system" "$DESTDIR$unitdir"; do
	if [ -e "$directory/ksmtuned.service" ]; then sed -i '/^Alias=ksmtuned.service$/d' "$work/units/samepaged.service"; fi
done
if [ -e "$DESTDIR$list" ]; then cp "$DESTDIR$list" "$work/list"; fi

# Makes a directory, and notes it and those above it that were not there.
directory() {
	missing=$1
	while ! [ -d "$DESTDIR$missing/" ]; do
		echo "$missing/" >> "$work/list"
		missing=${missing%/*}
	done
	[ "$missing" = "$1" ] || mkdir -p "$DESTDIR$1"
}

# put MODE DIRECTORY FILE...: installs files under their own names.
put() {
	mode=$1 target=$2
	shift 2
	directory "$target"
	install -m "$mode" "$@" "$DESTDIR$target/"
	for file; do echo "$target/${file##*/}" >> "$work/list"; done
}

# put_as MODE TARGET FILE: installs a file under another name.
put_as() {
	directory "${2%/*}"
	install -m "$1" "$3" "$DESTDIR$2"
	echo "$2" >> "$work/list"
}

mkdir -p "$DESTDIR/"
put 755 "$library" "$work/samepaged.js" "$work/samepagectl.js" "$work/service"
directory "$bindir"
for program in samepaged samepagectl; do
	ln -srfn "$DESTDIR$library/$program.js" "$DESTDIR$bindir/$program"
	echo "$bindir/$program" >> "$work/list"
done
# Not in the place of a ksmtuned that somebody else has installed.
command=$sbindir/ksmtuned
if ! [ -e "$DESTDIR$command" ] || { [ -e "$work/list" ] && grep -qxF "$command" "$work/list"; }; then
	put_as 755 "$command" deploy/ksmtuned.sh
	ksmtuned=1
fi
put 644 "$library" "$work/daemon.js" "$work/package.json"
# Their names change with what is in them.
rm -rf "$DESTDIR$library/chunks"
put 644 "$library/chunks" "$work"/chunks/*.js
put 644 "$unitdir" "$work"/units/*
put_as 644 "$prefix/lib/sysusers.d/samepaged.conf" deploy/systemd/samepaged.sysusers.conf
put 644 "$sharedir/dbus-1/system.d" deploy/dbus/org.samepaged1.conf
put 644 "$sharedir/dbus-1/interfaces" deploy/dbus/org.samepaged1.Manager.xml
put 644 "$sharedir/polkit-1/actions" deploy/polkit/org.samepaged1.policy
put 644 "$sharedir/polkit-1/rules.d" deploy/polkit/50-samepaged.rules
put 644 "$share/bash-completion/completions" "$work/samepagectl"
put 644 "$zshdir" "$work/_samepagectl"
put 644 "$share/fish/vendor_completions.d" "$work/samepagectl.fish"
for page in deploy/man/*.[1-8]; do
	gzip -9nc "$page" > "$work/${page##*/}.gz"
	put 644 "$share/man/man${page##*.}" "$work/${page##*/}.gz"
done
if [ -n "$ksmtuned" ]; then
	ln -sfn samepaged.8.gz "$DESTDIR$share/man/man8/ksmtuned.8.gz"
	echo "$share/man/man8/ksmtuned.8.gz" >> "$work/list"
fi
put 644 "$share/doc/samepaged" "$work/copyright" fixtures/schema/status.schema.json
put 644 "$share/doc/samepaged/examples" fixtures/ksmtuned.conf
put 644 "$share/doc/samepaged/runbooks" docs/runbooks/*.md
put 644 "$share/samepaged/prometheus" deploy/prometheus/*.yml
put 644 "$share/samepaged/grafana" deploy/prometheus/*.json
put 644 "$share/apparmor/extra-profiles" "$work/apparmor/samepaged"
if [ -n "$cockpit" ] || [ -d "$DESTDIR/usr/share/cockpit" ]; then
	node deploy/cockpit/bundle.js "$work/cockpit"
	put 644 "$share/cockpit/samepaged" "$work"/cockpit/samepaged/*
	put 644 "$share/doc/cockpit-samepaged" "$work/cockpit/copyright"
	put 644 "$share/metainfo" deploy/cockpit/*.metainfo.xml
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
# doctor knows whether ksmtuned.service is another program's here, or an alias of samepaged.service.
echo 'Now: stop other tuners of KSM as "samepagectl doctor" says, then: systemctl enable --now samepaged'
