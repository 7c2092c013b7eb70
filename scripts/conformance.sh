#!/usr/bin/env bash
# What a client of Git can ask for, by the real git, through every door (HTTP and SSH, protocol versions 0, 1
# and 2). Prints what passed, by item and door. Arguments go to go test: -run 'Fetch/filters' runs one item.
set -euo pipefail
cd "$(dirname "$0")/.."

out=$(mktemp)
trap 'rm -f "$out"' EXIT
status=0
go test -count=1 -timeout 20m -v "$@" ./internal/conformance >"$out" 2>&1 || status=$?
grep -E '^ {8}--- (PASS|FAIL|SKIP)|^ {4}--- (FAIL|SKIP)' "$out" | sed -E 's/ +--- //' | sort -k2
if [ "$status" -ne 0 ]; then
  grep -vE '^\s*(=== (RUN|PAUSE|CONT|NAME)|--- (PASS|SKIP))' "$out" | tail -n 200
fi
tail -n 1 "$out"
exit "$status"
