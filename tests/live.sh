#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# For people who have an account: one machine of the cheapest type is rented, watched, stopped and
# given back, by the command itself. tests/live.sh CLOUD [BUILD], or `make test-live-aws` and its
# like. Shows first what it will do, where, and what it can cost at most (never 0.05 USD or more),
# and asks; YES=1 answers. However it ends, killed or not, what it started is ended: it looks after
# the launches of its own state folder and touches no other machine of the account.
#   REGION, TYPE   where and what, instead of the first region of the table and its cheapest type
#   ARCH           of that type (x86_64), for which there must be a meter
#   CONFIG         configuration file (~/.config/greenlaunch/config.yaml); names the meter
#   LIVE_FOLDER    where its state is (BUILD/live)
#   READINGS=0     do not wait for readings (no meter is named, or no console is there)
# Ends with 0 when every check passed, 1 when one failed, 3 when nothing was tried, 11 declined.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.." || exit 1
cloud=${1:-}
build=$(cd "${2:-build}" && pwd) || exit 1
lease_min=15
limit_usd=0.05

# Cloud, region, the shortest time that is billed (minutes), whether it shows a console. Where the
# provider's rule is not certain an hour is taken.
clouds='aws eu-north-1 1 console
gcp europe-north1 1 console
azure swedencentral 1 console
openstack - 60 console
hetzner hel1 60 none
digitalocean ams3 60 none
scaleway fr-par 60 none
kubernetes - 1 console'
extras_usd_h=0.01 # disk and address, generously

read -r cloud region billed_min console < <(grep "^$cloud " <<<"$clouds") || {
    printf 'live.sh CLOUD [BUILD]; CLOUD is one of:\n%s\n' "$(cut -d ' ' -f 1 <<<"$clouds")"
    exit 2
}
region=${REGION:-$region}
scratch=${LIVE_FOLDER:-$build/live}/$cloud # stays until everything in it is known to be ended
state=$scratch/state
config=${CONFIG:-${XDG_CONFIG_HOME:-$HOME/.config}/greenlaunch/config.yaml}
passed=0
failed=0

gl() {
    local command=$1
    shift
    "$build/greenlaunch" "$command" --state "$state" --config "$config" --no-input "$@" </dev/null
}

check() { # STATUS TEXT
    if [ "$1" -eq 0 ]; then
        passed=$((passed + 1))
        printf 'pass  %s\n' "$2"
    else
        failed=$((failed + 1))
        printf 'FAIL  %s\n' "$2"
        tail -n 8 "$scratch/said" 2>/dev/null | cut -c 1-300 | sed 's/^/      | /'
    fi
    [ "$1" -eq 0 ]
}

nothing() { # TEXT
    printf 'Nothing was started: %s.\n' "$1"
    exit 3
}

field() { # NAME: the first of that name in the document on standard input
    sed -n 's/^ *"'"$1"'": "\{0,1\}\([^",]*\)"\{0,1\},\{0,1\}$/\1/p' | head -n 1
}

# ---- ending what was started ----

alive() { # launches of this folder that have not ended, after a look at the cloud
    gl status --json >"$scratch/alive.json" 2>>"$scratch/log" || return 1
    sed -n '/^    "launches": \[/,/^    \]/p' "$scratch/alive.json" | awk -F '"' '
        $2 == "launch" { launch = $4 }
        $2 == "state" && $4 != "ended" && $4 != "lost" { print launch }'
}

# What was intended may be found only after a while: nothing is believed to be absent sooner.
clean_up() {
    local launches launch tries
    [ -d "$state" ] || return 0
    for tries in $(seq 1 40); do
        if launches=$(alive); then
            [ -n "$launches" ] || return 0
            for launch in $launches; do gl stop "$launch" >>"$scratch/log" 2>&1; done
        fi
        [ "$tries" -lt 3 ] || sleep 5
    done
    return 1
}

say_left() {
    printf 'Something may still run on %s. It ends by itself with its lease; see\n' "$cloud"
    printf '  %s status --state %s --config %s\n' "$build/greenlaunch" "$state" "$config"
}

# Ends what is left when this script is killed in a way that no trap meets.
guard() {
    trap '' INT TERM HUP
    while kill -0 $$ 2>/dev/null; do sleep 0.5; done
    [ ! -e "$scratch/done" ] || return
    if clean_up; then touch "$scratch/done"; else say_left; fi
}

# shellcheck disable=SC2317 # called by the trap
finish() {
    local status=$?
    trap '' INT TERM HUP
    if clean_up; then
        touch "$scratch/done"
    else
        say_left
        status=1
    fi
    [ -z "${guardian:-}" ] || { kill -KILL "$guardian" && wait "$guardian"; } 2>/dev/null
    exit "$status"
}

# ---- what it will be ----

mkdir -p "$state"
if [ ! -e "$scratch/done" ] && [ -e "$state/ledger.db" ]; then
    printf 'An earlier run did not end in order: ending what it may have left.\n'
    clean_up || { say_left; exit 1; }
fi
rm -rf "$scratch"
mkdir -p "$state"

exec 8>"$scratch.lock"
flock -n 8 || nothing "another $0 $cloud is under way"

where=()
[ "$region" = - ] || where+=(--region "$region")
if [ -n "${TYPE:-}" ]; then where+=(--type "$TYPE"); else where+=(--arch "${ARCH:-x86_64}"); fi
gl offers --refresh --cloud "$cloud" "${where[@]}" --duration "${lease_min}min" --sort price --limit 1 \
    --json >"$scratch/offers.json" 2>"$scratch/said" 8>&- ||
    nothing "greenlaunch has no offer of $cloud ${where[*]} $(field message <"$scratch/offers.json")"
offer=$(sed -n '/^    "offers": \[/,/^    \]/p' "$scratch/offers.json")
type=$(field type <<<"$offer")
region=$(field region <<<"$offer")
price=$(sed -n '/"price": {/,/}/p' <<<"$offer" | field value)
[ -n "$type" ] || nothing "greenlaunch has no offer of $cloud ${where[*]}"
case $price in '' | null) nothing "the price of $cloud $region $type in USD is not known" ;; esac

cost=$(awk -v price="$price" -v extras="$extras_usd_h" -v lease="$lease_min" -v least="$billed_min" \
    'BEGIN { printf "%.4f", (price + extras) * (lease > least ? lease : least) / 60 }')
awk -v cost="$cost" -v limit="$limit_usd" 'BEGIN { exit !(cost < limit) }' ||
    nothing "$cloud $region $type may cost $cost USD, and this never spends $limit_usd USD"

cat <<EOF
This will rent one machine, with greenlaunch itself:
  where    $cloud, $region, with the credentials and settings of $config
  what     $type at $price USD/h, running "sleep"
  how long $lease_min min at most (the lease); some minutes if all goes well
  cost     $cost USD at most: the machine, disk and address for $((lease_min > billed_min ? lease_min : billed_min)) min
  then     it is looked at, its readings are waited for, it is stopped and its receipt verified
EOF
if [ "${YES:-}" != 1 ]; then
    printf 'Start it? y or n: '
    read -r answer </dev/tty || answer=n
    case $answer in [yY]*) ;; *) printf 'Nothing was started.\n'; exit 11 ;; esac
fi

# ---- a life ----

trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
guard 8>&- &
guardian=$!

gl provider check "$cloud" >"$scratch/said" 2>&1 8>&-
check $? 'whoami: credentials, account and regions' || exit 1

cap=$(awk -v price="$price" 'BEGIN { printf "%.5f", price * 1.0001 + 0.00001 }')
gl launch --cloud "$cloud" --region "$region" --type "$type" --max-price "${cap}USD/h" \
    --duration "${lease_min}min" --name live-test --yes --json -- sleep 600 \
    >"$scratch/launch.json" 2>"$scratch/said" 8>&-
status=$?
[ "$status" -eq 0 ] || cat "$scratch/launch.json" >>"$scratch/said"
check "$status" 'launch' || exit 1
launch=$(field launch <"$scratch/launch.json")
printf '      %s\n' "$launch"

gl status "$launch" --json >"$scratch/said" 2>&1 8>&- &&
    [ "$(field state <"$scratch/said")" = running ]
check $? 'describe: it runs'

# Nobody but its labels tells of it to a ledger that never heard of it.
"$build/greenlaunch" status --state "$scratch/stranger" --config "$config" --no-input --json \
    >"$scratch/said" 2>&1 </dev/null 8>&- &&
    sed -n '/^    "unknown": \[/,/^    \]/p' "$scratch/said" | grep -q "\"$launch\""
check $? 'find: by its labels alone'

readings=0
if [ "${READINGS:-1}" = 1 ] && [ "$console" = console ]; then
    for _ in $(seq 1 60); do
        gl status "$launch" --json >"$scratch/said" 2>&1 8>&-
        readings=$(field readings <"$scratch/said")
        [ "${readings:-0}" -eq 0 ] || break
        sleep 4 8>&-
    done
    [ "${readings:-0}" -gt 0 ]
    check $? "readings: $readings so far"
else
    printf 'skip  readings: %s\n' "$([ "$console" = console ] && echo 'READINGS=0' || echo 'no console there')"
fi

gl stop "$launch" >"$scratch/said" 2>&1 8>&-
check $? 'stop'
gl verify "$state/receipts/$launch.json" --key "$state/broker.pub" >"$scratch/said" 2>&1 8>&-
check $? 'receipt: verified'
"$build/greenlaunch" status --state "$scratch/stranger" --config "$config" --no-input --json \
    >"$scratch/said" 2>&1 </dev/null 8>&- &&
    ! sed -n '/^    "unknown": \[/,/^    \]/p' "$scratch/said" | grep -q "\"$launch\""
check $? 'nothing is left of it'

printf '%d passed, %d failed on %s %s %s\n' "$passed" "$failed" "$cloud" "$region" "$type"
[ "$failed" -eq 0 ]
