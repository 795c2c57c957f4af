#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# build.sh STAGE OUT VERSION: makes OUT/lnsd_VERSION_ARCH.deb of what `make install` put into STAGE.
set -eu

stage=$(readlink -f "$1")
out=$(readlink -f "$2")
version=$3
here=$(dirname "$(readlink -f "$0")")
arch=$(dpkg --print-architecture)
top=$here/../..
# Dates of the last change, so that the same tree gives the same package.
: "${SOURCE_DATE_EPOCH:=$(git -C "$top" log -1 --format=%ct 2>/dev/null || date +%s)}"
export SOURCE_DATE_EPOCH
date=$(date -u -R -d "@$SOURCE_DATE_EPOCH")

# what a package has besides
doc=$stage/usr/share/doc/lnsd
install -d "$doc/examples" "$stage/DEBIAN"
install -m 644 "$top/LICENSE" "$doc/copyright"
install -m 644 "$top"/conf/examples/*.conf "$doc/examples"
for extra in "$top/conf/grafana-dashboard.json" "$top/conf/prometheus-alerts.yml"; do
	install -m 644 "$extra" "$doc/examples"
done
printf 'lnsd (%s) unstable; urgency=medium\n\n  * Built from the source tree.\n\n -- lnsd developers <lnsd@localhost>  %s\n' \
	"$version" "$date" | gzip -9n >"$doc/changelog.Debian.gz"
chmod 644 "$doc/changelog.Debian.gz"
find "$stage/usr/share/man" -type f ! -name '*.gz' -exec gzip -9nf {} +
strip --strip-unneeded "$stage/usr/sbin/lnsd" "$stage/usr/bin/lnsctl" "$stage/usr/lib/lnsd/lns.so"

# The plugin fits one version of pppd only.
ppp=$(dpkg-query -W -f '${source:Upstream-Version}' ppp-dev)

# dpkg-shlibdeps wants to be where a source package is.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/debian"
printf 'Source: lnsd\n\nPackage: lnsd\nArchitecture: any\n' >"$work/debian/control"
shlibs=$(cd "$work" && dpkg-shlibdeps -O -e"$stage/usr/sbin/lnsd" -e"$stage/usr/bin/lnsctl" |
	sed -n 's/^shlibs:Depends=//p')

sed -e '/^#/d' -e "s/@VERSION@/$version/" -e "s/@ARCH@/$arch/" -e "s/@SHLIBS@/$shlibs/" \
	-e "s/@PPP@/ppp (>= $ppp), ppp (<< $ppp+z)/" \
	-e "s/@SIZE@/$(du -k -s --exclude=DEBIAN "$stage" | cut -f1)/" \
	"$here/control.in" >"$stage/DEBIAN/control"
(cd "$stage" && find etc -type f -printf '/%p\n' | LC_ALL=C sort) >"$stage/DEBIAN/conffiles"
install -m 755 "$here/postinst" "$here/prerm" "$here/postrm" "$stage/DEBIAN"
(cd "$stage" && find . -type f ! -path './DEBIAN/*' -printf '%P\n' | LC_ALL=C sort | xargs md5sum) >"$stage/DEBIAN/md5sums"
chmod 644 "$stage/DEBIAN/md5sums" "$stage/DEBIAN/control" "$stage/DEBIAN/conffiles"
find "$stage" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

dpkg-deb --root-owner-group --build "$stage" "$out/lnsd_${version}_$arch.deb"
