#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Our requests to Hetzner judged by Prism with the vendor's OpenAPI specification:
# tests/integration/prism.sh BUILD. The specification is not in this tree: HCLOUD_SPEC names it
# (https://docs.hetzner.cloud/cloud.spec.json). Prism comes by npm into BUILD.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
work=$build/prism
. tests/support/checks.sh

skip() {
    printf 'skip prism: %s\n' "$1"
    exit 0
}

[ -n "${HCLOUD_SPEC:-}" ] || skip 'HCLOUD_SPEC does not name a specification of Hetzner'
[ -r "$HCLOUD_SPEC" ] || skip "cannot read $HCLOUD_SPEC"
command -v npm >/dev/null 2>&1 || skip 'npm is not installed'
mkdir -p "$work"
work=$(realpath "$work")
if [ ! -x "$work/node_modules/.bin/prism" ]; then
    (cd "$work" && timeout 300 npm install --no-audit --no-fund --silent @stoplight/prism-cli) \
        >"$work/npm.log" 2>&1 || skip "npm cannot install Prism, see $work/npm.log"
fi
port=$((20000 + $$ % 20000))
"$work/node_modules/.bin/prism" mock --errors -h 127.0.0.1 -p "$port" "$HCLOUD_SPEC" \
    >"$work/prism.log" 2>&1 &
prism=$!
trap 'kill "$prism" 2>/dev/null; wait "$prism" 2>/dev/null' EXIT
for _ in $(seq 1 60); do
    grep -q 'is listening' "$work/prism.log" && break
    kill -0 "$prism" 2>/dev/null || break
    sleep 1
done
grep -q 'is listening' "$work/prism.log" || skip "Prism does not start, see $work/prism.log"

GREENLAUNCH_PRISM_HETZNER=http://127.0.0.1:$port timeout 200 "$build/tests/conformance/test_prism" \
    >"$work/test.log" 2>&1
status=$?
[ "$status" -eq 0 ] || tail -n 20 "$work/test.log" | sed 's/^/# /'
[ "$status" -eq 0 ]
check $? 'the specification has nothing against our requests'
! grep -q 'VALIDATOR.*✖' "$work/prism.log"
check $? 'Prism found no violation'
exit "$failed"
