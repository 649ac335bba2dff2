#!/usr/bin/env bash
# fuzz.sh TIME PACKAGE... runs each fuzz target of the packages for that time.
# What makes one fail is kept in testdata/fuzz, as go test says.
set -euo pipefail
time=$1
shift

status=0
count=0
while read -r package target; do
	count=$((count + 1))
	echo "fuzzing $package $target"
	"${GO:-go}" test -run='^$' -fuzz="^$target\$" -fuzztime="$time" "$package" || status=1
done < <("${GO:-go}" test -list='^Fuzz' "$@" |
	awk '/^Fuzz/ { targets[++n] = $1 } /^ok/ { for (i = 1; i <= n; i++) print $2, targets[i]; n = 0 }')
echo "fuzz targets: $count"
exit "$status"
