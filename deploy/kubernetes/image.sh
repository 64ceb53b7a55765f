#!/bin/sh
# deploy/kubernetes/image.sh [DIRECTORY]: makes samepaged_VERSION_ARCH.oci.tar there (out), an OCI image of Node and a bus from Debian 13
# and of samepaged, without a shell and a package manager. Needs root, mmdebstrap, node, npm's packages and dpkg-deb; no podman.
# ARCH and MIRROR are Debian's names (this machine's architecture, deb.debian.org).
set -eu
umask 022
export LC_ALL=C

cd "$(dirname "$0")/../.."
directory=${1:-out}
arch=${ARCH:-$(dpkg --print-architecture)}
case $arch in
amd64 | arm64 | ppc64le | s390x | riscv64) platform=$arch ;;
ppc64el) platform=ppc64le ;;
*) echo "image.sh: $arch: expected one of amd64, arm64, ppc64el, s390x, riscv64" >&2 && exit 64 ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sh deploy/package.sh "$work/packages" >/dev/null
package=$(echo "$work"/packages/samepaged_*.deb)
version=${package##*/samepaged_}
version=${version%_all.deb}
: "${SOURCE_DATE_EPOCH:=$(date -d "$(sed -n 's/^ -- .*>  //p' deploy/debian/changelog | head -n 1)" +%s)}"
created=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)

root=$work/root
# Unpacked, not installed: nothing in it is ever run here, so another architecture's is no trouble.
mmdebstrap --quiet --variant=extract --architectures="$arch" --include=base-files,base-passwd,libc-bin,nodejs,dbus-daemon \
	trixie "$root" ${MIRROR:+"$MIRROR"}
cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
dpkg-deb -x "$package" "$root"
install -D -m 644 deploy/kubernetes/bus.conf "$root/usr/share/samepaged/bus.conf"
# What apt and dpkg noted, documents, and programs that nobody calls in there. Copyrights stay.
rm -rf "$root"/var/lib/apt "$root"/var/lib/dpkg "$root"/var/cache "$root"/var/log "$root"/etc/apt "$root"/etc/cron* "$root"/etc/init.d \
	"$root"/usr/share/man "$root"/usr/share/locale "$root"/usr/share/info "$root"/usr/share/lintian "$root"/usr/lib/systemd \
	"$root"/usr/share/bash-completion "$root"/usr/share/zsh "$root"/usr/share/fish "$root"/usr/lib/*/gconv "${root:?}/dev"
find "$root/usr/share/doc" -type f ! -name copyright -delete
find "$root/usr/share/doc" -type d -empty -delete
find "$root"/usr/bin "$root"/usr/sbin ! -type d ! -name node ! -name nodejs ! -name dbus-daemon ! -name 'samepage*' -delete
mkdir -p "$root/dev" "$root/var/log"

# A layer, its configuration and a manifest, each named by its digest (OCI image specification 1.0).
layout=$work/layout blobs=$work/layout/blobs/sha256
mkdir -p "$blobs"
blob() { # FILE: moves it to where its digest says, and prints that
	digest=$(sha256sum "$1" | cut -d ' ' -f 1)
	mv "$1" "$blobs/$digest"
	echo "$digest"
}
descriptor() { # TYPE DIGEST
	printf '{"mediaType":"application/vnd.oci.image.%s","digest":"sha256:%s","size":%s' "$1" "$2" "$(stat -c %s "$blobs/$2")"
}
tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --format=gnu -C "$root" -cf "$work/layer" .
plain=$(sha256sum "$work/layer" | cut -d ' ' -f 1)
gzip -9n "$work/layer"
layer=$(blob "$work/layer.gz")
# Node compiles nothing at run time and keeps little memory, as in the service (deploy/systemd/service.sh).
cat >"$work/config" <<END
{"created":"$created","architecture":"$platform","os":"linux","config":{
"Entrypoint":["/usr/bin/node","--jitless","--no-expose-wasm","--max-semi-space-size=1","--optimize-for-size","--single-threaded-gc","/usr/lib/samepaged/samepaged.js"],
"Env":["PATH=/usr/bin","LANG=C.UTF-8"],
"Labels":{"org.opencontainers.image.title":"samepaged","org.opencontainers.image.version":"$version","org.opencontainers.image.licenses":"MIT"}},
"rootfs":{"type":"layers","diff_ids":["sha256:$plain"]}}
END
config=$(blob "$work/config")
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s},"layers":[%s}]}' \
	"$(descriptor config.v1+json "$config")" "$(descriptor layer.v1.tar+gzip "$layer")" >"$work/manifest"
manifest=$(blob "$work/manifest")
printf '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
printf '{"schemaVersion":2,"manifests":[%s,"annotations":{"org.opencontainers.image.ref.name":"samepaged:%s"}}]}' \
	"$(descriptor manifest.v1+json "$manifest")" "$version" >"$layout/index.json"
mkdir -p "$directory"
image=$directory/samepaged_${version}_$arch.oci.tar
tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --format=gnu -C "$layout" -cf "$image" .
echo "$image: samepaged:$version, $(du -sm "$root" | cut -f 1) MB unpacked"
