#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `make run` shows, with the network really cut: tests/integration/offline.sh BUILD
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
log=$build/tmp/offline.log
. tests/support/checks.sh

says() { # REGEX TEXT
    grep -qE "$1" "$log"
    check $? "$2"
}

# Root cuts the network only and stays root, others become root of their own namespace.
cut=(unshare -n)
[ "$(id -u)" -eq 0 ] || cut=(unshare -rn)
if ! "${cut[@]}" true 2>/dev/null; then
    printf 'skip this system does not let us make a network namespace\n'
    exit 0
fi
mkdir -p "$build/tmp"
demo=$build/demo # of tools/demo.sh
# Only the loopback device is there, and it is down.
[ "$("${cut[@]}" cat /proc/net/route 2>/dev/null | wc -l)" -le 1 ]
check $? 'the network is cut'

begun=$SECONDS
"${cut[@]}" timeout -k 5 200 tools/demo.sh "$build" >"$log" 2>&1 </dev/null
status=$?
[ "$status" -eq 0 ] || tail -n 40 "$log" | sed 's/^/# /'
check "$status" 'the whole of make run succeeds without a network'
printf '# it took %d s\n' $((SECONDS - begun))
says 'UNKNOWN' 'the strict default is unknown, not green'
says '^\(exit 8\)' 'with exit status 8'
says 'ALLOWED' 'yearly data allow when the user admits them'
says 'REFUSED' 'a refusal is shown'
says 'gCO2e' 'a footprint is shown'
says 'VERIFIED' 'the receipt verifies'
grep -vE '^(DEMO|$|== |\$ |\(exit |Linux |counted )' "$log" >"$log.rest"
[ ! -s "$log.rest" ] || head -n 5 "$log.rest" | sed 's/^/# unmarked: /'
[ ! -s "$log.rest" ]
check $? 'every line of ours is marked as a demonstration'
receipt=$(find "$demo" -path '*/receipts/*.json' 2>/dev/null | head -n 1)
grep -q '"demo":true' "$receipt" 2>/dev/null
check $? 'and so is the receipt'
rm -f "$log" "$log.rest"
exit "$failed"
