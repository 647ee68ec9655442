#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Real instances through the command line, whatever is killed, cut or late:
# tests/integration/instances.sh BUILD
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
scratch=$build/tmp/instances
rm -rf "$scratch"
mkdir -p "$scratch"
export PATH=$build:$PATH HOME=$scratch XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/config
state=$XDG_STATE_HOME/greenlaunch
. tests/support/checks.sh
green=(--renewable-only --min-grade D --zone IS --offline)

# A virtual machine is told by its tag, a process of its own by the folder it was given.
no_instance() {
    local record tag
    for record in "$state"/local/gl-*/instance.json; do
        tag=$(sed -n 's/.*"tag":"\([^"]*\)".*/\1/p' "$record")
        if [ -z "$tag" ] || pgrep -f -- "-uuid $tag" >/dev/null; then
            return 1
        fi
    done
    ! pgrep -f "greenlaunch-meter.*$scratch" >/dev/null
}

nothing_runs() { # TEXT
    no_instance
    check $? "$1: nothing is left running"
}

receipt_of() { # the youngest receipt
    find "$state/receipts" -name '*.json' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2
}

# wait_until TEXT COMMAND...: at most 30 s
wait_until() {
    local text=$1 tries=0
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" -ge 150 ]; then
            check 1 "$text"
            return 1
        fi
        sleep 0.2
    done
    check 0 "$text"
}

if ! greenlaunch run "${green[@]}" -d 2min -- true >"$scratch/out" 2>"$scratch/err"; then
    if grep -q GL5009 "$scratch/err"; then
        printf 'skip this machine can run neither virtual machines nor processes of their own\n'
        exit 0
    fi
    sed 's/^/# /' "$scratch/err" | tail -n 8
    check 1 'a first instance runs'
    exit 1
fi
check 0 'a first instance runs'

# ---- no machine ----
if greenlaunch doctor --offline | grep -q '^ok   userns'; then
    exits 0 'without a kernel a process runs' env GREENLAUNCH_GUEST=/none \
        greenlaunch run "${green[@]}" -d 2min -- true
    said 'started gl-.* [(]process[)]' 'that is called so'
    said 'not a virtual machine: this machine lacks the unpacked' 'and why it is none is said'
fi

# ---- what goes in and out ----
printf 'from the host\n' >"$scratch/given"
exits 7 'the exit status of the command comes back' \
    greenlaunch run "${green[@]}" -d 2min -- sh -c 'exit 7'
exits 0 'files go in and out' greenlaunch run "${green[@]}" -d 2min \
    --file-in "$scratch/given:/in/given" --file-out "/out/taken:$scratch/taken" -- \
    sh -c 'tr a-z A-Z </in/given >/out/taken'
[ "$(cat "$scratch/taken" 2>/dev/null)" = 'FROM THE HOST' ]
check $? 'and arrive as they are'
exits 0 'a program of the host and its libraries are carried along' greenlaunch run \
    "${green[@]}" -d 2min --with /usr/bin/openssl -- openssl version
said '^OpenSSL' 'and it runs inside'
exits 127 'a program that is not inside' greenlaunch run "${green[@]}" -d 2min -- no-such-program
said '127: no-such-program, or what it runs, is not there; .* --with PROGRAM' 'is said to be carried along by --with'
exits 2 'what is to be carried along and is not here is a mistake of the user' greenlaunch run \
    "${green[@]}" -d 2min --with no-such-program -- true
said 'cannot find the program no-such-program' 'and is named'
printf 'piped\n' | greenlaunch run "${green[@]}" -d 2min -- cat >"$scratch/out" 2>/dev/null
grep -qx piped "$scratch/out"
check $? 'standard input is passed on, standard output holds the command alone'
if command -v jq >/dev/null; then
    exits 0 '--json is one document' greenlaunch run --json "${green[@]}" -d 2min -- echo inside
    [ "$(jq -r '.data.stdout' "$scratch/out")" = inside ] &&
        jq -e '.verdict == "allow" and .exit == 0 and (.data.total.low <= .data.total.high)' \
            "$scratch/out" >/dev/null
    check $? 'that holds the output and the footprint'
    exits 3 'output beyond the limit is cut, what is no text is not lost' greenlaunch run --json \
        "${green[@]}" -d 2min -- sh -c \
        'printf x; yes é | head -c 9000000 | tr -d "\n"; printf "\377\000b" >&2; exit 3'
    got=$(jq -c '.warnings as $said | .data | [(.stdout | utf8bytelength), .stdout_truncated, .stdout_dropped_bytes,
        .stdout[:2], .stdout[-1:], .stderr, .stderr_base64, .stderr_truncated,
        ($said | any(.code == "GL1004"))]' "$scratch/out")
    wanted='[4194303,true,1805698,"xé","é",null,"/wBi",false,true]'
    [ "$got" = "$wanted" ] || printf '# %s\n' "$got"
    [ "$got" = "$wanted" ]
    check $? 'between two characters, with a mark and a count, else as base64'
fi

exits 7 '--advisory leaves the status of the command alone' \
    greenlaunch run --advisory "${green[@]}" -d 2min -- sh -c 'exit 7'
exits 2 '--at starts nothing: it decides for another instant' \
    greenlaunch run "${green[@]}" --at 2026-01-01T00:00:00Z -d 2min -- true
exits 0 'unknown evidence may be admitted in so many words' greenlaunch run \
    --renewable-only --zone IS --offline --on-unknown allow -d 2min -- true
grep -q '"guarantee":null' "$(receipt_of)"
check $? 'but is no guarantee'
exits 0 'a limit on the intensity alone is launched by' greenlaunch run --max-intensity 500g/kWh \
    --min-grade D --zone IS --offline -d 2min -- true
grep -q '"rule":"command-line","rules":\[{"id":"command-line"' "$(receipt_of)" &&
    grep -q '"state":"kept"' "$(receipt_of)"
check $? 'and guaranteed, so that the guard watches it'
exits 0 'a limit on the price' greenlaunch run --max-price 1USD/h --zone IS --offline -d 2min -- true
grep -q '"guarantee":null' "$(receipt_of)"
check $? 'says nothing of the grid'

# ---- receipts ----
receipt=$(receipt_of)
exits 0 'the receipt verifies with the public key' \
    greenlaunch verify "$receipt" --key "$state/broker.pub"
sed 's/"started_ms":[0-9]/"started_ms":9/' "$receipt" >"$scratch/forged.json"
exits 9 'a changed receipt does not' greenlaunch verify "$scratch/forged.json"
exits 9 'nor one of another signer' \
    greenlaunch verify "$receipt" --key "$(printf '%064d' 0)"
printf 'half a receip' >"$scratch/half.json"
exits 2 'what is no receipt is a usage error' greenlaunch verify "$scratch/half.json"

# ---- interruptions ----
for case in 'INT 130 Ctrl-C' 'TERM 143 SIGTERM'; do
    read -r signal status name <<<"$case"
    greenlaunch run "${green[@]}" -d 2min -- sleep 60 >"$scratch/out" 2>"$scratch/err" </dev/null &
    pid=$!
    wait_until "$name: the command runs" grep -q 'started gl-' "$scratch/err"
    sleep 1
    kill "-$signal" "$pid"
    wait "$pid"
    [ $? -eq "$status" ]
    check $? "$name ends the run with $status"
    said 'receipt' "$name: what ran until then has a receipt"
    nothing_runs "$name"
done
exits 124 '--timeout ends the run' \
    greenlaunch run "${green[@]}" -d 2min --timeout 3s -- sleep 60
nothing_runs '--timeout'

# A machine that never answers is still starting when the time is over.
fakes=$(mktemp -d)
chmod 755 "$fakes"
printf '#!/bin/sh\nexec sleep 60\n' >"$fakes/qemu-system-x86_64"
chmod 755 "$fakes/qemu-system-x86_64"
for command in launch 'run -- sleep 60'; do
    read -r name rest <<<"$command"
    before=$(find "$state/receipts" -name '*.json' | wc -l)
    # shellcheck disable=SC2086 # words
    exits 124 "--timeout ends a $name that is still starting" env PATH="$fakes:$PATH" \
        greenlaunch "$name" "${green[@]}" -d 2min --timeout 1s $rest
    nothing_runs "a $name that is still starting"
    [ "$(find "$state/receipts" -name '*.json' | wc -l)" -eq $((before + 1)) ]
    check $? 'its receipt is there'
    exits 0 'and verifies' greenlaunch verify "$(receipt_of)" --key "$state/broker.pub"
done
rm -r "$fakes"

greenlaunch run "${green[@]}" -d 2min -- sleep 60 >"$scratch/out" 2>"$scratch/err" </dev/null &
pid=$!
wait_until 'kill -9: the command runs' grep -q 'started gl-' "$scratch/err"
kill -9 "$pid"
wait "$pid" 2>/dev/null
exits 0 'after kill -9 of greenlaunch, status finds the instance' greenlaunch status
said 'running' 'as running'
launch=$(awk '$1 ~ /^gl-/ { print $1 }' "$scratch/out" | head -n 1)
exits 0 'stop ends it with its receipt' greenlaunch stop "$launch"
exits 0 'which verifies' greenlaunch verify "$state/receipts/$launch.json" \
    --key "$state/broker.pub"
nothing_runs 'kill -9'

exits 0 'an instance whose token will be lost' greenlaunch launch "${green[@]}" -d 2min --name unread
rm "$state"/tokens/gl-*
sleep 3 # long enough for the gap to be told
exits 0 'is stopped all the same' greenlaunch stop unread
said 'from no reading: charged at the high bound' 'at the high bound'
! grep -q 'the first reading' "$scratch/out" && grep -q 'P10 does not hold' "$scratch/out"
check $? 'and nothing is said of a first reading'
exits 0 'its receipt verifies' greenlaunch verify "$(receipt_of)"

# ---- leases ----
exits 0 'an instance with a lease of 3 s starts' greenlaunch launch "${green[@]}" -d 3s
wait_until 'its own timer ends it' no_instance
exits 0 'status notices' greenlaunch status --all
said 'ended' 'and writes its receipt'

# ---- the ledger ----
for name in one two; do
    exits 0 'an instance starts' greenlaunch launch "${green[@]}" -d 2min --name $name
done
exits 0 'it has grams so far' greenlaunch status --json
if command -v jq >/dev/null; then
    jq -e '[.data.launches[] | .so_far and (.total | .low <= .value and .value <= .high and
        .value > 0 and (.grade | test("[A-E]")))] == [true, true]' "$scratch/out" >/dev/null
    check $? 'low, central and high, with a grade'
    exits 10 'stopping some of several is partial' greenlaunch stop one nobody two --json
    jq -e '[.data.receipts[].result] == ["stopped", "failed", "stopped"] and
        ([.data.receipts[].receipt.signature.sig] | map(type)) == ["string", "null", "string"]' \
        "$scratch/out" >/dev/null
    check $? 'and says what became of each, with every receipt'
else
    exits 0 'stop ends both' greenlaunch stop one two
fi

for name in lost lonely; do
    exits 0 'an instance starts' greenlaunch launch "${green[@]}" -d 2min --name $name
done
rm -f "$state"/ledger.db*
exits 0 'without the ledger, status lists what runs' greenlaunch status
said '^UNKNOWN' 'as unknown'
said 'greenlaunch stop gl-' 'with how to stop it'
launch=$(awk '$1 ~ /^gl-/ { print $1 }' "$scratch/out" | head -n 1)
exits 0 'one of them is stopped by its id' greenlaunch stop "$launch"
exits 0 'without the ledger, stop --all-mine finds it by its label' greenlaunch stop --all-mine
said '1 stopped, 0 failed' 'and stops it'
nothing_runs 'lost ledger'
exits 0 'the chain of the ledger is intact' greenlaunch ledger check

# ---- a command that is left to itself ----
exits 0 'launch -- COMMAND comes back at once' greenlaunch launch "${green[@]}" --cloud local \
    -d 2min --name left -- sh -c 'echo said; sleep 2; exit 5'
said 'ends with its command' 'and says what will become of it'
kept=$(sed -n 's/^  \(\/.*\.out\)$/\1/p' "$scratch/out")
exits 0 'status says until when, its name, and for how long it is green' \
    env COLUMNS=80 greenlaunch status --offline
said '^  gl-[a-z0-9]+ \(left\) ends by itself at 20' 'with the name'
said 'green until 20.* \(by the data at hand\)' 'and what was promised'
# shellcheck disable=SC2317 # by wait_until
has_ended() { greenlaunch status left --offline | grep -q ' ended '; }
wait_until 'it ends with its command' has_ended
greenlaunch status left --json --offline | grep -q '"exit_status": 5'
check $? 'whose exit status is known'
grep -qx said "$kept"
check $? 'and whose output is kept'
exits 0 'its receipt is there' greenlaunch verify "$(receipt_of)"
exits 0 'one without a command' greenlaunch launch "${green[@]}" --cloud local -d 2min --name kept
exits 10 'stopped together with one that is none' greenlaunch stop kept no-such-one
said "^  receipt      $state/receipts/gl-.*json$" 'says where its receipt lies'
nothing_runs 'commands left to themselves'

# ---- refusals leave nothing behind ----
exits 3 'a refused launch starts nothing' \
    greenlaunch launch --renewable-only --min-grade D --zone PL --offline
exits 8 'nor does an unknown one' greenlaunch launch --renewable-only --zone IS --offline
exits 2 'nor one with a bad policy' greenlaunch --policy /dev/null launch --zone IS --offline
exits 2 'nor one without any rule' greenlaunch launch --zone IS --offline
said 'no-rules' 'which says how to ask for that'
exits 2 'a grade alone is no rule' greenlaunch run --min-grade D --zone IS --offline -- true
exits 2 '--no-rules does not override rules' greenlaunch launch "${green[@]}" --no-rules
exits 0 '--no-rules launches without any' \
    greenlaunch run --no-rules --zone IS --offline -d 2min -- true
grep -q '"guarantee":null' "$(receipt_of)"
check $? 'and promises nothing'
nothing_runs 'refusals'

rm -rf "$scratch"
exit "$failed"
