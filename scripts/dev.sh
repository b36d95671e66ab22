#!/usr/bin/env bash
# Serves with readable logs and sends to a mock provider, which ends together with it. What is in
# the environment or in .env wins, except for where the messages go.
#
# usage: dev.sh PROGRAM [flags of serve]
set -euo pipefail

program=$1
shift
lines=$(mktemp)
"$program" mock-provider --port 0 >"$lines" &
mock=$!
trap 'kill "$mock" 2>/dev/null || true; rm -f "$lines"' EXIT
trap : INT TERM # the program below stops by itself; then so do we

url=
while [ -z "$url" ]; do
    kill -0 "$mock" || exit 1
    url=$(sed -n 's/^mock provider listening on //p' "$lines")
    [ -n "$url" ] || sleep 0.05
done
echo "mock provider at $url"

export LOG_FORMAT=${LOG_FORMAT:-console} LOG_LEVEL=${LOG_LEVEL:-debug}
export AUTO_START=${AUTO_START:-true} PROCESSING_INTERVAL=${PROCESSING_INTERVAL:-0}
WEBHOOK_URL=$url "$program" serve "$@"
