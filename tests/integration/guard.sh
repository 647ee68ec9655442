#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Real machines under the guard, on grids written by this script: moved, paused, resumed and stopped
# when their promise lapses, whatever is killed meanwhile: tests/integration/guard.sh BUILD
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
root=$PWD
build=$(cd "${1:-build}" && pwd)
scratch=$build/tmp/guard
rm -rf "$scratch"
mkdir -p "$scratch/config/greenlaunch"
export PATH=$build:$PATH HOME=$scratch XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/config
state=$XDG_STATE_HOME/greenlaunch
. tests/support/checks.sh
cat >"$scratch/config/greenlaunch/config.yaml" <<END_CONFIG
greenlaunch_config: 1
zone: DE
places: [{name: berlin, zone: DE}, {name: paris, zone: FR}, {name: nowhere, zone: X-NOWHERE}]
sources: [{file: $scratch/grid.csv}]
END_CONFIG

# A hundred days until this hour; the last three hours of a zone may be overwritten.
write_grid() { # GRAMS-IN-DE GRAMS-IN-FR, "-" = as usual
    local today now
    today=$(($(date -u +%s) / 86400))
    now=$(date -u +%Y-%m-%dT%H:00Z)
    {
        sh "$root/tests/support/grid_series.sh"
        sh "$root/tests/support/grid_series.sh" DE $((today - 99)) 100 60 1
        sh "$root/tests/support/grid_series.sh" FR $((today - 99)) 100 20 2
    } | awk -F, -v OFS=, -v now="$now" -v since="$(date -u -d '3 hours ago' +%Y-%m-%dT%H:00Z)" \
        -v de="$1" -v fr="$2" '
        /^#/ || /^from/ { print; next }
        $1 >= now { next }
        $3 == "carbon_intensity" && $1 >= since && $2 == "DE" && de != "-" { $5 = de }
        $3 == "carbon_intensity" && $1 >= since && $2 == "FR" && fr != "-" { $5 = fr }
        { print }' >"$scratch/grid.new"
    mv "$scratch/grid.new" "$scratch/grid.csv"
}

begin() { # NAME ON-LAPSE: its id into $id
    # shellcheck disable=SC2016 # for the guest
    greenlaunch launch --max-intensity 200g/kWh --confidence 90% --on-lapse "$2" --region berlin \
        --offline -d 6h --name "$1" -- sh -c 'i=0; while :; do i=$((i+1)); echo $i; sleep 1; done' \
        >"$scratch/out" 2>"$scratch/err"
    id=$(sed -n 's/^Started \(gl-[a-z0-9]*\) .*/\1/p' "$scratch/out")
    [ -n "$id" ]
}

is_as() { # STATE MACHINES TEXT
    local now running
    now=$(state_of "$id")
    running=$(machines_of "$id" | wc -l)
    [ "$now" = "$1" ] && [ "$running" -eq "$2" ]
    check $? "$3: $now, $running machine(s)"
}

end_of() { # TEXT: stop $id, and its receipt must hold, also against the ledger
    exits 0 "$1: it is stopped" greenlaunch stop "$id" --offline
    exits 0 "$1: its receipt verifies" greenlaunch verify "$id"
}

write_grid - -
if ! begin moving move; then
    sed 's/^/# /' "$scratch/out" "$scratch/err" | tail -n 5
    if grep -q GL5009 "$scratch/err"; then
        printf 'skip this machine cannot run instances\n'
        exit 0
    fi
    check 1 'a launch under a promise'
    exit 1
fi
if ! grep -q 'qemu/' "$scratch/out"; then
    greenlaunch stop --all-mine --offline >/dev/null 2>&1
    printf 'skip instances here are processes, which cannot be moved\n'
    exit 0
fi

# ---- move ----
exits 0 'the promise stands in the ledger' greenlaunch guarantee list --offline
said 'gr-[0-9a-f]{8}' 'with its id'
exits 0 'what is promised is left alone' greenlaunch guard --once --offline
said 'stays: promised' 'and it says so'
! grep -q lead "$scratch/err"
check $? 'and warns of no gap'
exits 0 'called more rarely than the lead time' greenlaunch guard --once --offline --every 2h
said 'called every 2 h' 'it says what a promise can do in between'
touch -d '3 hours ago' "$XDG_STATE_HOME/greenlaunch/guard.lock"
exits 0 'also when only the clock shows it' greenlaunch guard --once --offline
said 'nobody has looked for 3 h' 'and for how long'
write_grid 500 -
exits 0 'a dry run' greenlaunch guard --once --dry-run --offline
said 'would move to paris in FR: the limit is broken now' 'says what would be done'
is_as running 1 'and does nothing'
exits 0 'over the limit it is moved' greenlaunch guard --once --offline
said 'moved to paris in FR' 'to where it is green'
is_as running 1 'there is one machine'
exits 0 'a second look leaves it there' greenlaunch guard --once --offline
said 'stays: promised' 'under a promise of its own'
exits 0 'both promises stand in the ledger' greenlaunch guarantee show "$id" --offline
said 'zone FR.*zone DE' 'one for each place'
sleep 2
end_of 'moved by the guard'
said 'in berlin, zone DE' 'the receipt names the first zone'
said 'in paris, zone FR' 'and the second one'

# ---- moved by hand ----
write_grid - -
begin elsewhere move
exits 0 'a person moves it' greenlaunch migrate elsewhere --to paris --offline
exits 0 'its promise is asked for' greenlaunch status elsewhere --offline
said 'green until [0-9TZ:-]+ in DE' 'and is said to be of where it was'
write_grid - 500
exits 0 'where it is now lapses' greenlaunch guard --once --offline
said 'paused: .*not moved: it was moved less than 2 h ago' 'why it is not moved is said'
end_of 'moved by hand'

# ---- pause and resume ----
write_grid - -
begin pausing pause
check $? 'a machine to be paused'
write_grid 500 500
exits 0 'over the limit everywhere it is paused' greenlaunch guard --once --offline
said 'paused: the limit is broken now' 'and it says so'
is_as paused 0 'no machine runs'
sleep 2
exits 0 'it stays so' greenlaunch guard --once --offline
said 'stays: not green yet' 'until it is green'
write_grid - -
exits 0 'green again' greenlaunch guard --once --offline
said 'resumed: green again' 'it goes on'
is_as running 1 'there is one machine'
exits 0 'a person pauses it' greenlaunch pause pausing --offline
exits 0 'the guard leaves it so' greenlaunch guard --once --offline
said 'paused by a person' 'and says why'
end_of 'paused and resumed by the guard'
said 'stood still for [0-9]+ s' 'the receipt tells of the pause'

# ---- a rule of another kind, promised too ----
printf 'greenlaunch: 1\nrules:\n  - id: below\n    require:\n      green_below: 200 gCO2e/kWh\n      green_for: 2h\n      confidence: 90%%\n      on_lapse: pause\n' >"$scratch/below.yaml"
write_grid - -
exits 0 'a launch under green_below' greenlaunch launch --policy "$scratch/below.yaml" \
    --region berlin --offline -d 6h --name below -- sleep 300
id=$(sed -n 's/^Started \(gl-[a-z0-9]*\) .*/\1/p' "$scratch/out")
exits 0 'it is watched' greenlaunch guard --once --offline
said "$id stays: promised .*rule below" 'under its rule'
write_grid 500 500
exits 0 'and paused' greenlaunch guard --once --offline
is_as paused 0 'over the limit'
end_of 'under green_below'

# ---- stop ----
write_grid - -
begin stopping stop
check $? 'a machine to be stopped'
write_grid 500 -
exits 0 'over the limit it is stopped' greenlaunch guard --once --offline
is_as ended 0 'nothing of it runs'
exits 0 'its receipt verifies' greenlaunch verify "$id"

# ---- the guard killed in the middle ----
# What it was just starting holds its locks until it runs, on a busy machine for seconds.
next_look() { # TEXT
    local status
    for _ in $(seq 10); do
        status=0
        greenlaunch guard --once --offline >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
        grep -q 'another guard is at work' "$scratch/err" || break
    done
    [ "$status" -eq 0 ] || show_printed
    check "$status" "$1"
}

for delay in 0.05 0.2 0.5; do
    write_grid - -
    begin "killed-$delay" move
    check $? 'a machine to be guarded'
    write_grid 500 -
    greenlaunch guard --once --offline >/dev/null 2>&1 &
    guard=$!
    sleep "$delay"
    kill -9 "$guard" 2>/dev/null
    wait "$guard" 2>/dev/null
    next_look "guard killed after $delay s, then another look"
    is_as running 1 'it settles what was left'
    exits 0 'it is in the green place' greenlaunch status "$id" --offline
    said 'zone FR' 'of the other zone'
    end_of "guard killed after $delay s"
done

# ---- in the foreground, and a second one ----
write_grid - -
begin watched pause
check $? 'a machine to be watched'
greenlaunch guard --offline --every 1s --lead 1h >"$scratch/guard.out" 2>"$scratch/guard.err" &
guard=$!
for _ in $(seq 100); do
    grep -q 'guarding 1' "$scratch/guard.err" && break
    sleep 0.1
done
exits 5 'a second guard finds the lock taken' greenlaunch guard --once --offline
said 'another guard is at work' 'and says so'
write_grid 500 500
for _ in $(seq 150); do
    grep -q 'paused: the limit is broken now' "$scratch/guard.err" && break
    sleep 0.1
done
grep -q 'paused: the limit is broken now' "$scratch/guard.err"
check $? 'the first one goes on and acts'
kill -INT "$guard"
status=0
wait "$guard" || status=$?
[ "$status" -eq 130 ]
check $? "Ctrl-C ends it with 130 ($status)"
[ ! -s "$scratch/guard.out" ]
check $? 'its talk went to stderr'
exits 0 'then another may' greenlaunch guard --once --offline
end_of 'watched in the foreground'

exits 0 'the score speaks of every promise' greenlaunch guarantee score --offline
said 'p 90 %: [0-9]+ issued' 'by its probability'
greenlaunch stop --all-mine --offline >/dev/null 2>&1
left=
for record in "$state"/local/gl-*/instance.json; do
    left=$left$(machines_of "$(basename "$(dirname "$record")")")
done
[ -z "$left" ]
check $? 'nothing is left running'
exits 0 'the ledger holds' greenlaunch ledger check
[ "$failed" -eq 0 ]
