#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# lint.sh [TREE]: the house rules that a program can check. Each finding is a line that says what is
# wrong and what to do; the last line counts them. tests/lint-selftest.sh sees every rule fail once.
set -u
cd "${1:-$(dirname "$(readlink -f "$0")")/..}" || exit

log=$(mktemp) || exit
trap 'rm -f "$log"' EXIT
find=(find . \( -name .git -o -name 'build*' -o -name __pycache__ \) -prune -o -type f -print)
mapfile -t files < <(git ls-files -co --exclude-standard 2>/dev/null | sed 's|^|./|')
[ ${#files[@]} -gt 0 ] || mapfile -t files < <("${find[@]}")
mapfile -t files < <(printf '%s\n' "${files[@]}" | sed 's|^\./||' | sort | while read -r file; do
	[ -f "$file" ] && printf '%s\n' "$file"
done)

# Prints those of the files whose name matches the extended regular expression $1.
named() { printf '%s\n' "${files[@]}" | grep -E "$1"; }
mapfile -t sources < <(named '\.[ch]$')
mapfile -t units < <(named '^(lns|radius|pppd-plugin)/.*\.c$')

found() { printf '%s\n' "$*" | tee -a "$log"; }

# format, which each version of clang-format sees a little differently: Debian 12's counts
version=$(clang-format --version | sed -n 's/.*version \([0-9]*\).*/\1/p')
[ "$version" = 14 ] || echo "lint: format is not checked: that takes clang-format 14, this is $version"
[ "$version" != 14 ] || [ ${#sources[@]} -eq 0 ] || clang-format --dry-run -Werror "${sources[@]}" 2>&1 |
	sed -n 's/^\([^ :]*\):.* error: code should be clang-formatted.*/format: \1: run make format/p' |
	sort -u | tee -a "$log"

# cppcheck, with the C library's list macros. Left to others: leaks to AddressSanitizer (what moves into
# a structure counts as leaked here), use before a value to the compilers (what a loop fills counts as
# empty), memory that runs out to the tests of it (an error that follows from it does not count); NULL is a
# pointer in POSIX, also among variable arguments. That of Debian 13 says when it has not tried all
# branches, and does not know __has_include.
queue=$(echo '#include <sys/queue.h>' | cc -E -x c - | sed -n 's/^# 1 "\(.*queue\.h\)".*/\1/p')
[ ${#units[@]} -eq 0 ] || cppcheck --quiet --std=c11 --language=c --inline-suppr -j "$(nproc)" \
	--enable=warning,portability,performance --suppress=memleak --suppress=memleakOnRealloc \
	--suppress=uninitvar --suppress=varFuncNullUB --suppress=nullPointerOutOfMemory \
	--suppress=normalCheckLevelMaxBranches --suppress=preprocessorErrorDirective:pppd-plugin/compat.h \
	--include="$queue" -I. -D_GNU_SOURCE -DJSON_INTEGER_FORMAT='"lld"' \
	--template='cppcheck: {file}:{line}: {message} [{id}]' --template-location='' \
	"${units[@]}" 2>&1 | grep -v '^$' | tee -a "$log"

# banned functions, and what to call instead
banned() {
	[ ${#sources[@]} -eq 0 ] || grep -nE "(^|[^[:alnum:]_.>])$1[[:space:]]*\(" "${sources[@]}" /dev/null |
		sed "s/^\([^:]*:[0-9]*\):.*/banned: \1: ${1#v?}: $2/" | tee -a "$log"
}
banned 'v?sprintf' 'no bound; call snprintf'
banned 'strcpy' 'no bound; call snprintf or memcpy with the size checked'
banned 'strcat' 'no bound; call snprintf'
banned 'strncpy' 'may leave out the end; call snprintf'
banned 'atoi' 'takes anything for 0; call strtoul and check'
banned 'strtok' 'keeps hidden state; call strsep or strtok_r'
banned 'system' 'runs a shell; use fork and execve'
banned 'popen' 'runs a shell; use fork and execve'
banned 'alloca' 'unbounded stack; call malloc'
banned 'gets' 'no bound; call fgets'

# the licence in every file that can hold a comment
named '' | grep -vE '^(LICENSE|\.gitignore|tests/replay/[^/]+/.*|tests/unit/.*\.txt|.*\.(md|json))$' | while read -r file; do
	head -n 5 "$file" | grep -q 'SPDX-License-Identifier: BSD-2-Clause' ||
		found "licence: $file: no SPDX-License-Identifier: BSD-2-Clause in the first five lines"
done

# the top level
named '' | cut -d/ -f1 | sort -u |
	grep -vE '^(lns|radius|pppd-plugin|conf|tests|Makefile|README\.md|LICENSE|\..*)$' | while read -r file; do
	found "top level: $file: does not belong there, see README.md"
done

# what should not be in a finished file; this line and its test spell the words apart
named '\.([chy]|py|sh)$|(^|/)Makefile$' | xargs -r grep -nE '\<(T[O]DO|F[I]XME|X[X]X)\>' /dev/null |
	sed 's/^\([^:]*:[0-9]*\):.*/unfinished: \1: finish it, or open an issue/' | tee -a "$log"

# scripts
named '(\.sh|^tests/vm/(run|enter|serve|init|init-root)|^\.ci/run)$' | while read -r file; do
	bash -n "$file" 2>&1 | sed 's/^/script: /' | tee -a "$log"
done
named '\.py$' | while read -r file; do
	/usr/bin/python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$file" 2>&1 |
		sed -n '$s|^|script: '"$file"': |p' | tee -a "$log"
done

count=$(wc -l <"$log")
echo "lint: ${#files[@]} files, $count findings"
[ "$count" -eq 0 ]
