#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The AWS adapter against moto, a counterpart that others wrote, with its validations on; every
# request is held against botocore's service model and signer on the way. Plain, then with moto's
# own look at signatures and permissions: tests/integration/moto.sh BUILD
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
# shellcheck source=tests/support/aws_venv.sh
. tests/support/aws_venv.sh
scratch=$build/tmp/moto
program=$build/tests/conformance/test_cloud_moto
judge=
number=0
failed=0

if ! aws_venv "$build"; then
    printf 'skip moto: %s\n' "$missing"
    exit 0
fi

check() { # STATUS TEXT
    number=$((number + 1))
    [ "$1" -eq 0 ] || failed=1
    [ "$1" -eq 0 ] || printf 'not '
    printf 'ok %d - %s\n' "$number" "$2"
}

# The judge ends with its standard input.
end_judge() {
    [ -n "$judge" ] || return 0
    exec 9>&-
    wait "$judge" 2>/dev/null
    judge=
}
trap end_judge EXIT

start_judge() { # MODE
    rm -rf "$scratch"
    mkdir -p "$scratch"
    mkfifo "$scratch/in"
    "$python" tests/support/aws_judge.py "$1" "$scratch" <"$scratch/in" >"$scratch/log" 2>&1 &
    judge=$!
    exec 9>"$scratch/in"
    for _ in $(seq 240); do
        [ -f "$scratch/url" ] && return 0
        kill -0 "$judge" 2>/dev/null || return 1
        sleep 0.25
    done
    return 1
}

key_of() { # NAME FIELD
    awk -v name="$1" -v field="$2" '$1 == name { print $field }' "$scratch/keys"
}

# drive TEXT [VARIABLE=VALUE...]
drive() {
    local text=$1 status=0
    shift
    env MOTO_URL="$(cat "$scratch/url")" MOTO_KEY="$(key_of all 2)" MOTO_SECRET="$(key_of all 3)" \
        MOTO_AMI="$(cat "$scratch/ami")" "$@" "$program" >"$scratch/out" 2>&1 || status=$?
    [ "$status" -eq 0 ] || sed 's/^/# /' "$scratch/out" | tail -n 30
    check "$status" "$text: $(grep -c '^\[       OK \]' "$scratch/out") of its tests"
}

# verdict EXPECTED TEXT: what the judge found, a count before each line
verdict() {
    sort "$scratch/verdict" | uniq -c | sed 's/^ *//' >"$scratch/found"
    printf '%s' "$1" | diff - "$scratch/found" >"$scratch/diff"
    check $? "$2"
    sed 's/^/# /' "$scratch/diff"
}

# One test asks for a type that does not exist, another signs with a wrong secret, twice as it is
# told to renew: what the judge must find proves that it looks.
type='ec2 RunInstances: InstanceType is none of NNNN known values'

start_judge plain
check $? 'moto answers'
drive 'a life, a move between regions, spot, console'
sed -i 's/none of [0-9]* known/none of NNNN known/' "$scratch/verdict"
verdict "1 $type
" "$(wc -l <"$scratch/asked") requests are what botocore's model says, signed as botocore signs"
end_judge

start_judge signed
check $? 'moto answers, looking at signatures'
drive 'a life, a wrong secret, a user who may not' MOTO_KEY_OF_LOOKER="$(key_of look 2)" \
    MOTO_SECRET_OF_LOOKER="$(key_of look 3)"
sed -i 's/none of [0-9]* known/none of NNNN known/' "$scratch/verdict"
verdict "1 $type
2 sts: botocore signs it otherwise
" 'only the wrong secret is signed otherwise'
grep -rqE 'planted' "$scratch/out"
[ $? -eq 1 ]
check $? 'no secret in what was said'
end_judge
[ "$failed" -ne 0 ] || rm -rf "$scratch"
exit "$failed"
