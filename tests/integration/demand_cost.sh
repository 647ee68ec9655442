#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What pausing, resuming and moving a real machine by hand costs, where its rules are broken: told by
# request observe, once, on an invented grid of this script: tests/integration/demand_cost.sh BUILD
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
# shellcheck source=tests/support/machines.sh
. tests/support/machines.sh demand_cost
cat >"$scratch/config/greenlaunch/config.yaml" <<END_CONFIG
greenlaunch_config: 1
zone: DE
places: [{name: berlin, zone: DE}, {name: paris, zone: FR}]
sources: [{file: $scratch/grid.csv}]
END_CONFIG

# Hours from two before this one to nine after it.
write_grid() { # GRAMS-IN-DE GRAMS-IN-FR
    local hour how=measured rest=carbon_intensity,gCO2e/kWh
    {
        echo '# Invented figures for tests: no state of any grid.'
        echo from,zone,quantity,unit,value,low,high,evidence,boundary
        for hour in $(seq -2 9); do
            [ "$hour" -lt 0 ] || how=forecast
            date -u -d "$hour hours" "+%Y-%m-%dT%H:00Z,DE,$rest,$1,$1,$1,$how,lifecycle"
            date -u -d "$hour hours" "+%Y-%m-%dT%H:00Z,FR,$rest,$2,$2,$2,$how,lifecycle"
        done
    } >"$scratch/grid.new"
    mv "$scratch/grid.new" "$scratch/grid.csv"
}

# Of the one case that request observe has.
observed() { # PYTHON TEXT
    greenlaunch request observe --json --offline >"$scratch/out" 2>"$scratch/err"
    python3 - "$1" "$scratch/out" <<'END'
import json, sys
cases = json.load(open(sys.argv[2]))["data"]["demand"]
case = cases[0] if len(cases) == 1 else sys.exit("not one case: %d" % len(cases))
sys.exit(not eval(sys.argv[1], {"case": case, "cost": case["cost"]}))
END
    check $? "$2"
}

command -v python3 >/dev/null || { printf 'skip python3 is not installed\n'; exit 0; }
write_grid 60 20
count_seconds --max-intensity 200g/kWh --region berlin --offline -d 2h --name costly
need_machines $?

# ---- a pause ----
write_grid 500 20
exits 0 'it is paused where its rules are broken' greenlaunch pause costly --offline
observed 'case["signals"] == 1 and cost["lost_known"] == 0 and cost["lost_ms"] is None' \
    'while it is paused its cost is not known'
sleep 3
exits 0 'it is resumed' greenlaunch resume costly --offline
grep -c 'demand-cost' <(greenlaunch ledger show --limit 100) >"$scratch/written"
[ "$(cat "$scratch/written")" -eq 1 ]
check $? 'what it cost is in the ledger at once'
observed 'case["signals"] == 1 and cost["lost_known"] == 1 and 3000 <= cost["lost_ms"] <= 600000' \
    'it is one signal still, and has cost the time that it was paused'
observed 'cost["extra_known"] == 1 and cost["extra_ug"] == 0' \
    'and no grams, for its plan has the same for all hours'

# ---- a move ----
exits 0 'it is moved' greenlaunch migrate costly --to paris --offline
observed 'case["signals"] == 2 and case["refused"] == 0 and cost["lost_known"] == 2' \
    'the time of the move is known at its end'
observed 'cost["extra_known"] == 2 and cost["extra_ug"] < 0' 'and what the greener place saves'

# ---- paused to the end ----
write_grid 500 700
exits 0 'paused again' greenlaunch pause costly --offline
exits 0 'and stopped as it is' greenlaunch stop costly --offline
observed 'case["signals"] == 3 and cost["lost_known"] == 3 and cost["extra_known"] == 3' \
    'what ends paused has a cost too'
exits 0 'its receipt verifies' greenlaunch verify "$id"

# ---- killed in the middle of it ----
kinds() { # REGEX: how many events are of such a kind
    greenlaunch ledger export | grep -cE "\"kind\": *\"($1)\""
}
write_grid 60 20
count_seconds --max-intensity 200g/kWh --region berlin --offline -d 10min --name killed
check $? 'a machine whose pauses are killed'
write_grid 500 20
for delay in 0.02 0.1 0.3 0.6 1.2; do
    greenlaunch pause killed --offline >/dev/null 2>&1 &
    doer=$!
    sleep "$delay"
    kill -9 "$doer" 2>/dev/null
    wait "$doer" 2>/dev/null
    exits 0 "killed $delay s into a pause: the next look settles it" greenlaunch status --offline
    [ "$(kinds demand)" -eq "$(kinds 'paused|moved')" ]
    check $? "and there are as many signals as pauses and moves: $(kinds demand)"
    greenlaunch resume killed --offline >/dev/null 2>&1
done
exits 0 'it is stopped' greenlaunch stop killed --offline
exits 0 'the ledger holds' greenlaunch ledger check
greenlaunch stop --all-mine --offline >/dev/null 2>&1
[ "$failed" -eq 0 ]
