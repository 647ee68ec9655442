#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Real instances on a state folder whose disk is full: tests/integration/full_disk.sh BUILD
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
# A small disk of its own, gone with the mount namespace.
if [ -z "${FULL_DISK_INSIDE:-}" ]; then
    if [ "$(id -u)" -ne 0 ] || ! unshare -m mount -t tmpfs -o size=1m tmpfs /mnt 2>/dev/null; then
        printf 'skip a small disk can be mounted by root only\n'
        exit 0
    fi
    FULL_DISK_INSIDE=1 exec unshare -m "$0" "$build"
fi
disk=$build/tmp/full_disk
rm -rf "$disk"
mkdir -p "$disk"
mount -t tmpfs -o size=96m,mode=755 tmpfs "$disk" || exit 1
export PATH=$build:$PATH HOME=$disk XDG_STATE_HOME=$disk/state XDG_CONFIG_HOME=$disk/config
out=$build/tmp/full_disk.out
. tests/support/checks.sh
green=(--renewable-only --min-grade D --zone IS --offline)

exits() { # EXPECTED TEXT COMMAND...: both streams into $out
    local expected=$1 text=$2 status=0
    shift 2
    "$@" >"$out" 2>&1 </dev/null || status=$?
    [ "$status" -eq "$expected" ] || sed 's/^/# /' "$out" | tail -n 8
    [ "$status" -eq "$expected" ]
    check $? "$text (exit $status)"
}

said() { # REGEX TEXT: whatever the lines are wrapped at
    local status=0
    tr -s ' \n' ' ' <"$out" | grep -qE "$1" || status=$?
    [ "$status" -eq 0 ] || sed 's/^/# /' "$out" | tail -n 8
    check "$status" "$2"
}

fill() {
    dd if=/dev/zero of="$disk/fill" bs=64k 2>/dev/null
    dd if=/dev/zero of="$disk/rest" bs=1 count=4096 2>/dev/null
    [ "$(df --output=avail "$disk" | tail -n 1)" -eq 0 ]
    check $? 'the disk is full'
}

if ! greenlaunch launch "${green[@]}" -d 5min --name one >"$out" 2>&1; then
    if grep -q GL5009 "$out"; then
        printf 'skip this machine can run neither virtual machines nor processes of their own\n'
        exit 0
    fi
    sed 's/^/# /' "$out" | tail -n 8
    check 1 'a first instance starts'
    exit 1
fi
check 0 'a first instance starts'
exits 0 'a second one starts' greenlaunch launch "${green[@]}" -d 5min --name two
exits 0 'and one that ends by itself' greenlaunch launch "${green[@]}" -d 15s --name brief
fill
exits 1 'nothing is launched on a full disk' greenlaunch launch "${green[@]}" -d 2min
said "GL1003.*$disk" 'and the message names the path'
[ "$(grep -c 'error GL' "$out")" -eq 1 ]
check $? 'once'
exits 0 'status needs no space' greenlaunch status
[ "$(grep -c '^gl-.* running ' "$out")" -eq 3 ]
check $? 'what runs is shown'
exits 1 'stop says that it could not write it down' greenlaunch stop one
said 'is stopped, but the ledger could not be written: free space and run .greenlaunch status' \
    'and that it is stopped'
for _ in $(seq 60); do
    greenlaunch status --width 120 >"$out" 2>&1
    [ "$(grep -c 'ended, unwritten' "$out")" -eq 2 ] && break
    sleep 1
done
exits 0 'status still needs no space' greenlaunch status --width 120
[ "$(grep -c 'ended, unwritten' "$out")" -eq 2 ] && [ "$(grep -c ' running ' "$out")" -eq 1 ]
check $? 'what has ended is not shown as running'
exits 1 'stop --all-mine stops all the same' greenlaunch stop --all-mine --json
if command -v jq >/dev/null; then
    jq -e '.data.failed == 0 and ([.data.receipts[].result] | unique) == ["unwritten"]' "$out" \
        >/dev/null
    check $? 'and says of each what became of it'
fi
rm -f "$disk/fill" "$disk/rest"
exits 0 'with space again status writes the receipts' greenlaunch status --all
[ "$(grep -c '^gl-.* ended ' "$out")" -eq 3 ] && ! grep -q unwritten "$out"
check $? 'of all three'
for receipt in "$XDG_STATE_HOME"/greenlaunch/receipts/*.json; do
    exits 0 'which verifies' \
        greenlaunch verify "$receipt" --key "$XDG_STATE_HOME/greenlaunch/broker.pub"
done
exits 0 'the chain of the ledger is intact' greenlaunch ledger check
rm -f "$out"
exit "$failed"
