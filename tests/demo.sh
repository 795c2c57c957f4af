#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# demo.sh: `make demo`. Runs demo.py on a kernel with L2TP. With KEEP=1 everything stays up: on a
# terminal with a shell among the hosts, and for other terminals, where it is a VM, with a program
# build/demo-enter that runs a command in it.
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit
build=${LNS_BUILD:-$PWD/build}

if [ -n "${KEEP:-}" ]; then
	export LNS_VM_ENTER=$build/demo-enter LNS_VM_TIMEOUT=86400
	[ -t 0 ] && [ -t 1 ] && export LNS_VM_TTY=1
fi
exec tests/vm/run "LNS_BUILD=$(printf %q "$build") KEEP=${KEEP:+1} DEMO_SHELL=${LNS_VM_TTY:-} \
	/usr/bin/python3 -B -u tests/demo.py"
