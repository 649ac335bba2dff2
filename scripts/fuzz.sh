#!/usr/bin/env bash
# fuzz.sh TIME PACKAGE... runs each fuzz target of the packages for that time.
# What makes one fail is kept in testdata/fuzz, as go test says.
set -euo pipefail
time=$1
shift

# For each package go test prints the names, then a line with the package.
list=$("${GO:-go}" test -list='^Fuzz' "$@" |
	awk '/^Fuzz/ { targets[++n] = $1 } /^ok/ { for (i = 1; i <= n; i++) print $2, targets[i]; n = 0 }')

status=0
while read -r package target; do
	[ -n "$target" ] || continue
	echo "fuzzing $package $target"
	"${GO:-go}" test -run='^$' -fuzz="^$target\$" -fuzztime="$time" "$package" </dev/null || status=1
done <<<"$list"
exit "$status"
