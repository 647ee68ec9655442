#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Real machines under budgets, and the demand of what people pause and move by hand, on grids written
# by this script: tests/integration/budgets.sh BUILD
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
root=$PWD
build=$(cd "${1:-build}" && pwd)
scratch=$build/tmp/budgets
rm -rf "$scratch"
mkdir -p "$scratch/config/greenlaunch"
export PATH=$build:$PATH HOME=$scratch XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/config
state=$XDG_STATE_HOME/greenlaunch
. tests/support/checks.sh
cat >"$XDG_CONFIG_HOME/greenlaunch/config.yaml" <<END
greenlaunch_config: 1
zone: DE
places: [{name: cellar, zone: DE}, {name: attic, zone: FR}]
sources: [{file: $scratch/past.csv}, {file: $scratch/share.csv}]
END
# The past of both zones, from which futures are drawn; the last hour is measured.
{
    sh "$root/tests/support/grid_series.sh"
    for zone in 'DE 300' 'FR 20'; do
        sh "$root/tests/support/grid_series.sh" "${zone% *}" $(($(date +%s) / 86400 - 120)) 121 \
            "${zone#* }" | grep carbon_intensity
    done
} | awk -F, -v last="$(date -u -d '1 hour ago' +%Y-%m-%dT%H:00Z)" 'NR < 3 || $1 <= last' >"$scratch/past.csv"

# The renewable share of both zones in the hours around now.
write_share() { # DE FR
    local i at
    {
        echo 'from,zone,quantity,unit,value,low,high,evidence'
        for i in $(seq -2 12); do
            at=$(date -u -d "$i hours" +%Y-%m-%dT%H:00Z)
            echo "$at,DE,renewable_share,percent,$1,$1,$1,forecast"
            echo "$at,FR,renewable_share,percent,$2,$2,$2,forecast"
        done
    } >"$scratch/share.csv"
}

begin() { # NAME DURATION [WORD...]: its id into $id
    local name=$1 duration=$2
    shift 2
    greenlaunch launch --renewable-only=90% --region cellar --offline -d "$duration" --name "$name" \
        "$@" -- sleep 600 >"$scratch/out" 2>"$scratch/err"
    id=$(sed -n 's/^Started \(gl-[a-z0-9]*\) .*/\1/p' "$scratch/out")
    [ -n "$id" ]
}

# Of one account, by jq.
account() { # PATH FILTER
    greenlaunch budget show --json | jq -c ".data.accounts[] | select(.account == \"$1\") | $2"
}

# Kinds of the signals recorded so far, in order.
kinds() {
    greenlaunch ledger export | jq -rs '[.[].body.signals[]?.kind] | join(" ")'
}

if ! command -v jq >/dev/null; then
    printf 'skip there is no jq here\n'
    exit 0
fi
write_share 95 95
if ! begin first 5min; then
    sed 's/^/# /' "$scratch/err" | tail -n 3
    printf 'skip this machine cannot run instances\n'
    exit 0
fi
if ! grep -q 'qemu/' "$scratch/out"; then
    greenlaunch stop --all-mine --offline >/dev/null 2>&1
    printf 'skip instances here are processes, which cannot be paused\n'
    exit 0
fi

# ---- by hand, where the rules hold and where they do not ----
exits 0 'paused where its rules hold' greenlaunch pause first
exits 0 'it goes on' greenlaunch resume first
[ "$(kinds)" = '' ]
check $? 'that is no demand'
write_share 40 95
exits 0 'paused where they are broken' greenlaunch pause first
exits 0 'and again' greenlaunch pause first
[ "$(kinds)" = pause ]
check $? "that is demand, once: $(kinds)"
exits 0 'it goes on all the same' greenlaunch resume first
exits 0 'moved to where they hold' greenlaunch migrate first --to attic
[ "$(kinds)" = 'pause move' ]
check $? "that is demand: $(kinds)"
exits 0 'paused there' greenlaunch pause first
[ "$(kinds)" = 'pause move' ]
check $? 'that is none'
exits 0 'they are listed' greenlaunch request observe
said 'renewable' 'with the rule'
exits 0 'stopped' greenlaunch stop first --offline

# ---- a reservation of a live launch by the quantile, under a budget that a policy alone knows ----
write_share 95 95
cat >"$scratch/policy.yaml" <<'END'
greenlaunch: 1
id: team
rules:
  - id: team-budget
    budget: {limit: 2 kg per 30d, warn_at: 0.001%}
END
begin second 1h --policy "$scratch/policy.yaml"
check $? 'a launch under a budget'
said 'has reached 0.001 %' 'a level of warning is told'
account policy/team/team-budget '.reservations[0].how' >"$scratch/out"
said '"method":"quantile of path sums".*"paths":[1-9]' 'it reserved the quantile of the futures'
reserved=$(account policy/team/team-budget .grams.reserved)
[ "${reserved:-0}" -gt 0 ]
check $? "so many micrograms: $reserved"
exits 0 'stopped' greenlaunch stop second --offline
exits 0 'its receipt verifies' greenlaunch verify "$id"
[ "$(account policy/team/team-budget .grams.reserved)" = 0 ] &&
    [ "$(account policy/team/team-budget .grams.spent)" = "$(jq .derived.footprint.total_ug[1] "$state/receipts/$id.json")" ]
check $? 'what its receipt says is spent, and nothing is reserved any more'

# ---- at the cap ----
exits 0 'a budget' greenlaunch budget set org '1 kg per 30d' --at-cap pause
begin third 5min
check $? 'a launch'
sleep 2
exits 0 'one that is spent' greenlaunch budget set org '0.000001 g per 30d'
exits 0 'the guard looks' greenlaunch guard --once --offline --json
said '"paused": 1' 'it was paused, and --json says so'
[ "$(state_of "$id")" = paused ] && [ -z "$(machines_of "$id")" ]
check $? 'no machine of it runs'
exits 7 'nothing new is launched' greenlaunch launch --renewable-only=90% --region cellar --offline \
    -d 5min -- true
exits 0 'room again' greenlaunch budget set org '1 kg per 30d'
exits 0 'the guard looks' greenlaunch guard --once --offline
said '1 resumed' 'it goes on'
[ "$(state_of "$id")" = running ]
check $? 'its state says so'
exits 0 'spent, to be stopped' greenlaunch budget set org '0.000001 g per 30d' --at-cap stop
exits 0 'the guard looks' greenlaunch guard --once --offline
said '1 stopped' 'it was stopped'
exits 0 'its receipt verifies' greenlaunch verify "$id"
[ "$(account org .grams.reserved)" = 0 ]
check $? 'nothing is reserved any more'

# ---- a move that would overspend ----
exits 0 'room again' greenlaunch budget set org '1 kg per 30d' --at-cap refuse
begin fourth 4h --on-lapse move
check $? 'a launch to be moved'
exits 0 'room for no more' greenlaunch budget set org '0.000001 g per 30d'
write_share 40 95
exits 7 'over its budget it is not moved' greenlaunch guard --once --offline
said 'budget org: .* left .*nothing of it would fit' 'and it says what would fit'
[ "$(state_of "$id")" = paused ]
check $? 'it is paused instead'
exits 0 'room again' greenlaunch budget set org '1 kg per 30d'
exits 0 'stopped' greenlaunch stop fourth --offline
exits 0 'all accounts follow from the chain' greenlaunch ledger check
greenlaunch stop --all-mine --offline >/dev/null 2>&1
[ "$failed" -eq 0 ]
