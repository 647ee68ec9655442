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

# ---- a server that runs on while the ledger's owner writes to it ----

review='{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"1","operation":"CREATE",
"kind":{"group":"","version":"v1","kind":"Pod"},"namespace":"shop","name":"web","object":{"apiVersion":"v1",
"kind":"Pod","metadata":{"name":"web"},"spec":{"nodeSelector":{"topology.kubernetes.io/region":"eu-north-1",
"node.kubernetes.io/instance-type":"m7g.large"},"containers":[{"name":"c","image":"nginx","resources":
{"requests":{"cpu":"500m","memory":"256Mi"}}}]}}}}'

admits() { # ALLOWED TEXT
    curl -s -m 20 --noproxy '*' --cacert "$scratch/cert.pem" -H 'Content-Type: application/json' \
        -d "$review" "$url/admission" >"$scratch/out" 2>"$scratch/err"
    said "\"allowed\": *$1" "$2"
}

serve_read_only() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$scratch/key.pem" \
        -out "$scratch/cert.pem" -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null
    chmod 600 "$scratch/key.pem"
    greenlaunch --state "$scratch/seen" hook serve-admission --listen 127.0.0.1:0 --offline \
        --tls-cert "$scratch/cert.pem" --tls-key "$scratch/key.pem" --policy "$scratch/policy.yaml" \
        2>"$scratch/log" >/dev/null &
    server=$!
    for _ in $(seq 100); do
        url=$(sed -n 's/^listening on \(https:[^ ]*\): .*/\1/p' "$scratch/log")
        [ -z "$url" ] || return 0
        sleep 0.1
    done
    return 1
}

if command -v curl >/dev/null && command -v openssl >/dev/null &&
    ldconfig -p 2>/dev/null | grep -q 'libmicrohttpd\.so\.12'; then
    rm -rf "$scratch/disk/greenlaunch"
    greenlaunch budget set org '1 t per year' >/dev/null
    printf '%s\n' 'greenlaunch: 1' 'defaults: {min_grade: D}' \
        'rules: [{id: any, max_intensity: 3000 gCO2e/kWh}]' >"$scratch/policy.yaml"
    mkdir -p "$scratch/seen"
    mount --bind "$scratch/disk/greenlaunch" "$scratch/seen" && mount -o remount,ro,bind "$scratch/seen"
    serve_read_only
    check $? 'a server beside a ledger that it may only read'
    admits true 'what fits its budget is admitted'
    greenlaunch budget set org '0.001 g per year' >/dev/null
    admits false 'and is not once its owner has lowered that'
    greenlaunch budget set org '1 t per year' >/dev/null
    admits true 'and is again once it was raised'
    kill "$server"
    wait "$server"
    check $? 'the server ends'
    umount "$scratch/seen"
else
    printf 'skip a server beside a read-only ledger: no curl, openssl or libmicrohttpd here\n'
fi
rm -rf "$scratch"
exit "$failed"
