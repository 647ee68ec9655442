#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A plan with pauses carried out on a real machine: started in the first stretch, suspended at its
# end, resumed at the next, ended when its work is done; by the waiting command, and by the guard
# after that was killed. Hours pass by a clock that this script sets for greenlaunch alone:
# tests/integration/stretches.sh BUILD
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
root=$PWD
build=$(cd "${1:-build}" && pwd)
scratch=$build/tmp/stretches
rm -rf "$scratch"
mkdir -p "$scratch/config/greenlaunch"
export PATH=$build:$PATH HOME=$scratch XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/config
export CLOCK_SHIM=$scratch/ahead
number=0
failed=0
cat >"$scratch/config/greenlaunch/config.yaml" <<END_CONFIG
greenlaunch_config: 1
zone: DE
sources: [{file: $scratch/grid.csv}]
END_CONFIG
if ! "${CC:-cc}" -shared -fPIC -D_GNU_SOURCE -o "$scratch/clock_shim.so" \
    "$root/tests/support/clock_shim.c" 2>/dev/null; then
    printf 'skip there is no C compiler here to build the clock\n'
    exit 0
fi
# A sanitized build insists on standing first.
preload=$(ldd "$(command -v greenlaunch)" | sed -n 's/.*libasan[^ ]* => \([^ ]*\) .*/\1:/p')$scratch/clock_shim.so
base=$(($(date -u +%s) / 3600 * 3600))
ahead() { # SECONDS after the hour in which the script began
    printf '%d\n' $((base + $1 - $(date -u +%s))) >"$scratch/ahead.new"
    mv "$scratch/ahead.new" "$CLOCK_SHIM"
}
green() {
    LD_PRELOAD=$preload greenlaunch "$@"
}

check() { # STATUS TEXT
    number=$((number + 1))
    [ "$1" -eq 0 ] || failed=1
    [ "$1" -eq 0 ] || printf 'not '
    printf 'ok %d - %s\n' "$number" "$2"
}
exits() { # EXPECTED TEXT COMMAND...
    local expected=$1 text=$2 status=0
    shift 2
    "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
    [ "$status" -eq "$expected" ] || sed 's/^/# /' "$scratch/out" "$scratch/err" | tail -n 12
    [ "$status" -eq "$expected" ]
    check $? "$text (exit $status)"
}
said() { # REGEX TEXT: on either stream, lines joined
    local status=0
    cat "$scratch/out" "$scratch/err" | tr -s '\n ' ' ' | grep -qE "$1" || status=$?
    [ "$status" -eq 0 ] || sed 's/^/# /' "$scratch/out" "$scratch/err" | tail -n 12
    check "$status" "$2"
}
state_of() { # LAUNCH
    green status "$1" --json --offline 2>/dev/null | sed -n 's/^ *"state": "\([a-z]*\)".*/\1/p' |
        head -n 1
}
becomes() { # STATE TEXT: within a minute
    local now
    for _ in $(seq 60); do
        now=$(state_of "$id")
        [ "$now" = "$1" ] && break
        sleep 1
    done
    [ "$now" = "$1" ] || sed 's/^/# /' "$scratch/run.err" | tail -n 8
    [ "$now" = "$1" ]
    check $? "$2: $now"
}

# A hundred days of which the hour that runs now and the third after it are clean; all others not.
{
    printf 'from,until,zone,quantity,unit,value,evidence,boundary\n'
    for hour in $(seq 1 2400); do
        at=$((base - hour * 3600))
        case $(((2400 - hour) % 24)) in 0 | 3) grams=50 ;; *) grams=500 ;; esac
        printf '%(%Y-%m-%dT%H:00Z)T,%(%Y-%m-%dT%H:00Z)T,DE,carbon_intensity,gCO2e/kWh,%d,measured,lifecycle\n' \
            "$at" $((at + 3600)) $((grams + hour % 7))
    done | tac
} >"$scratch/grid.csv"
export TZ=UTC
begin() { # the waiting command in the background: its process in $waiting, the launch in $id
    # shellcheck disable=SC2016 # for the guest
    green wait --interruptible --no-rules -d 2h --finish-by 7h --offline --name "$1" -- \
        sh -c 'i=0; while :; do i=$((i+1)); echo $i; sleep 1; done' \
        >"$scratch/run.out" 2>"$scratch/run.err" </dev/null &
    waiting=$!
    id=
    for _ in $(seq 600); do
        id=$(sed -n 's/^.*started \(gl-[a-z0-9]*\) .*/\1/p' "$scratch/run.err" | head -n 1)
        [ -n "$id" ] && return 0
        kill -0 "$waiting" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

# ---- what cannot be carried out ----
ahead 60
exits 2 'without a deadline there is no plan' green run --interruptible --no-rules --offline -- true
said 'needs --finish-by' 'and it says so'
head -c 4096 /dev/zero >"$scratch/disk.raw"
printf 'QFI\373\0\0\0\3' | dd of="$scratch/disk.raw" conv=notrunc status=none
exits 2 'a disk cannot be suspended' green run --interruptible --no-rules --finish-by 7h --offline \
    --image "$scratch/disk.raw" -- true
said '(cannot be suspended)' 'and it says so before anything is started'
# shellcheck disable=SC2016 # for the inner shell
exits 6 'a launch whose first stretch is later' env LD_PRELOAD="$preload" \
    sh -c 'printf "%d\n" $(($(cat "$CLOCK_SHIM") + 3600)) >"$CLOCK_SHIM.x" &&
        CLOCK_SHIM=$CLOCK_SHIM.x greenlaunch run --interruptible --no-rules -d 1h --finish-by 7h \
            --offline -- true'
said 'greenlaunch wait .*--interruptible' 'names the command that waits'

# ---- the waiting command ----
ahead 60
if ! begin followed; then
    sed 's/^/# /' "$scratch/run.out" "$scratch/run.err" | tail -n 5
    if grep -qE 'cannot be suspended|GL5009' "$scratch/run.err"; then
        printf 'skip this machine cannot run machines that can be suspended\n'
        exit "$failed"
    fi
    check 1 'a command with pauses'
    exit 1
fi
exits 0 'a look at it alone' green guard --once --launch "$id" --offline
said 'in a stretch of its plan; as planned until' 'says until when it runs'
becomes running 'it runs in the first stretch'
ahead 3605
becomes paused 'and is suspended at its end'
said_at=$(tail -n 1 "$scratch/run.out")
sleep 3
[ "$(tail -n 1 "$scratch/run.out")" = "$said_at" ]
check $? "its command stands still at $said_at"
exits 0 'the guard leaves it so' green guard --once --offline
said 'stays: between two stretches of its plan' 'and says why'
ahead $((3 * 3600 + 5))
becomes running 'it is resumed at the next stretch'
for _ in $(seq 30); do
    [ "$(tail -n 1 "$scratch/run.out")" -gt "$said_at" ] && break
    sleep 1
done
[ "$(tail -n 1 "$scratch/run.out")" -gt "$said_at" ] &&
    [ "$(sort -n "$scratch/run.out" | uniq | wc -l)" -eq "$(wc -l <"$scratch/run.out")" ]
check $? 'its command goes on where it was, with nothing lost or said twice'

# ---- the waiting command killed ----
kill -9 "$waiting"
wait "$waiting" 2>/dev/null
ahead $((4 * 3600 + 1800))
exits 0 'without it the guard goes on' green guard --once --offline
said 'stopped: it has run for as long as it was to' 'and ends it when its work is done'
[ "$(state_of "$id")" = ended ]
check $? 'it has ended'
exits 0 'its receipt verifies' green verify "$id"
said 'stood still for' 'and tells of the pause'

ahead 60
begin killed
check $? 'another one'
becomes running 'it runs'
kill -9 "$waiting"
wait "$waiting" 2>/dev/null
ahead 3605
exits 0 'the guard pauses it' green guard --once --offline
said 'paused: between two stretches of its plan; as planned until' 'and says until when'
ahead $((3 * 3600 + 5))
exits 0 'and resumes it' green guard --once --offline
said 'resumed: in a stretch of its plan' 'when the next stretch begins'
exits 0 'it is stopped by hand' green stop "$id" --offline
exits 0 'its receipt verifies' green verify "$id"
exits 0 'the ledger holds' green ledger check
green stop --all-mine --offline >/dev/null 2>&1
[ "$failed" -eq 0 ]
