#!/usr/bin/env bash
# bench.sh [FLAG...] PACKAGE... runs benchmarks, keeps what they print in
# bench.txt (for benchstat), and closes with a table of the metrics that they
# report of their own accord, such as "1.05 x/hand".
set -euo pipefail
"${GO:-go}" test -run='^$' -benchmem -timeout=2h "$@" | tee bench.txt
echo
awk '
	/^pkg: / { package = $2 }
	/^Benchmark/ && $2 ~ /^[0-9]+$/ {
		name = $1
		sub(/^Benchmark/, "", name)
		sub(/-[0-9]+$/, "", name)
		own = ""
		time = ""
		for (i = 3; i < NF; i += 2) {
			unit = $(i + 1)
			if (unit == "ns/op") time = human($i)
			else if (unit != "B/op" && unit != "allocs/op" && unit != "MB/s")
				own = own (own == "" ? "" : ", ") $i " " unit
		}
		if (own == "") next
		if (package != printed) {
			if (printed != "") print ""
			print package
			printed = package
		}
		printf "  %-48s %12s   %s\n", name, time, own
	}
	END { if (printed == "") print "No benchmark reported a metric of its own." }
	function human(ns) {
		if (ns >= 1e9) return sprintf("%.2f s", ns / 1e9)
		if (ns >= 1e6) return sprintf("%.2f ms", ns / 1e6)
		if (ns >= 1e3) return sprintf("%.2f µs", ns / 1e3)
		return sprintf("%.1f ns", ns)
	}
' bench.txt
