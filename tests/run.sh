#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Run every test of a build and count: tests/run.sh BUILD [WORD...] (only what a WORD occurs in).
# Prints one line a program, the output of what failed, and as its very last line
# `N passed, N failed, N skipped`. A program that crashes, hangs or runs no test is a failure, and
# so is a process that is still there afterwards.
set -u
export LC_ALL=C.UTF-8
unset MAKEFLAGS MAKELEVEL MFLAGS
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
[ $# -eq 0 ] || shift
words=("$@")
limit=${TEST_SECONDS:-240} # of one program

passed=0
failed=0
skipped=0
failures=()
# Sanitizers and valgrind-like builds are slower; a hang is a hang all the same.
slow=1
case $build in */san*) slow=8 ;; esac

build=$(cd "$build" && pwd) || exit 1
run=$build/tmp/run.$$
rm -rf "$run"
mkdir -p "$run"/{home,config,state,cache,tmp,log}
: >"$build/tmp/seconds" # what each program took
chmod 755 "$run"
export BUILD_DIR=$build GREENLAUNCH_TEST_RUN=$run
export HOME=$run/home XDG_CONFIG_HOME=$run/config XDG_STATE_HOME=$run/state \
    XDG_CACHE_HOME=$run/cache TMPDIR=$run/tmp
# What the user's shell says about colour, width or zones must not change a test.
unset NO_COLOR CLICOLOR COLUMNS CI GREENLAUNCH_ACCEL GREENLAUNCH_GUEST GREENLAUNCH_METER
export TERM=dumb TZ=UTC
export ASAN_OPTIONS=${ASAN_OPTIONS:-abort_on_error=0:detect_leaks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

wanted() { # NAME
    local word
    [ ${#words[@]} -eq 0 ] && return 0
    for word in "${words[@]}"; do
        case $1 in *"$word"*) return 0 ;; esac
    done
    return 1
}

# tally NAME PASSED FAILED SKIPPED LOG
tally() {
    passed=$((passed + $2))
    failed=$((failed + $3))
    skipped=$((skipped + $4))
    if [ "$3" -gt 0 ]; then
        failures+=("$1")
        printf 'FAIL  %-44s %4d passed, %d failed\n' "$1" "$2" "$3"
        # What cmocka prints about tests that went well helps nobody here.
        grep -vE '^\[ (RUN|      OK) |^ok ' "$5" | tail -n 120 | cut -c 1-400 | sed 's/^/      | /'
    elif [ "$4" -gt 0 ]; then
        printf 'ok    %-44s %4d passed, %d skipped\n' "$1" "$2" "$4"
        grep -hE '^skip |^\[  SKIPPED \] [a-z]|^ok .*# SKIP|^skipped: ' "$5" | sort -u |
            cut -c 1-200 | sed 's/^\[  SKIPPED \]/skip/; s/^/      | /'
    else
        printf 'ok    %-44s %4d passed\n' "$1" "$2"
    fi
}

sum() { # REGEX LOG: the sum of the numbers that its group matches
    sed -nE "s/.*$1.*/\\1/p" "$2" | awk '{ total += $1 } END { print total + 0 }'
}

# How a program ended, in words; nothing when it is no more than its failed tests.
ending() { # STATUS SECONDS
    case $1 in
    124 | 137) printf 'did not end within %d s' "$2" ;;
    13[0-9] | 14[0-9] | 15[0-9]) printf 'ended by signal %d' $(($1 - 128)) ;;
    126 | 127) printf 'could not be started' ;;
    esac
}

# limited SECONDS LOG COMMAND...
limited() {
    local seconds=$1 log=$2 status=0 from=$SECONDS
    shift 2
    timeout -k 5 "$seconds" "$@" >"$log" 2>&1 </dev/null || status=$?
    printf '%4d %s\n' $((SECONDS - from)) "${log##*/}" >>"$build/tmp/seconds"
    return "$status"
}

# started NAME PROGRAM: runs it to its end; how it ended stands beside its log.
started() {
    local log=$run/log/${1//\//-} status=0
    limited $((limit * slow)) "$log" "$2" || status=$?
    printf '%d\n' "$status" >"$log.status"
}

ended() { # NAME: counts what it printed
    local log=$run/log/${1//\//-} status p f s why
    until [ -s "$log.status" ]; do sleep 0.02; done
    status=$(<"$log.status")
    p=$(sum '\[  PASSED  \] ([0-9]+) test\(s\)' "$log")
    f=$(sum '\[  FAILED  \] ([0-9]+) test\(s\)' "$log")
    s=$(sum '\[  SKIPPED \] ([0-9]+) test\(s\)' "$log")
    why=$(ending "$status" $((limit * slow)))
    if [ -z "$why" ] && [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
        why="ended with status $status, no failed test"
    elif [ -z "$why" ] && [ $((p + f + s)) -eq 0 ]; then
        why='ran no test'
    fi
    if [ -n "$why" ]; then
        printf '%s %s\n' "$1" "$why" >>"$log"
        f=$((f + 1))
    fi
    tally "$1" "$p" "$f" "$s" "$log"
}

# cmocka_programs WORKERS FOLDER...: so many at once, each with a home of its own; told in order.
cmocka_programs() {
    local workers=$1 folder source name names=() own number=0
    shift
    for folder in "$@"; do
        while read -r source; do
            name=${source#tests/}
            wanted "${name%.c}" && names+=("${name%.c}")
        done < <(compgen -G "tests/$folder/test_*.c" | sort)
    done
    for name in "${names[@]}"; do
        own=$run/$((++number)) # short: sockets lie below it
        mkdir -p "$own"/{home,config,state,cache}
        HOME=$own/home XDG_CONFIG_HOME=$own/config XDG_STATE_HOME=$own/state \
            XDG_CACHE_HOME=$own/cache started "$name" "$build/tests/$name" &
        [ "$(jobs -rp | wc -l)" -lt "$workers" ] || wait -n
    done &
    for name in "${names[@]}"; do
        ended "$name"
    done
    wait
}

# Lines `ok ...`, `not ok ...`, `skip ...`; a skip may also be `ok ... # SKIP reason`.
tap_script() { # NAME SECONDS COMMAND...
    local name=$1 seconds=$(($2 * slow)) log=$run/log/${1//\//-} status p f s why
    shift 2
    wanted "$name" || return 0
    limited "$seconds" "$log" "$@"
    status=$?
    s=$(grep -cE '^skip |^ok .*# SKIP' "$log")
    p=$(grep -E '^ok ' "$log" | grep -cv '# SKIP')
    f=$(grep -cE '^not ok' "$log")
    why=$(ending "$status" "$seconds")
    if [ -z "$why" ] && [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
        why="ended with status $status"
    elif [ -z "$why" ] && [ $((p + f + s)) -eq 0 ]; then
        why='ran no test'
    fi
    if [ -n "$why" ]; then
        printf '%s %s\n' "$name" "$why" >>"$log"
        f=$((f + 1))
    fi
    tally "$name" "$p" "$f" "$s" "$log"
}

cases() {
    local log=$run/log/cases status counts f
    wanted cases || return 0
    [ -x tests/cases.sh ] || return 0
    limited $((600 * slow)) "$log" tests/cases.sh "$build"
    status=$?
    counts=$(sed -nE 's/^cases: ([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped.*/\1 \2 \3/p' \
        "$log" | tail -n 1)
    if [ -z "$counts" ]; then
        printf 'cases ended with status %d and no closing line\n' "$status" >>"$log"
        counts='0 1 0'
    fi
    # shellcheck disable=SC2086 # three numbers
    set -- $counts
    f=$2
    [ "$status" -eq 0 ] || [ "$f" -gt 0 ] || f=1
    tally cases "$1" "$f" "$3" "$log"
}

# Processes that this run left: they carry its mark in their environment, or (QEMU starts with a
# clean one) hold a file below its folders or name one.
leftovers() {
    local proc pid
    for proc in /proc/[0-9]*; do
        pid=${proc#/proc/}
        [ "$pid" -eq $$ ] && continue
        [ "$pid" -eq "$BASHPID" ] && continue
        if grep -qzsF "GREENLAUNCH_TEST_RUN=$run" "$proc/environ" 2>/dev/null ||
            grep -qsF "$run" "$proc/cmdline" 2>/dev/null ||
            find "$proc/fd" "$proc/cwd" -lname "$run/*" 2>/dev/null | grep -q .; then
            # Our own helpers of this moment (find, grep) are gone by the time we look again.
            [ "$(awk '{ print $4 }' "$proc/stat" 2>/dev/null)" = "$BASHPID" ] ||
                printf '%s\n' "$pid"
        fi
    done
}

nothing_left() {
    local log=$run/log/leftovers pids pid tries
    # What was told to end may need a moment.
    for tries in 1 2 3 4 5 6; do
        pids=$(leftovers)
        [ -z "$pids" ] && break
        [ "$tries" -eq 6 ] || sleep 0.5
    done
    if [ -z "$pids" ]; then
        tally 'nothing left running' 1 0 0 /dev/null
        return
    fi
    for pid in $pids; do
        printf 'left running: %s %s\n' "$pid" "$(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -c 1-200)"
        kill -KILL "$pid" 2>/dev/null
    done >"$log"
    tally 'nothing left running' 0 1 0 "$log"
}

cmocka_programs "$(nproc)" 'unit/*' property conformance
cmocka_programs 1 fault # these start instances and kill at given moments
cases
for script in tests/integration/*.sh; do
    [ -f "$script" ] || continue
    name=${script#tests/}
    tap_script "${name%.sh}" 300 bash "$script" "$build"
done
# These test the tree, not a build.
if [ "$build" = "$PWD/build" ]; then
    tap_script howto 600 tests/howto.sh
    tap_script lint_selftest 120 tests/lint_selftest.sh
    tap_script run_selftest 120 tests/run_selftest.sh
fi
nothing_left

if [ ${#failures[@]} -gt 0 ]; then
    printf 'failed: %s\n' "${failures[*]}"
else
    rm -rf "$run"
fi
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
