#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Commands that only read, where nothing can be written: tests/integration/read_only.sh BUILD
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
if [ -z "${READ_ONLY_INSIDE:-}" ]; then
    if [ "$(id -u)" -ne 0 ] || ! unshare -m mount -t tmpfs -o size=1m tmpfs /mnt 2>/dev/null; then
        printf 'skip a read-only disk can be mounted by root only\n'
        exit 0
    fi
    READ_ONLY_INSIDE=1 exec unshare -m "$0" "$build"
fi
scratch=$build/tmp/read_only
rm -rf "$scratch"
mkdir -p "$scratch/disk"
. tests/support/checks.sh
export PATH=$build:$PATH HOME=$scratch/disk XDG_STATE_HOME=$scratch/disk XDG_CONFIG_HOME=$scratch/config

reads() { # WHERE COMMAND...: it succeeds, and says that it could only look
    local where=$1
    shift
    exits 0 "$where: $*" greenlaunch "$@" --offline
    said 'the ledger cannot be written' 'and says that it could only look'
}

every_reader() { # WHERE
    reads "$1" ledger check
    said '3 events, chain intact' 'and has checked it'
    reads "$1" ledger show
    reads "$1" ledger export
    reads "$1" status
    reads "$1" verify "$launch"
    said 'speaks of this very receipt' 'against the ledger'
    reads "$1" budget show
    reads "$1" guarantee list
    exits 1 "$1: what is to be written is refused" greenlaunch budget set org '2 kg per day'
    said 'GL1002' 'with its code'
}

greenlaunch meter --zone IS --offline -- true >"$scratch/out" 2>"$scratch/err" &&
    greenlaunch budget set org '1 kg per day' >/dev/null &&
    greenlaunch budget set org/ml '1 kg per day' >/dev/null
check $? 'a ledger is made'
launch=$(basename "$scratch"/disk/greenlaunch/receipts/meter-*.json .json)
mount --bind "$scratch/disk" "$scratch/disk" && mount -o remount,ro,bind "$scratch/disk"
check $? 'its disk is read-only'
every_reader 'read-only disk'
umount "$scratch/disk"
sed 's/"zone":"IS"/"zone":"ES"/g' "$scratch/disk/greenlaunch/ledger.db" >"$scratch/changed"
cat "$scratch/changed" >"$scratch/disk/greenlaunch/ledger.db"
mount --bind "$scratch/disk" "$scratch/disk" && mount -o remount,ro,bind "$scratch/disk"
exits 9 'a changed ledger is found out there too' greenlaunch ledger check
umount "$scratch/disk"

# ---- a folder that may not be looked into ----

as_nobody() { setpriv --reuid 65534 --clear-groups "$@"; }
plan=tests/cases/hook/budget/plan.json
if as_nobody cat "$plan" >/dev/null 2>&1 && as_nobody greenlaunch version >/dev/null 2>&1; then
    exits 0 'nothing limits a plan where there is no ledger' as_nobody greenlaunch \
        --state "$scratch/none" hook terraform "$plan" --at 2026-03-10T12:00:00Z
    mkdir -m 700 "$scratch/closed"
    exits 8 'what budgets there are is unknown in a folder that is closed' as_nobody greenlaunch \
        --state "$scratch/closed/state" hook terraform "$plan" --at 2026-03-10T12:00:00Z
else
    printf 'skip a closed folder: another user can run nothing here\n'
fi
rm -rf "$scratch"
exit "$failed"
