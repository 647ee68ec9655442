#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a metered command leaves behind when nobody could write its receipt, and that the next look
# makes it: a full disk (as root), the broker killed, all killed: tests/integration/metered_left.sh BUILD
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
# A small disk of its own, gone with the mount namespace.
if [ -z "${METERED_LEFT_INSIDE:-}" ] && [ "$(id -u)" -eq 0 ] &&
    unshare -m mount -t tmpfs -o size=1m tmpfs /mnt 2>/dev/null; then
    METERED_LEFT_INSIDE=disk exec unshare -m "$0" "$build"
fi
scratch=$build/tmp/metered_left.$$
mkdir -p "$scratch/disk"
trap 'umount "$scratch/disk" 2>/dev/null; rm -rf "$scratch"' EXIT
disk=$scratch/disk
[ -z "${METERED_LEFT_INSIDE:-}" ] || mount -t tmpfs -o size=16m,mode=755 tmpfs "$disk" || exit 1
export PATH=$build:$PATH HOME=$disk XDG_STATE_HOME=$disk/state XDG_CONFIG_HOME=$disk/config
state=$XDG_STATE_HOME/greenlaunch
. tests/support/checks.sh

left() { # how many runs have no receipt yet
    find "$state/meter" -name 'meter-*.run' | wc -l
}

newest_receipt() {
    find "$state/receipts" -name 'meter-*.json' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2
}

verifies() { # TEXT
    exits 0 "$1" greenlaunch verify "$(newest_receipt)" --key "$state/broker.pub"
}

cleaned() { # TEXT
    [ "$(find "$state/meter" "$state/tokens" -type f | wc -l)" -eq 0 ]
    check $? "$1"
}

# ---- a full disk ----

if [ -n "${METERED_LEFT_INSIDE:-}" ]; then
    # shellcheck disable=SC2016 # $0 is that of the metered shell
    exits 1 'a disk that fills up while the command runs keeps no receipt' \
        greenlaunch meter --zone IS --offline -- sh -c \
        'sleep 1; dd if=/dev/zero of="$0/fill" bs=64k 2>/dev/null
         dd if=/dev/zero of="$0/rest" bs=1 count=4096 2>/dev/null; exit 3' "$disk"
    said 'GL1003.*the readings stay in .*/meter/meter-[0-9a-f]{8}' 'and says where the readings are'
    said 'greenlaunch status makes it' 'and what makes the receipt of them'
    exits 0 'status needs no space' greenlaunch status --offline
    said 'warning: meter-[0-9a-f]{8} has no receipt yet' 'and names what is left'
    exits 0 'as a warning in JSON, too' greenlaunch status --offline --json
    said '"message": "meter-[0-9a-f]{8} has no receipt yet' 'with the same words'
    exits 1 'nothing more is metered before there is space' \
        greenlaunch meter --zone IS --offline -- touch "$disk/begun"
    [ ! -e "$disk/begun" ] && [ "$(left)" -eq 1 ]
    check $? 'and nothing of it is left'
    rm -f "$disk/fill" "$disk/rest"
    exits 0 'with space again status writes it' greenlaunch status --offline
    said 'had no receipt yet; it is written: .*/receipts/meter-[0-9a-f]{8}.json' 'and says so'
    verifies 'it verifies'
    exits 0 'the ledger has it' greenlaunch ledger show --json
    said '"exit_status": 3' 'with the exit status of the command'
    cleaned 'and nothing is left'
    exits 0 'once' greenlaunch status --offline
    ! grep -q 'no receipt yet' "$scratch/err"
    check $? 'no second time'
else
    printf 'skip a small disk can be mounted by root only\n'
fi

# ---- the broker is killed ----

meter_of() { # the process id of the meter of the only run that is left
    sed -n '2s/.*"pid":\([0-9]*\).*/\1/p' "$state"/meter/meter-*.run
}

start() { # SECONDS
    greenlaunch meter --zone IS --offline -- sleep "$1" >"$scratch/started" 2>&1 </dev/null &
    broker=$!
    disown "$broker" # its end is no news
    for _ in $(seq 100); do
        [ -n "$(meter_of 2>/dev/null)" ] && break
        sleep 0.1
    done
    meter=$(meter_of)
}

start 4
sleep 1
kill -9 "$broker"
exits 0 'the broker is killed while the command runs on' greenlaunch status --offline
[ "$(left)" -eq 1 ] && kill -0 "$meter"
check $? 'what runs is left alone'
while kill -0 "$meter" 2>/dev/null; do
    sleep 0.2
done
exits 0 'another command is metered when it has ended' \
    greenlaunch meter --zone IS --offline -- true
said 'had no receipt yet; it is written' 'and closes it on the way'
cleaned 'nothing is left'
last=$(grep -ohE 'it is written: [^ ]*' <(tr -d '\n' <"$scratch/err") | head -n 1)
[ -n "$last" ]
check $? 'its receipt is named'
exits 0 'the ledger has both' greenlaunch ledger check

# ---- all of it is killed ----

start 30
sleep 2
command=$(pgrep -P "$meter")
kill -9 "$broker" "$meter" "$command"
exits 0 'the meter is killed with it' greenlaunch status --offline
said 'had no receipt yet; it is written' 'and what it had written becomes a receipt'
verifies 'which verifies'
! grep -q '"operational_ug":null' "$(newest_receipt)"
check $? 'knows its carbon'
grep -q '"exit_status":-1' "$(newest_receipt)"
check $? 'and does not pretend to know how the command ended'
cleaned 'and nothing is left'

# ---- the meter alone is killed ----

seconds=$((100000 + $$)) # no other sleep is as long
# shellcheck disable=SC2016 # $0 is that of the metered shell
sh -c 'sleep "$1" & exec greenlaunch meter --zone IS --offline -- sh -c "$2" "$0"' "$seconds" \
    $((seconds + 1)) '(setsid sleep "$0" &); sleep "$0" & sleep "$0"' \
    >"$scratch/out" 2>"$scratch/err" </dev/null &
broker=$!
for _ in $(seq 100); do
    [ "$(pgrep -fc "^sleep $seconds")" -eq 3 ] && break
    sleep 0.1
done
meter=$(meter_of)
kill -9 "$meter"
wait "$broker"
check $(($? == 137 ? 0 : 1)) 'a killed meter ends what it metered'
! pgrep -f "^sleep $seconds" >/dev/null
check $? 'all of it'
pkill -f "^sleep $((seconds + 1))"
check $? 'and nothing that stood beside it'
verifies 'and its receipt verifies'
cleaned 'nothing is left'

# ---- what cannot be used ----

mkdir -p "$state/meter"
printf 'no run\n' >"$state/meter/meter-00000000.run"
exits 0 'a run that cannot be read does not keep status from its work' greenlaunch status --offline
said 'meter-00000000 has no receipt yet: .*meter-00000000.run.unreadable' 'and is named'
exits 0 'status goes on' greenlaunch status --offline
! grep -q meter-00000000 "$scratch/err"
check $? 'and says it once'
exits 0 'the chain of the ledger is intact' greenlaunch ledger check
exit "$failed"
