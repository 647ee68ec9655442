#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Golden cases: tests/cases.sh [--accept] BUILD [WORD...] (only cases in whose name a WORD occurs).
# A case is a folder tests/cases/AREA/NAME; adding a test is adding a folder:
#   cmd     what to run, by bash, in a scratch copy of the folder, without a terminal
#   out err what it must print to standard output and error; absent = nothing
#   rc      how it must end; absent = 0
#   mask    sed -E expressions laid over both outputs first; the scratch folder is SCRATCH anyway,
#           $BUILD and $SOURCE (the build and the tree, for cmd to use) are BUILD and SOURCE
#   needs   programs, one a line, without which the case is skipped
# and any other files that cmd uses. HOME and the XDG folders lie in the scratch copy, the built
# programs come first in PATH, COLUMNS is 80, the processor is that of tests/support/cpuinfo.
# --accept writes what is printed now as what is expected.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.." || exit 1
accept=
if [ "${1:-}" = --accept ]; then
    accept=1
    shift
fi
build=${1:-build}
[ $# -eq 0 ] || shift
words=("$@")
root=$PWD
case $build in /*) ;; *) build=$root/$build ;; esac
work=$build/tmp/cases.$$
limit=60 # seconds of one case
case $build in */san*) limit=480 ;; esac # as in tests/run.sh
passed=0
failed=0
skipped=0

wanted() { # NAME
    local word
    [ ${#words[@]} -eq 0 ] && return 0
    for word in "${words[@]}"; do
        case $1 in *"$word"*) return 0 ;; esac
    done
    return 1
}

# The first program of the list that is not there; nothing when all are.
missing() { # CASE
    local program
    [ -f "$1/needs" ] || return 0
    while read -r program; do
        command -v "$program" >/dev/null 2>&1 || { printf '%s' "$program"; return; }
    done <"$1/needs"
}

# Run cmd in the scratch copy; what it printed goes to got.out, got.err and got.rc beside it.
run_case() { # CASE SCRATCH
    rm -rf "$2"
    mkdir -p "$2"
    cp -R "$1/." "$2/"
    mkdir -p "$2/.home" "$2/.tmp"
    (
        cd "$2" || exit 1
        unset NO_COLOR CLICOLOR CLICOLOR_FORCE CI ACCESSIBLE NO_PROGRESS
        for name in $(compgen -e GREENLAUNCH_); do
            [ "$name" = GREENLAUNCH_TEST_RUN ] || unset "$name"
        done
        export HOME=$2/.home XDG_CONFIG_HOME=$2/.home/config XDG_STATE_HOME=$2/.home/state \
            XDG_CACHE_HOME=$2/.home/cache TMPDIR=$2/.tmp PATH=$build:$PATH TZ=UTC COLUMNS=80 \
            TERM=dumb SOURCE=$root BUILD=$build GREENLAUNCH_CPUINFO=$root/tests/support/cpuinfo
        exec timeout -k 5 "$limit" bash cmd
    ) >"$2.out" 2>"$2.err" </dev/null
    printf '%d\n' $? >"$2.rc"
    printf 's|%s|SCRATCH|g\n' "$2" "$build" "$root" | sed '2s/SCRATCH/BUILD/; 3s/SCRATCH/SOURCE/' \
        >"$2.mask"
    [ ! -f "$1/mask" ] || cat "$1/mask" >>"$2.mask"
    sed -E -i -f "$2.mask" "$2.out" "$2.err"
}

# The expected text of a part into a file of its own: an absent one has a meaning too.
expected() { # CASE PART INTO
    if [ -f "$1/$2" ]; then
        cp "$1/$2" "$3"
    elif [ "$2" = rc ]; then
        printf '0\n' >"$3"
    else
        : >"$3"
    fi
}

compare() { # NAME CASE SCRATCH
    local part bad=0
    for part in rc out err; do
        expected "$2" $part "$3.want"
        diff -u --label "$1/$part" --label "printed" "$3.want" "$3.$part" >"$3.diff" && continue
        [ $bad -eq 1 ] || printf 'not ok %s\n' "$1"
        head -n 60 "$3.diff" | sed 's/^/    /'
        bad=1
    done
    return $bad
}

write_expected() { # CASE SCRATCH
    local part
    for part in rc out err; do
        expected "$1" $part "$2.want"
        cmp -s "$2.want" "$2.$part" && continue
        printf 'accepted %s/%s\n' "$1" $part
        cp "$2.$part" "$1/$part"
    done
    # What says nothing more than its absence does not stay.
    if [ -f "$1/rc" ] && [ "$(cat "$1/rc")" = 0 ]; then rm "$1/rc"; fi
    for part in out err; do
        if [ -f "$1/$part" ] && [ ! -s "$1/$part" ]; then rm "$1/$part"; fi
    done
}

mkdir -p "$work"
for cmd in tests/cases/*/*/cmd; do
    [ -f "$cmd" ] || continue
    case=${cmd%/cmd}
    name=${case#tests/cases/}
    wanted "$name" || continue
    lack=$(missing "$case")
    if [ -n "$lack" ]; then
        printf 'skip %s: %s is not installed\n' "$name" "$lack"
        skipped=$((skipped + 1))
        continue
    fi
    scratch=$work/${name//\//.}
    run_case "$root/$case" "$scratch"
    if [ -n "$accept" ]; then
        write_expected "$case" "$scratch"
        passed=$((passed + 1))
    elif compare "$name" "$case" "$scratch"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
    rm -rf "$scratch"
done
[ "$failed" -gt 0 ] || rm -rf "$work"
printf 'cases: %d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ] && [ $((passed + skipped)) -gt 0 ]
