#!/usr/bin/env bash
# Runs every check, also after one has found something, and fails if any did.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
go=${GO:-go}
status=0

check() {
	echo "$1"
	shift
	"$@" || status=1
}
formatted() {
	local files
	files=$("$go" tool -modfile=tools.mod gofumpt -l .) || return
	[ -z "$files" ] && return
	echo "These files are not formatted; run make fmt:"
	echo "$files"
	return 1
}

check "gofumpt" formatted
check "go vet" "$go" vet ./...
for module in internal/bench/*/; do # modules of their own, which ./... does not reach
	check "go vet, $module" "$go" vet -C "$module" ./...
done
check "staticcheck" "$go" tool -modfile=tools.mod staticcheck ./...
check "golangci-lint" "$go" tool -modfile=.ci/golangci-lint.mod golangci-lint run ./...
exit "$status"
