#!/usr/bin/env bash
# cover.sh PACKAGE... runs the tests and prints which share of the statements
# they reach, counting every package for every test. It leaves cover.out.
set -euo pipefail
"${GO:-go}" test -coverpkg=./... -coverprofile=cover.out "$@"

echo
echo "By package:"
# A line for each block: file:from,to statements hits. A block appears once for
# each package that was tested.
awk '
	NR > 1 {
		split($1, place, ":")
		package = place[1]
		sub(/\/[^\/]*$/, "", package)
		if (!($1 in statements)) {
			statements[$1] = $2
			all[package] += $2
		}
		if ($3 > 0 && !($1 in hit)) {
			hit[$1] = 1
			reached[package] += $2
		}
	}
	END { for (p in all) if (all[p]) printf "  %5.1f %%  %s\n", 100 * reached[p] / all[p], p }
' cover.out | sort -k 3

functions=$("${GO:-go}" tool cover -func=cover.out)
echo
echo "Least covered functions:"
grep -v '^total:' <<<"$functions" | awk '{ print $NF "\t" $1 "\t" $2 }' |
	sort -n | awk -F '\t' '$1 != "100.0%" && n++ < 25 { printf "  %6s  %s %s\n", $1, $2, $3 }'
echo
tail -n 1 <<<"$functions"
echo "In a browser: ${GO:-go} tool cover -html=cover.out"
