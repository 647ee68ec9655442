#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Real machines paused, resumed and moved through the command line, whatever is killed meanwhile:
# tests/integration/moves.sh BUILD
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
# shellcheck source=tests/support/machines.sh
. tests/support/machines.sh moves
green=(--renewable-only=90% --min-grade D --region cellar --offline)
cat >"$scratch/config/greenlaunch/config.yaml" <<'END'
greenlaunch_config: 1
zone: IS
places: [{name: cellar, zone: IS}, {name: attic, zone: NO-NO2}, {name: mine, zone: PL}, {name: sea, zone: X-NOWHERE}]
END

nothing_runs() { # TEXT
    local record left=
    for record in "$state"/local/gl-*/instance.json; do
        left=$left$(machines_of "$(basename "$(dirname "$record")")")
    done
    [ -z "$left" ]
    check $? "$1: nothing is left running"
}

begin() { # NAME DURATION: its id into $id
    count_seconds "${green[@]}" -d "$2" --name "$1"
}

end_of() { # TEXT: stop $id, and its receipt must hold, also against the ledger
    exits 0 "$1: it is stopped" greenlaunch stop "$id" --offline
    exits 0 "$1: its receipt verifies" greenlaunch verify "$id"
    said 'speaks of this very receipt' "$1: the ledger speaks of it"
}

begin first 5min
need_machines $?

# ---- pause and resume ----
exits 0 'a running machine is paused' greenlaunch pause first --offline
said '^Paused gl-' 'and says so'
[ -z "$(machines_of "$id")" ]
check $? 'no machine of it runs'
[ "$(state_of "$id")" = paused ]
check $? 'the state is paused'
exits 0 'paused again is fine' greenlaunch pause first --offline --json
said '"state": "paused"' 'and says so in JSON'
sleep 3
exits 0 'and for people' greenlaunch pause first --offline
said '^Paused already: gl-' 'who are told that nothing was done'
exits 0 'it is resumed' greenlaunch resume first --offline
exits 0 'resumed again is fine' greenlaunch resume first --offline
said '^Runs already: gl-' 'and says so'
[ "$(machines_of "$id" | wc -l)" -eq 1 ]
check $? 'one machine of it runs'
sleep 2
end_of 'paused and resumed'
said 'stood still for [0-9]+ s' 'the receipt tells of the pause'
said 'guarantee +kept' 'the promise is kept'

# ---- where the rules do not hold ----
begin rules 5min
check $? 'a machine for the rules'
exits 3 'it is not moved to where the rules do not hold' greenlaunch migrate rules --to mine --offline
said 'REFUSED' 'and says so'
exits 8 'nor to where nothing is known' greenlaunch migrate rules --to sea --offline
exits 2 'nor to a place that is none' greenlaunch migrate rules --to moon --offline
said 'there are: cellar, attic, mine, sea' 'the places are named'
[ "$(state_of "$id")" = running ]
check $? 'it runs where it was'

# ---- move ----
sleep 2
exits 0 'it is moved' greenlaunch migrate rules --to attic --offline
said '^Moved gl-.*place attic, zone NO-NO2' 'to the other place and zone'
exits 0 'moved to where it is is fine' greenlaunch migrate rules --to attic --offline
said '^There already: gl-' 'and says so'
[ "$(machines_of "$id" | wc -l)" -eq 1 ]
check $? 'one machine of it runs'
sleep 2
exits 0 'paused there' greenlaunch pause rules --offline
exits 0 'a paused one is moved back' greenlaunch migrate rules --to IS --offline
said 'paused: it uses no energy' 'and stays paused'
exits 0 'resumed' greenlaunch resume rules --offline
sleep 2
end_of 'moved and back'
said 'in cellar, zone IS' 'the receipt names the first zone'
said 'in attic, zone NO-NO2' 'and the second one'

# ---- output and exit status of a command that is followed meanwhile ----
# shellcheck disable=SC2016 # for the guest
greenlaunch run "${green[@]}" -d 5min --name followed -- \
    sh -c 'i=0; while [ $i -lt 25 ]; do i=$((i+1)); echo $i; sleep 1; done; exit 7' \
    >"$scratch/followed" 2>"$scratch/followed.err" </dev/null &
follower=$!
for _ in $(seq 150); do
    [ -s "$scratch/followed" ] && break
    sleep 0.2
done
exits 0 'paused while it is followed' greenlaunch pause followed --offline
sleep 2
exits 0 'resumed while it is followed' greenlaunch resume followed --offline
sleep 2
exits 0 'moved while it is followed' greenlaunch migrate followed --to attic --offline
status=0
wait "$follower" || status=$?
[ "$status" -eq 7 ]
check $? "its exit status arrives ($status)"
seq 25 | cmp -s - "$scratch/followed"
check $? 'no line of its output is lost or doubled'
id=$(greenlaunch status --all --json --offline | sed -n 's/^ *"launch": "\(gl-[a-z0-9]*\)".*/\1/p' | head -n 1)
exits 0 'its receipt verifies' greenlaunch verify "$id"
said 'in attic, zone NO-NO2' 'and has both zones'

# ---- greenlaunch killed in the middle ----
for act in pause move; do
    for delay in 0.1 0.3 0.6 1.2; do
        begin "killed-$act-$delay" 5min || check 1 'a machine to be killed at'
        sleep 1
        if [ "$act" = pause ]; then
            greenlaunch pause "$id" --offline >/dev/null 2>&1 &
        else
            greenlaunch migrate "$id" --to attic --offline >/dev/null 2>&1 &
        fi
        doer=$!
        sleep "$delay"
        kill -9 "$doer" 2>/dev/null
        wait "$doer" 2>/dev/null
        now=$(state_of "$id")
        running=$(machines_of "$id" | wc -l)
        case $now in
            running) [ "$running" -eq 1 ] ;;
            paused) [ "$running" -eq 0 ] ;;
            *) false ;;
        esac
        check $? "killed $delay s into a $act: $now, $running machine(s)"
        end_of "killed $delay s into a $act"
    done
done

# ---- its machine killed in the middle ----
for delay in 0.2 0.7; do
    begin "dead-$delay" 5min || check 1 'a machine to be killed'
    sleep 1
    greenlaunch migrate "$id" --to attic --offline >/dev/null 2>&1 &
    doer=$!
    sleep "$delay"
    victim=$(machines_of "$id" | head -n 1)
    [ -z "$victim" ] || kill -9 "$victim"
    wait "$doer" 2>/dev/null
    # A killed machine gives its memory back before it is gone, and runs until then.
    for _ in $(seq 100); do
        machines_of "$id" | grep -qx "$victim" || break
        sleep 0.1
    done
    now=$(state_of "$id")
    running=$(machines_of "$id" | wc -l)
    case $now in
        running) [ "$running" -eq 1 ] ;;
        ended | lost) [ "$running" -eq 0 ] ;;
        *) false ;;
    esac
    check $? "its machine killed $delay s into a move: $now, $running machine(s)"
    end_of "its machine killed $delay s into a move"
done

# ---- the lease is one of the wall clock ----
begin lapsing 20s
check $? 'a machine with a short lease'
exits 0 'it is paused' greenlaunch pause lapsing --offline
sleep 21
exits 0 'past its lease the next look ends it' greenlaunch status --offline
said 'past its lease; stopped' 'and says so'
exits 0 'its receipt verifies' greenlaunch verify "$id"
said 'stood still for' 'and tells of the pause'

# Booting is part of the lease: on a busy machine it may use up a short one, which is another end.
for span in 12s 40s 2min; do
    status=0
    greenlaunch run "${green[@]}" -d "$span" --name whole -- sh -c 'echo begun; exec sleep 600' \
        >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
    grep -q begun "$scratch/out" && break
done
[ "$status" -eq 143 ] || show_printed
[ "$status" -eq 143 ]
check $? "a command is ended with its lease (exit $status)"
said 'guarantee +kept' 'and was within the promise'

# Its status comes although what it left behind holds its output open.
status=0
greenlaunch run "${green[@]}" -d "$span" --name left -- \
    sh -c 'setsid sleep 600 & echo begun; exec sleep 600' >"$scratch/out" 2>"$scratch/err" \
    </dev/null || status=$?
grep -q begun "$scratch/out" || status=begun
case $status in 143 | begun) ;; *) show_printed; false ;; esac
check $? "also one that leaves something behind (exit $status)"

# The lease is over before the machine has booted: that is a limit of time, not a bad guest.
status=0
greenlaunch run "${green[@]}" -d 1s --name short -- sh -c 'echo begun; exec sleep 600' \
    >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
if grep -q begun "$scratch/out"; then [ "$status" -eq 143 ]; else [ "$status" -eq 124 ]; fi ||
    { show_printed; false; }
check $? "a lease too short to boot in (exit $status)"

greenlaunch stop --all-mine --offline >/dev/null 2>&1
nothing_runs 'at the end'
exits 0 'the ledger holds' greenlaunch ledger check
[ "$failed" -eq 0 ]
