#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# deps.sh: installs the Debian packages that building and testing need (Debian 12 and 13). Says nothing
# and takes no time when all of them are there.
set -u

packages="
	gcc clang libclang-rt-dev libc6-dev make pkgconf
	libev-dev libnl-3-dev libnl-genl-3-dev libnl-route-3-dev libradcli-dev nettle-dev libconfuse-dev
	libjansson-dev libsqlite3-dev libmicrohttpd-dev dpkg-dev ppp ppp-dev
	libcriterion-dev cppcheck clang-format
	python3 python3-pytest freeradius freeradius-utils xl2tpd tcpdump groff-base
	iproute2 iputils-ping procps kmod xz-utils cpio qemu-system-x86 systemd udev
"

say() { printf 'deps: %s\n' "$*" >&2; }

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	say "this is not Debian; install what corresponds to:" $packages
	exit 1
fi

missing=
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $packages 2>/dev/null |
	sed -n 's/^installed //p')
for package in $packages; do
	printf '%s\n' "$installed" | grep -qx "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	say "not root, and these packages are missing:$missing"
	say "run this as root, or: sudo apt-get install --no-install-recommends$missing"
	exit 1
fi

# A daemon that a package brings along must not start here: the tests run their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap 'rm -f $policy' EXIT
	trap 'exit 1' INT TERM HUP
	printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy
fi

export DEBIAN_FRONTEND=noninteractive
say "installing:$missing"
say "updating the package lists"
apt-get -q update >&2 || exit 1
apt-get -q -y --no-install-recommends -o Dpkg::Use-Pty=0 install $missing >&2 || {
	say "apt-get could not install them; see its message above"
	exit 1
}
say "done"
