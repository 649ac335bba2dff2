#!/usr/bin/env bash
# Prints the directory of a PostgreSQL server's programs: that of the initdb in
# PATH, else Debian's newest. Fails if there is none.
set -euo pipefail

complete() {
	local program
	for program in initdb pg_ctl postgres psql; do
		[ -x "$1/$program" ] || return 1
	done
}

if initdb=$(command -v initdb); then
	dir=$(dirname "$(readlink -f "$initdb")")
	if complete "$dir"; then
		echo "$dir"
		exit
	fi
fi
while read -r dir; do
	if complete "$dir"; then
		echo "$dir"
		exit
	fi
done < <(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV)
exit 1
