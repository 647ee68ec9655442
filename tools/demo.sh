#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The main job, really done: offers, a refusal, a VM that runs a command, its meter, its receipt.
# Usage: tools/demo.sh BUILD. State stays below BUILD. Where no zone is configured, --demo stands
# in an example zone and marks every line.
set -eu

build=$(cd "$1" && pwd)
PATH=$build:$PATH
export PATH
state=$build/demo
rm -rf "$state"

step() {
    printf '\n\033[1m== %s\033[0m\n' "$1" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi
    shift
    printf '$ greenlaunch'
    for word in "$@"; do
        case $word in
        --state=*|--demo) ;;
        *[!A-Za-z0-9_./:=%-]*) printf " '%s'" "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
}

# run EXPECTED_EXIT TITLE ARGUMENT...
run() {
    expected=$1 title=$2
    shift 2
    step "$title" "$@"
    status=0
    greenlaunch --demo --state="$state" "$@" || status=$?
    printf '(exit %s)\n' "$status"
    if [ "$status" -ne "$expected" ]; then
        echo "make run: expected exit $expected" >&2
        exit 1
    fi
}

run 0 'What is at hand, and where this machine stands'
run 8 'The strict default: hourly evidence, grade C or better. Yearly averages do not prove it' \
    offers --offline --renewable-only --limit 3
run 0 'With --min-grade D: yearly averages, plainly grade D, may count' \
    offers --renewable-only --min-grade D --by-region
run 3 'A refusal: where the grid is not renewable enough, nothing is started' \
    launch --renewable-only --min-grade D --zone PL
# shellcheck disable=SC2016 # $n belongs to the shell inside the instance
run 0 'The main job: launch, run a command inside, meter it, stop, prove what it cost' \
    run --renewable-only --min-grade D --duration 5min -- \
    sh -c 'uname -sr; n=0; until [ $n -eq 60000 ]; do : $((n += 1)); done; echo counted to $n; sleep 2'
receipt=$(ls "$state"/receipts/*.json)
run 0 'Verify the receipt: needs only the file and the public key' \
    verify "$receipt" --key "$state/broker.pub"
run 0 'The ledger: append-only, hash-chained' ledger check
run 0 'Nothing is left running' status
