#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tests/live.sh, the test for people with an account, against counterparts that cost nothing: ours,
# and moto where it can be had. It is the very same script; killed in the middle it leaves nothing.
# tests/integration/live.sh BUILD
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
. tests/support/checks.sh
# shellcheck source=tests/support/aws_venv.sh
. tests/support/aws_venv.sh
scratch=$build/tmp/live-$$
other=
pin=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

# A counterpart ends with its standard input and says what is left.
end_counterpart() {
    [ -n "$other" ] || return 0
    exec 9>&-
    wait "$other" 2>/dev/null
    other=
}
# shellcheck disable=SC2317 # called by the trap
clean() {
    end_counterpart
    [ "$failed" -ne 0 ] || rm -rf "$scratch"
}
trap clean EXIT

wait_for() { # FILE
    for _ in $(seq 240); do
        [ -f "$1" ] && return 0
        kill -0 "$other" 2>/dev/null || return 1
        sleep 0.25
    done
    return 1
}

start_counterpart() { # CLOUD
    rm -rf "$scratch"
    mkdir -p "$scratch"
    mkfifo "$scratch/in"
    "$build/tests/live/counterpart" "$1" "$scratch" "$scratch/live/$1/state" \
        <"$scratch/in" >"$scratch/left" 2>&1 &
    other=$!
    exec 9>"$scratch/in"
    wait_for "$scratch/ready" || return 1
    printf 'meter: {%s: "https://meters.example/m", %s: %s, %s: "https://meters.example/a", %s: %s}\n' \
        url sha256 "$pin" arm64_url arm64_sha256 "$pin" >>"$scratch/config.yaml"
    mapfile -t environment <"$scratch/environment"
}

# live CLOUD [VARIABLE=VALUE...]: nothing of the environment of who runs the tests
live() {
    local cloud=$1
    shift
    env -i PATH="$PATH" HOME="$scratch" GREENLAUNCH_TEST_RUN="${GREENLAUNCH_TEST_RUN:-}" \
        "${environment[@]}" CONFIG="$scratch/config.yaml" \
        LIVE_FOLDER="$scratch/live" YES=1 "$@" \
        bash tests/live.sh "$cloud" "$build" >"$scratch/out" 2>"$scratch/err" 9>&-
}

# begun TEXT: runs until the line is printed; its process is $script
begun() {
    live aws REGION=eu-north-1 TYPE=t3.micro 2>/dev/null &
    shell=$!
    for _ in $(seq 600); do
        grep -qs "^pass  $1" "$scratch/out" && break
        sleep 0.05
    done
    script=$(pgrep -P "$shell" -f 'tests/live.sh' || echo "$shell")
}

nothing_left() { # TEXT
    end_counterpart
    [ "$(cat "$scratch/left")" = 'left 0
complaints ' ]
    check $? "$1: nothing is left there, nobody complains"
    grep -qs '^left 0$' "$scratch/left" || sed 's/^/# /' "$scratch/left"
}

a_life() { # CLOUD REGION TYPE PASSED
    start_counterpart "$1"
    live "$1" REGION="$2" TYPE="$3"
    local status=$?
    [ "$status" -eq 0 ] && grep -q "^$4 passed, 0 failed" "$scratch/out"
    check $? "$1: $4 checks pass (exit $status)"
    [ "$status" -eq 0 ] || show_printed
    nothing_left "$1"
}

refused() { # CLOUD REGION TYPE REGEX TEXT
    start_counterpart "$1"
    exits 3 "$1: $5" live "$1" REGION="$2" TYPE="$3"
    grep -qE "^Nothing was started: .*$4" "$scratch/out"
    check $? "$1: says so"
    nothing_left "$1"
}

a_life aws eu-north-1 t3.micro 8
a_life gcp europe-north1 n2-standard-2 8
a_life azure swedencentral Standard_B1s 8
a_life scaleway fr-par DEV1-S 7
a_life hetzner fsn1 cax11 7
refused digitalocean ams3 g-2vcpu-8gb 'may cost 0\.1[0-9]* USD' 'too dear is refused'

# Clouds that sell in euro need their user's rate, and say so; an account billed in dollars does not.
without_rate() { # CLOUD
    start_counterpart "$1"
    sed -i '/usd_per_eur/d' "$scratch/config.yaml"
}
# shellcheck disable=SC2317 # called by exits
command_of() { # CLOUD REGION TYPE
    env -i PATH="$PATH" HOME="$scratch" "${environment[@]}" "$build/greenlaunch" launch \
        --state "$scratch/state" --config "$scratch/config.yaml" --no-input --cloud "$1" \
        --region "$2" --type "$3" --max-price 1USD/h --duration 10min
}
for row in '8 hetzner fsn1 cax11' '3 scaleway fr-par DEV1-S'; do
    read -r status cloud region type <<<"$row"
    without_rate "$cloud"
    exits "$status" "$cloud: without a rate nothing is started" command_of "$cloud" "$region" "$type"
    said 'usd_per_eur' "$cloud: the setting is named"
    nothing_left "$cloud"
done
export FAKE_HETZNER_BILLS_IN_USD=1
without_rate hetzner
unset FAKE_HETZNER_BILLS_IN_USD
live hetzner REGION=fsn1 TYPE=cax11
status=$?
[ "$status" -eq 0 ] && grep -q '^7 passed, 0 failed' "$scratch/out"
check $? "hetzner billed in USD: 7 checks pass without a rate (exit $status)"
[ "$status" -eq 0 ] || show_printed
nothing_left hetzner

# Nobody but a private cloud knows its regions: without them, the way to them is named.
for row in 'openstack north small' 'kubernetes eu-north-1 m5.large'; do
    read -r cloud region type <<<"$row"
    start_counterpart "$cloud"
    exits 3 "$cloud: before it was asked nothing is started" command_of "$cloud" "$region" "$type"
    said 'offers --refresh --cloud '"$cloud" "$cloud: the way is named"
    nothing_left "$cloud"
done
a_life openstack north small 8
a_life kubernetes eu-north-1 m5.large 8

# What may not be looked at is named, and all else is stopped.
export FAKE_AWS_CLOSED=eu-west-1
start_counterpart aws
unset FAKE_AWS_CLOSED
sed -i "s/regions: 'eu-north-1'/regions: 'eu-north-1,eu-west-1'/" "$scratch/config.yaml"
exits 0 'aws: a launch beside a closed region' command_of aws eu-north-1 t3.micro
exits 10 'aws: stop --all-mine is partial' env -i PATH="$PATH" HOME="$scratch" \
    "${environment[@]}" "$build/greenlaunch" stop --all-mine --state "$scratch/state" \
    --config "$scratch/config.yaml" --no-input
said 'not allowed to look at aws in eu-west-1' 'aws: the closed region is named'
nothing_left aws

# A private cloud whose grid zone nobody named is never green.
start_counterpart openstack
sed -i '/grid-zone/d' "$scratch/config.yaml"
env -i PATH="$PATH" HOME="$scratch" "${environment[@]}" "$build/greenlaunch" offers --refresh \
    --cloud openstack --state "$scratch/state" --config "$scratch/config.yaml" \
    --duration 10min >/dev/null 2>&1
exits 8 'openstack: what stands nowhere is not green' env -i PATH="$PATH" HOME="$scratch" \
    "${environment[@]}" "$build/greenlaunch" launch --state "$scratch/state" \
    --config "$scratch/config.yaml" --no-input --cloud openstack --region north --type small \
    --renewable-only=1% --max-price 1USD/h --duration 10min
nothing_left openstack

# killed SIGNAL AFTER TEXT: once that line is printed; whoever is left cleans up
killed() {
    local status=0
    start_counterpart aws
    begun "$2"
    kill -"$1" "$script" 2>/dev/null
    wait "$shell" 2>/dev/null || status=$?
    for _ in $(seq 300); do
        [ -e "$scratch/live/aws/done" ] && break
        sleep 0.2
    done
    [ -e "$scratch/live/aws/done" ] && ! grep -q 'nothing is left of it' "$scratch/out"
    check $? "$3 (exit $status)"
    nothing_left "$3"
}

killed TERM launch 'told to end in the middle'
killed KILL launch 'killed in the middle'
killed KILL whoami 'killed while it launches'

# Killed together with its guard: the next run ends what is left, before anything else.
start_counterpart aws
begun launch
mapfile -t guards < <(pgrep -P "$script" -f 'tests/live.sh')
kill -KILL "$script" "${guards[@]}" 2>/dev/null
wait "$shell" 2>/dev/null
live aws REGION=eu-north-1 TYPE=t3.micro
status=$?
[ "$status" -eq 0 ] && grep -q '^An earlier run did not end in order' "$scratch/out" &&
    grep -q '^8 passed, 0 failed' "$scratch/out"
check $? "the next run ends what one left that was killed with its guard (exit $status)"
[ "$status" -eq 0 ] || show_printed
nothing_left 'after both'

# ---- moto ----

start_moto() {
    rm -rf "$scratch"
    mkdir -p "$scratch"
    mkfifo "$scratch/in"
    "$python" tests/support/aws_judge.py plain "$scratch" <"$scratch/in" >"$scratch/log" 2>&1 &
    other=$!
    exec 9>"$scratch/in"
    wait_for "$scratch/url" || return 1
    environment=("AWS_ENDPOINT_URL=$(cat "$scratch/url")"
        "AWS_ACCESS_KEY_ID=$(awk '{ print $2 }' "$scratch/keys")"
        "AWS_SECRET_ACCESS_KEY=$(awk '{ print $3 }' "$scratch/keys")" AWS_EC2_METADATA_DISABLED=true)
    printf '%s\n' 'greenlaunch_config: 1' 'zone: IS' 'clouds:' '  aws:' '    region: eu-north-1' \
        '    regions: eu-north-1' "    image: $(cat "$scratch/ami")" "    settle: '1'" \
        'sources: []' >"$scratch/config.yaml"
}

if aws_venv "$build"; then
    start_moto
    check $? 'moto answers'
    live aws REGION=eu-north-1 TYPE=t3.micro READINGS=0
    status=$?
    [ "$status" -eq 0 ] && grep -q '^7 passed, 0 failed' "$scratch/out"
    check $? "moto: 7 checks pass (exit $status)"
    [ "$status" -eq 0 ] || show_printed
    [ ! -s "$scratch/verdict" ]
    check $? "$(wc -l <"$scratch/asked") requests are what botocore's model says, signed as it signs"
    sed 's/^/# /' "$scratch/verdict"
    end_counterpart
else
    printf 'skip moto: %s\n' "$missing"
fi
exit "$failed"
