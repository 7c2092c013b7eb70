#!/usr/bin/env bash
# The whole check: what lint.sh checks, then every test under the race detector. What a machine lacks
# is skipped with a sentence; REFWARD_TEST_REQUIRE=git,aws turns each such skip into a failure.
# Arguments go to go test: scripts/test.sh -short leaves out what kills hosts and sends gigabytes.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/lint.sh

# The race detector needs cgo, and with it a C compiler.
race=-race
if ! command -v "$(go env CC)" >/dev/null 2>&1; then
  echo "== no C compiler ($(go env CC)) is installed: the tests run without the race detector"
  race=
fi

# What conformance spends its time on is the clients' processes; under the race detector its hosts would be
# in their way, and every room of theirs is raced by its own tests.
echo "== go test $race ./... $* (internal/conformance after it, without the race detector)"
out=$(mktemp)
trap 'rm -f "$out"' EXIT
status=0
# -json would hide the runner's own lines; -v shows each skip and its reason.
# shellcheck disable=SC2046 # one word per package
go test $race -timeout 45m -v "$@" $(go list ./... | grep -v /internal/conformance$) >"$out" 2>&1 || status=$?
go test -timeout 45m -v "$@" ./internal/conformance >>"$out" 2>&1 || status=$?

# The race detector slows the two evaluators too much to ask them everything: once more without it.
if [ -n "$race" ]; then
  echo "== go test -v -run TestEvaluatorsAgree ./policy $*"
  go test -v -timeout 10m -run TestEvaluatorsAgree "$@" ./policy >>"$out" 2>&1 || status=$?
  grep -E 'pairs' "$out" | tail -n 1 || true
fi

# What went wrong, with its output; then what was skipped and why; then the runner's own summary.
if [ "$status" -ne 0 ]; then
  grep -vE '^\s*(=== (RUN|PAUSE|CONT|NAME)|--- (PASS|SKIP))' "$out" | tail -n 400 || true
fi
echo "== skipped"
grep -A1 -E '^ *--- SKIP' "$out" || echo "nothing"
echo "== packages"
grep -E '^(ok|FAIL|---|\?|panic)[[:space:]]' "$out" | grep -vE '^--- (PASS|SKIP)' || true
passed=$(grep -cE '^--- PASS' "$out" || true)
failed=$(grep -cE '^--- FAIL' "$out" || true)
skipped=$(grep -cE '^--- SKIP' "$out" || true)
echo "$passed passed, $failed failed, $skipped skipped"
exit "$status"
