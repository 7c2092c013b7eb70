#!/usr/bin/env bash
# Half an hour of mixed work on one host (or as long as the first argument says: scripts/soak.sh 5m), and
# what it leaves: nothing may fail, nothing may grow, and refward fsck must find nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

length=${1:-30m}
echo "== a soak of $length"
REFWARD_SOAK=$length go test -count=1 -timeout 3h -run '^TestSoak$' -v ./internal/e2e
