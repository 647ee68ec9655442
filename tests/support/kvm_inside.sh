#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What tests/integration/kvm.sh runs where /dev/kvm is real: tests/support/kvm_inside.sh BUILD
set -u
export LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
cd "$(dirname "$0")/../.." || exit 1
build=$1
busybox hostname inside
busybox ifconfig lo up
chgrp 107 /dev/kvm && chmod 660 /dev/kvm # as udev does; any group but root's will do
# shellcheck source=tests/support/machines.sh
. tests/support/machines.sh kvm-inside
export GREENLAUNCH_BOOT_TIMEOUT=300
green=(--renewable-only=90% --min-grade D --region cellar --offline)
cat >"$scratch/config/greenlaunch/config.yaml" <<'END'
greenlaunch_config: 1
zone: IS
places: [{name: cellar, zone: IS}, {name: attic, zone: NO-NO2}]
END

on_kvm() { # TEXT
    said 'qemu/kvm' "$1: it ran on KVM"
}

# ---- launched ----

# Five seconds are enough for a first boot on KVM, but not where KVM is emulated itself.
export GREENLAUNCH_ACCEL=kvm
# shellcheck disable=SC2016 # for the guest
exits 7 'a first guest boots on KVM, and its exit status comes back' \
    greenlaunch run "${green[@]}" -d 5min -- sh -c 'echo hello from $((6 * 7)); exit 7'
said 'hello from 42' 'with what it printed'
on_kvm 'booted'
ls "$state"/local/golden/*.mig >/dev/null
check $? 'a snapshot is kept'
exits 0 'its receipt verifies' greenlaunch verify "$(ls "$state"/receipts/*.json)"

# ---- proved by a boot, and remembered ----

export GREENLAUNCH_ACCEL=probe
exits 0 'KVM is proved by a guest that answers' greenlaunch run "${green[@]}" -d 5min -- true
on_kvm 'proved'
grep -q '"works": *true' "$state/local/kvm.json"
check $? 'that is written down'
unset GREENLAUNCH_ACCEL
exits 0 'KVM is used without a word from then on' greenlaunch run "${green[@]}" -d 5min -- true
on_kvm 'remembered'
greenlaunch doctor --offline >"$scratch/out" 2>"$scratch/err"
said '^ok +kvm ' 'doctor knows'

# ---- moved while it works ----

# Its memory changes all the time, and is compared all the time.
# shellcheck disable=SC2016 # for the guest
greenlaunch run "${green[@]}" -d 10min --name busy -- sh -c '
    head -c 4000000 /dev/urandom >/tmp/a
    sum=$(sha256sum </tmp/a)
    for i in $(seq 60); do
        cp /tmp/a /tmp/b
        [ "$(sha256sum </tmp/b)" = "$sum" ] || exit 9
        echo round $i
        sleep 0.2
    done' >"$scratch/busy" 2>"$scratch/busy.err" </dev/null &
runner=$!
for _ in $(seq 600); do
    grep -q 'round 2' "$scratch/busy" && break
    sleep 0.5
done
exits 0 'a guest at work is moved' greenlaunch migrate busy --to attic --offline
said 'place attic' 'there'
exits 0 'and back' greenlaunch migrate busy --to cellar --offline
status=0
wait "$runner" || status=$?
check "$status" "its memory is what it was (exit $status)"
seq -f 'round %g' 60 | cmp -s - "$scratch/busy"
check $? 'no line of it is lost or doubled'
id=$(greenlaunch status --all --json --offline | sed -n 's/^ *"launch": "\(gl-[a-z0-9]*\)".*/\1/p' | head -n 1)
exits 0 'its receipt verifies' greenlaunch verify "$id"
said 'in attic, zone NO-NO2' 'and has both zones'
said 'stood still for [0-9]+ ms' 'and stood still for less than a second'
greenlaunch stop --all-mine --offline >/dev/null 2>&1

# ---- all that the other scripts know of pausing and moving, and every step of a move ----

export GREENLAUNCH_ACCEL=kvm
bash tests/integration/moves.sh "$build" || failed=1
mkdir -p "$scratch/run/tmp"
HOME=$scratch/run BUILD_DIR=$build GREENLAUNCH_TEST_RUN=$scratch/run TMPDIR=$scratch/run/tmp \
    XDG_STATE_HOME=$scratch/run/state XDG_CONFIG_HOME=$scratch/run/config GREENLAUNCH_TEST_TALK=yes \
    GREENLAUNCH_TEST_FILTER='test_live_move_*' "$build/tests/fault/test_local_moves" 2>&1 |
    sed -unE 's/^\[       OK \] (test_.*)/ok - every step: \1/p; s/^    (.* killed after .*)/# \1/p
        s/^\[  SKIPPED \] (test_[^ ]*)$/skip every step: \1/p
        s/^\[  FAILED  \] (test_[^ ]*)$/not ok - every step: \1/p; s/^\[  ERROR   \]|^.*: error: /# &/p'
[ "${PIPESTATUS[0]}" -eq 0 ] || failed=1
exit "$failed"
