#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# lint-selftest.sh: breaks every rule of lint.sh in a tree made for it and sees it found, and sees
# nothing found in a tree without fault.
set -u
here=$(dirname "$(readlink -f "$0")")
tree=$(mktemp -d) || exit
log=$(mktemp) || exit
trap 'rm -rf "$tree" "$log"' EXIT
mkdir -p "$tree/lns" "$tree/tests"
cp "$here/../.clang-format" "$tree/"
spdx='/* SPDX-License-Identifier: BSD-2-Clause */'
failed=0

printf '%s\nint good(void)\n{\n\treturn 1;\n}\n' "$spdx" >"$tree/lns/good.c"
"$here/lint.sh" "$tree" >"$log" || { echo "lint-selftest: a good tree:"; cat "$log"; failed=1; }

# Writes text $3 to file $2 and expects a finding that begins with $1.
expect() {
	printf '%b' "$3" >"$tree/$2"
	if "$here/lint.sh" "$tree" >"$log" || ! grep -q "^$1" "$log"; then
		echo "lint-selftest: not found: $1"
		failed=1
	fi
	rm "$tree/$2"
}

clang-format --version | grep -q 'version 14\.' &&
	expect 'format: lns/a.c' lns/a.c "$spdx\nint  a ( void ) { return 1; }\n"
expect 'cppcheck: lns/a.c:6: ' lns/a.c "$spdx\nint a(void)\n{\n\tint b[2];\n\tb[0] = 1;\n\treturn b[2];\n}\n"
for name in sprintf vsprintf strcpy strcat strncpy atoi strtok system popen alloca gets; do
	expect "banned: lns/a.c:2: ${name#v}: " lns/a.c "$spdx\nint a = $name(1);\n"
done
expect 'licence: lns/a.c' lns/a.c 'int a;\n'
expect 'top level: notes' notes '# SPDX-License-Identifier: BSD-2-Clause\n'
expect 'unfinished: lns/a.c:2' lns/a.c "$spdx\n/* TO""DO */\n"
expect 'script: ' tests/a.sh '# SPDX-License-Identifier: BSD-2-Clause\nif\n'
expect 'script: tests/a.py' tests/a.py '# SPDX-License-Identifier: BSD-2-Clause\ndef\n'
[ $failed = 0 ] && echo "lint-selftest: every rule can fail"
exit $failed
