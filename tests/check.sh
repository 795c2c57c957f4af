#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# check.sh: `make check`. Runs every step, whatever became of the one before, and counts: each test of
# the unit and system tests, and each other step as one. What failed is told once more at the end, the last
# line is the sum; status 0 when nothing failed. What a step printed is in build-check/log/.
#
#   LNS_SECOND_KERNEL_RUN=FILE   runs the system tests once more, with this as LNS_KERNEL_RUN
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit

out=build-check
mkdir -p $out/log || exit
make=(make --no-print-directory -j "$(nproc)" WERROR=1)
passed=0 failed=0 number=0
steps=9
second=${LNS_SECOND_KERNEL_RUN:-}
[ -z "$second" ] || steps=10
export MAKEFLAGS=
failures=()

# Counts of one step from its log: Criterion's and pytest's last lines, otherwise the step itself.
count() {
	awk -v status="$2" '
		/Synthesis: Tested:/ {
			gsub(/\x1b\[[0-9;]*m/, "")
			for (i = 1; i < NF; i++) {
				if ($i == "Passing:") pass += $(i + 1)
				if ($i == "Failing:" || $i == "Crashing:") fail += $(i + 1)
			}
			counted = 1
		}
		/^=+ .*(passed|failed|error).* in [0-9.]+s/ {
			for (i = 2; i < NF; i++) {
				if ($i ~ /^passed/) pass += $(i - 1)
				if ($i ~ /^(failed|errors?)/) fail += $(i - 1)
			}
			counted = 1
		}
		END {
			if (!counted && status == 0) pass = 1
			if (status != 0 && !fail) fail = 1
			print pass + 0, fail + 0
		}' "$1"
}

# step live|quiet NAME COMMAND...: a line when it begins and one when it ends.
step() {
	local how=$1 name=$2 status start=$SECONDS log pass fail
	shift 2
	number=$((number + 1))
	log=$out/log/${name// /-}
	printf '[%d/%d] %s ...\n' $number $steps "$name"
	if [ "$how" = live ]; then
		"$@" 2>&1 | tee "$log"
		status=${PIPESTATUS[0]}
	else
		"$@" >"$log" 2>&1
		status=$?
	fi
	read -r pass fail < <(count "$log" "$status")
	passed=$((passed + pass))
	failed=$((failed + fail))
	if [ "$fail" = 0 ]; then
		printf '[%d/%d] %s: ok, %d passed, %d s\n' $number $steps "$name" "$pass" $((SECONDS - start))
	else
		failures+=("$name")
		[ "$how" = live ] || tail -n 60 "$log"
		printf '[%d/%d] %s: FAILED, %d passed, %d failed, %d s\n' \
			$number $steps "$name" "$pass" "$fail" $((SECONDS - start))
	fi
}

step live packages tests/deps.sh
step quiet 'build with gcc' "${make[@]}" O=$out CC=gcc all test-programs
step quiet 'build with clang' "${make[@]}" O=$out-clang CC=clang all test-programs
step quiet 'unit tests' "${make[@]}" -k O=$out CC=gcc unit
step quiet 'unit tests under ASan and UBSan' "${make[@]}" -k O=$out CC=gcc SAN=1 unit
step quiet replay "${make[@]}" -k O=$out CC=gcc replay
step quiet 'house rules can fail' tests/lint-selftest.sh
step quiet lint tests/lint.sh
step live 'system tests' "${make[@]}" O=$out CC=gcc system-tests
[ -z "$second" ] || step live 'system tests on a second kernel' \
	env LNS_KERNEL_RUN="$second" "${make[@]}" O=$out CC=gcc system-tests

# The lines in which pytest, Criterion, the sanitizers and compilers say what is wrong; not a page of anything.
told='^(E  |FAILED |ERROR )|^\[(FAIL|----)\]|^[^ ]+:[0-9]+:.*(error|warning):|(ERROR|runtime error):'
for name in "${failures[@]}"; do
	printf '\n%s:\n' "$name"
	grep -aE "$told" "$out/log/${name// /-}" | cut -c1-2000 | head -n 30
done
printf '\n%d s\n' $SECONDS
printf '%d passed, %d failed\n' $passed $failed
[ $failed = 0 ]
