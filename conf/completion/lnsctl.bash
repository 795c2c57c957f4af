# SPDX-License-Identifier: BSD-2-Clause
#
# Completion of lnsctl for bash. Commands and options are those of `lnsctl --help`; ids, users and lac
# sections are asked of a running lnsd, as far as the caller may.

# _lnsctl_values COLUMN WORDS...: a column of a list, by its title.
_lnsctl_values() {
	local title=$1
	shift
	"${_lnsctl[@]}" "$@" 2>/dev/null </dev/null |
		awk -v title="$title" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == title) n = i; next }
			n && $n != "-" { print $n }' | sort -u | head -n 500
}

# _lnsctl_option OPTION: what may stand behind it.
_lnsctl_option() {
	case $1 in
	--user) _lnsctl_values USER show sessions ;;
	--lac) _lnsctl_values LAC show lacs ;;
	--tunnel) _lnsctl_values ID show tunnels ;;
	--state) echo "queued opening waiting forking link network up ending established closing" ;;
	--sort)
		"${_lnsctl[@]}" "${_lnsctl_typed[@]}" --limit 1 2>/dev/null </dev/null | head -n 1 |
			tr 'A-Z ' 'a-z\n' | sed '/^$/d'
		;;
	esac
}

# _lnsctl_argument WORDS...: the argument of a command that is complete.
_lnsctl_argument() {
	case $* in
	*" tunnel") _lnsctl_values ID show tunnels ;;
	*" session") _lnsctl_values ID show sessions ;;
	*" lac") _lnsctl_values LAC show lacs ;;
	*" user" | why) _lnsctl_values USER show sessions ;;
	esac
}

# The words that begin like what is typed. Not by <(...), which needs /dev/fd.
_lnsctl_reply() {
	local found
	found=$(compgen -W "$1" -- "$2") && mapfile -t COMPREPLY <<<"$found"
}

_lnsctl_complete() {
	local current=${COMP_WORDS[COMP_CWORD]} help words word i takes
	local -a _lnsctl=("${COMP_WORDS[0]}") _lnsctl_typed=()

	help=$("${COMP_WORDS[0]}" --help 2>/dev/null) || return
	takes=$(sed -n 's/^ .*\(--[a-z-]*\) [A-Z].*/\1/p' <<<"$help")
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $word == -s ]] || grep -qxe "$word" <<<"$takes"; then
			if ((i + 1 == COMP_CWORD)); then
				[[ $word == -s || $word == --socket ]] && compopt -o default 2>/dev/null
				_lnsctl_reply "$(_lnsctl_option "$word")" "$current"
				return
			fi
			[[ $word == -s || $word == --socket ]] && _lnsctl+=(-s "${COMP_WORDS[i + 1]}")
			((i++))
		elif [[ $word == --watch ]]; then # a number may stand behind it
			[[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))
			[[ ${COMP_WORDS[i + 1]} =~ ^[0-9]+$ ]] && ((i++))
		elif [[ $word != -* ]]; then
			_lnsctl_typed+=("$word")
		fi
	done
	if [[ $current == -* ]]; then
		words=$(grep -oe '--[a-z-]*' <<<"$(sed -n '/^Options:/,$p' <<<"$help" | cut -c1-24)")
	else
		words=$(sed -n '/^Commands:/,/^$/s/^  \([a-z|]*\( [a-z|]*\)*\).*/\1/p' <<<"$help" |
			awk -v typed="${_lnsctl_typed[*]}" 'typed == "" { print $1; next }
				index($0 " ", typed " ") == 1 && length($0) > length(typed) {
					split(substr($0, length(typed) + 2), rest, " "); print rest[1] }' |
			sort -u)
		[[ $words ]] || words=$(_lnsctl_argument "${_lnsctl_typed[*]}")
	fi
	_lnsctl_reply "$words" "$current"
}

complete -F _lnsctl_complete lnsctl
