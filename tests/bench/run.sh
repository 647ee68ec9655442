#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Measure, beside a named peer of the same run where there is one: tests/bench/run.sh [BUILD].
# Prints figures and asserts none; a peer that is not installed is skipped with the reason.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
case $build in /*) ;; *) build=$PWD/$build ;; esac
work=$build/tmp/bench
rm -rf "$work"
mkdir -p "$work"/{home,state}
export HOME=$work/home XDG_STATE_HOME=$work/state XDG_CONFIG_HOME=$work/config \
    XDG_CACHE_HOME=$work/cache
started=()

# shellcheck disable=SC2317 # called by the trap
finish() {
    local pid
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null; done
    wait 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

title() {
    printf '\n%s\n' "$1"
}

say() { # FORMAT ARGUMENT...
    local format=$1
    shift
    # shellcheck disable=SC2059 # formats are ours
    printf "  $format\n" "$@"
}

ratio() { # A B
    awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.2f", a / b; else printf "?" }'
}

# ---- start-up ----

start_up() {
    title 'Whole programs, 200 runs each in turn, median (90 % within)'
    # As it is installed: what a linker wrote piece by piece is mapped in smaller pieces.
    install -m 755 "$build/greenlaunch" "$work/greenlaunch"
    "$build/bench" start "$work/greenlaunch"
    maps_curl version
    maps_curl offers --offline --renewable-only --min-grade D --limit 5
}

# ldd does not see dlopen(), the dynamic loader's own trace does.
maps_curl() {
    if LD_DEBUG=files "$build/greenlaunch" "$@" 2>&1 >/dev/null | grep -q 'libcurl.*generating link map'; then
        say '%s maps libcurl' "$1"
    else
        say '%s maps no libcurl' "$1"
    fi
}

# ---- launches ----

# From the start of the program to the first signed reading on the instance's console.
first_reading() { # TITLE
    local begun now log=$work/launch.log pid console limit
    begun=$(date +%s%N)
    limit=$((begun + 90000000000))
    "$build/greenlaunch" run --demo --renewable-only --min-grade D --offline --duration 5min \
        -- sleep 1 >"$log" 2>&1 </dev/null &
    pid=$!
    started+=("$pid")
    console=
    while now=$(date +%s%N); [ "$now" -lt "$limit" ]; do
        [ -n "$console" ] || console=$(find "$XDG_STATE_HOME" -name console.log -newer "$work/mark" \
            2>/dev/null | head -n 1)
        [ -n "$console" ] && grep -qs '^GLM1 ' "$console" && break
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.02
    done
    if [ -n "$console" ] && [ "$now" -lt "$limit" ]; then
        say '%-34s first reading after %.2f s' "$1" \
            "$(awk -v ns=$((now - begun)) 'BEGIN { print ns / 1e9 }')"
    fi
    wait "$pid" || { say '%s: failed' "$1"; tail -n 5 "$log" | sed 's/^/    | /'; return 1; }
    now=$(date +%s%N)
    say '%-34s whole run of "sleep 1", stop and receipt %.2f s' "$1" \
        "$(awk -v ns=$((now - begun)) 'BEGIN { print ns / 1e9 }')"
    touch "$work/mark"
}

launches() {
    local how i
    title 'Launch to first reading (from exec of greenlaunch to the record on the console)'
    touch "$work/mark"
    first_reading 'first launch (boots)' || return
    how=$(grep -oE '\((qemu|process)[^)]*\)' "$work/launch.log" | head -n 1)
    for i in 2 3 4; do
        first_reading "launch $i (golden snapshot)" || return
    done
    say 'instances were %s' "${how:-of unknown kind}"
}

receipts() {
    local receipt
    title 'Receipts'
    receipt=$(find "$XDG_STATE_HOME" -path '*/receipts/*.json' 2>/dev/null | head -n 1)
    [ -n "$receipt" ] || { say 'skipped: no launch has left a receipt'; return; }
    "$build/bench" receipt "$receipt"
}

# ---- the meter ----

fixture() { # a machine with two packages and memory, as powercap shows it
    local root=$1 zone name
    mkdir -p "$root/proc"
    cp /proc/stat /proc/meminfo /proc/cpuinfo "$root/proc/"
    for zone in 'intel-rapl:0 package-0 262143328850' 'intel-rapl:0:0 dram 65712999613' \
        'intel-rapl:1 package-1 262143328850' 'intel-rapl:1:0 dram 65712999613'; do
        read -r zone name range <<<"$zone"
        mkdir -p "$root/sys/class/powercap/$zone"
        printf '%s\n' "$name" >"$root/sys/class/powercap/$zone/name"
        printf '%s\n' "$range" >"$root/sys/class/powercap/$zone/max_energy_range_uj"
        printf '1000000\n' >"$root/sys/class/powercap/$zone/energy_uj"
    done
}

cpu_ns() { # PID: on-CPU time of all its threads
    cat /proc/"$1"/task/*/schedstat 2>/dev/null | awk '{ total += $1 } END { printf "%.0f", total }'
}

resident_kib() { # PID
    sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$1/status"
}

samples=100
meter_cpu_us=
meter_kib=

our_meter() {
    local pid before after
    "$build/greenlaunch-meter" --daemon --sysroot "$work/fixture" --interval 100 \
        --output "$work/meter.out" >/dev/null 2>"$work/meter.err" </dev/null &
    pid=$!
    started+=("$pid")
    sleep 2
    kill -0 "$pid" 2>/dev/null || { say 'skipped: greenlaunch-meter did not run: %s' \
        "$(head -n 1 "$work/meter.err")"; return 1; }
    before=$(cpu_ns "$pid")
    sleep $((samples / 10))
    after=$(cpu_ns "$pid")
    meter_kib=$(resident_kib "$pid")
    kill "$pid"
    wait "$pid" 2>/dev/null
    meter_cpu_us=$(awk -v ns=$((after - before)) -v n=$samples 'BEGIN { printf "%.1f", ns / 1000 / n }')
    say '%-34s %6d KiB resident, %8.1f us CPU a sample (sampled, chained, signed in batches)' \
        greenlaunch-meter "$meter_kib" "$meter_cpu_us"
}

scrape() { # PORT: one GET, its answer's length
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
    cat <&3 | wc -c
    exec 3<&- 3>&-
}

node_exporter() {
    local program pid port tries before after i kib cpu
    program=$(command -v prometheus-node-exporter || command -v node_exporter) ||
        { say 'prometheus-node-exporter: skipped: not installed'; return; }
    port=$((20000 + RANDOM % 20000))
    "$program" --collector.disable-defaults --collector.rapl --path.sysfs="$work/fixture/sys" \
        --web.disable-exporter-metrics --web.listen-address="127.0.0.1:$port" \
        >"$work/exporter.log" 2>&1 </dev/null &
    pid=$!
    started+=("$pid")
    for tries in 1 2 3 4 5 6 7 8 9 10; do
        sleep 0.3
        { scrape "$port" >/dev/null; } 2>/dev/null && break
    done
    if [ "$tries" -eq 10 ] || ! kill -0 "$pid" 2>/dev/null; then
        say 'prometheus-node-exporter: skipped: did not answer'
        return
    fi
    before=$(cpu_ns "$pid")
    for ((i = 0; i < samples; i++)); do
        scrape "$port" >/dev/null
        sleep 0.02
    done
    after=$(cpu_ns "$pid")
    kib=$(resident_kib "$pid")
    kill "$pid"
    wait "$pid" 2>/dev/null
    cpu=$(awk -v ns=$((after - before)) -v n=$samples 'BEGIN { printf "%.1f", ns / 1000 / n }')
    say '%-34s %6d KiB resident, %8.1f us CPU a scrape (RAPL collector only, %s)' \
        prometheus-node-exporter "$kib" "$cpu" 'raw counters over HTTP'
    [ -z "$meter_kib" ] || say 'ours / theirs: %s of the memory, %s of the CPU' \
        "$(ratio "$meter_kib" "$kib")" "$(ratio "$meter_cpu_us" "$cpu")"
}

meters() {
    title "The meter on a fixture tree of two packages with memory ($samples samples)"
    fixture "$work/fixture"
    our_meter
    node_exporter
}

for program in greenlaunch greenlaunch-meter bench; do
    [ -x "$build/$program" ] || { printf '%s is not built: make bench\n' "$build/$program"; exit 1; }
done
printf 'Measured on %s, %s processors; load %s\n' "$(uname -srm)" "$(nproc)" \
    "$(cut -d ' ' -f 1-3 /proc/loadavg)"
start_up
title 'Offers, decided in one process'
"$build/bench" offers
title "Plans: the streaming JSON reader beside jansson (GREENLAUNCH_BENCH_PLAN)"
"$build/bench" json
title 'Plans judged: the whole command beside its peers (GREENLAUNCH_BENCH_PLAN)'
bash tests/bench/hook.sh "$build"
title 'Demand signals, clustered'
"$build/bench" demand
title 'The same out of the ledger: opened, read, clustered; 64 MB and a second are the ceilings'
"$build/bench" demand-ledger "$work"
title 'Energy counters over 30 simulated days, every range and power'
"$build/bench" energy "$work/rapl"
title 'Published figures recomputed'
"$build/bench" papers
title 'Planning: papers computed again (GREENLAUNCH_BENCH_PAPERS, GREENLAUNCH_BENCH_AWHILE)'
"$build/bench" planning
title 'Guarantee: promises of the past, kept as stated? (GREENLAUNCH_BENCH_GRID)'
"$build/bench" guarantee
title 'Launch on EC2 (moto on this machine), as a whole program'
bash tests/bench/aws.sh "$build"
launches
receipts
meters
exit 0
