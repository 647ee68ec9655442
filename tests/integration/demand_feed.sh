#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Twenty-four organisations, each with a ledger of its own, are refused on three days, let their demand go
# by consent, and one merges it: tests/integration/demand_feed.sh BUILD. Every document is held
# against docs/demand.schema.json by jsonschema, which comes by pip into BUILD.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
# shellcheck source=tests/support/checks.sh
. tests/support/checks.sh
root=$PWD
scratch=$build/tmp/demand-feed.$$
venv=$build/venv-feed
planted=(project-nightingale build-7.corp.example 210987654321 mallory 203.0.113.77 0.4711)
export PATH=$build:$PATH HOME=$scratch/home GREENLAUNCH_INPUT=off
export USER=mallory HOSTNAME=build-7.corp.example AWS_ACCOUNT_ID=210987654321 SSH_CLIENT=203.0.113.77

# shellcheck disable=SC2317 # called by the trap
clean() {
    [ "$failed" -ne 0 ] || rm -rf "$scratch"
}
trap clean EXIT
mkdir -p "$scratch/home" "$scratch/own"
if ! "${CC:-cc}" -shared -fPIC -D_GNU_SOURCE -o "$scratch/clock_shim.so" \
    tests/support/clock_shim.c 2>/dev/null; then
    printf 'skip demand feed: no C compiler for the clock\n'
    exit 0
fi
preload=$(ldd "$(command -v greenlaunch)" | sed -n 's/.*libasan[^ ]* => \([^ ]*\) .*/\1:/p')$scratch/clock_shim.so

on_day() { # DAY COMMAND...: days from now
    local day=$1
    shift
    echo $((day * 86400)) >"$scratch/ahead"
    CLOCK_SHIM=$scratch/ahead LD_PRELOAD=$preload ASAN_OPTIONS=detect_leaks=0 "$@"
}

refused() { # STATE DAY REGION
    on_day "$2" greenlaunch launch --state "$1" --cloud aws --region "$3" --type m5.large \
        --renewable-only --offline --name project-nightingale --tag account=210987654321 \
        --max-price 0.4711USD/h </dev/null >/dev/null 2>&1
}

organisation() { # NUMBER: all of them in Frankfurt, the first seven in Virginia too
    local state=$scratch/state-$1 region
    for region in eu-central-1 $([ "$1" -gt 7 ] || echo us-east-1); do
        for day in 0 0 1 2 2; do
            refused "$state" "$day" "$region"
        done
    done
    on_day 2 greenlaunch request feed --state "$state" --own --consent mallory \
        --out "$scratch/own/$1.json" >/dev/null 2>&1
}

first=$scratch/state-1
for i in $(seq 1 24); do
    organisation "$i" || break
done
[ "$(find "$scratch/own" -name '*.json' | wc -l)" -eq 24 ]
check $? 'twenty-four organisations let their demand go'
exits 11 'without consent nothing is written' \
    on_day 2 greenlaunch request feed --state "$first" --own --out "$scratch/not.json"
[ ! -e "$scratch/not.json" ] && [ ! -s "$scratch/out" ] && grep -q '"region": "eu-central-1"' "$scratch/err"
check $? 'and what it would hold is shown aside'

exits 0 'they are merged when the months are over' \
    on_day 40 greenlaunch request feed --state "$first" --merge "$scratch/own" --out "$scratch/demand.json"
grep -q '"region":"eu-central-1"' "$scratch/demand.json"
check $? 'what all of them speak of is told'
! grep -q 'us-east-1' "$scratch/demand.json"
check $? 'what seven of them speak of is not'
exits 2 'a k of nine is refused' \
    on_day 40 greenlaunch request feed --state "$first" --merge --k 9 "$scratch/own"
exits 0 'it is verified with the key of who published it' \
    greenlaunch request feed --check "$scratch/demand.json" --key "$first/broker.pub"
exits 9 'and by no other' \
    greenlaunch request feed --check "$scratch/demand.json" --key "$scratch/state-2/broker.pub"
sed 's/"issued_s":./&1/' "$scratch/demand.json" >"$scratch/changed.json"
exits 9 'nor when it was changed' greenlaunch request feed --check "$scratch/changed.json"

# A provider has no program of ours.
if command -v python3 >/dev/null 2>&1; then
    reader=$root/tests/support/demand_reader.py
    exits 0 'a provider reads it with Python alone' \
        python3 "$reader" "$scratch/demand.json" "$first/broker.pub" aws
    said 'eu-central-1  [a-z-]* .*organisations [0-9]* [0-9]*  launches [0-9]* [0-9]*' \
        'cell by cell'
    exits 0 'what another provider is asked for is not there' \
        python3 "$reader" "$scratch/demand.json" "$first/broker.pub" gcp
    [ ! -s "$scratch/out" ]
    check $? 'nothing'
    exits 1 'by another key its signature does not hold' \
        python3 "$reader" "$scratch/demand.json" "$scratch/state-2/broker.pub" aws
    exits 1 'nor when it was changed' \
        python3 "$reader" "$scratch/changed.json" "$first/broker.pub" aws
else
    printf 'skip demand feed reader: there is no python3 here\n'
fi

status=0
for word in "${planted[@]}"; do
    ! grep -lF -e "$word" "$scratch/demand.json" "$scratch"/own/*.json || status=1
done
check $status 'no account, host, tag, price, user or address stands in any of them'

python() {
    [ -f "$venv/whole" ] || (
        rm -rf "$venv"
        python3 -m venv "$venv" && timeout 180 "$venv/bin/pip" install -q \
            --disable-pip-version-check jsonschema==4.26.0 && touch "$venv/whole"
    ) >"$build/venv-feed.log" 2>&1
}
if ! python; then
    printf 'skip demand feed schema: pip: %s\n' "$(tail -n 1 "$build/venv-feed.log")"
    exit "$failed"
fi
"$venv/bin/python" - "$root/docs/demand.schema.json" "$scratch/demand.json" "$scratch"/own/*.json \
    >"$scratch/log" 2>&1 <<'END'
import copy, json, sys
import jsonschema

schema, *documents = [json.load(open(path)) for path in sys.argv[1:]]
jsonschema.Draft202012Validator.check_schema(schema)
judge = jsonschema.Draft202012Validator(schema)
for document in documents:
    judge.validate(document)
shared, own = documents[:2]
assert shared["kind"] == "shared" and own["kind"] == "own"
# It must be able to say no.
for path, value in ((("k",), 9), (("host",), "x"), (("cells", 0, "account"), "x"),
                    (("cells", 0, "launches"), [43, 43]), (("cells", 0, "region"), "a b"),
                    (("cells", 0, "organisations"), [5, 10]), (("noise", "epsilon"), 2),
                    (("demo",), True), (("signature", "sig"), "x")):
    bad = copy.deepcopy(shared)
    place = bad
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert not judge.is_valid(bad), path
END
status=$?
[ "$status" -eq 0 ] || tail -n 12 "$scratch/log" | sed 's/^/# /'
check "$status" 'jsonschema holds all of them against the schema, and refuses what is changed'
exit "$failed"
