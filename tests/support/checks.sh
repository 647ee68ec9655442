# shellcheck shell=bash disable=SC2034,SC2154 # names that the scripts set or use
# SPDX-License-Identifier: Apache-2.0
# What the integration scripts share; sourced at the root of the tree. $scratch is the script's own
# folder where it uses exits() and said(), $state that of the program where it asks for launches.
number=0
failed=0

check() { # STATUS TEXT
    number=$((number + 1))
    [ "$1" -eq 0 ] || failed=1
    [ "$1" -eq 0 ] || printf 'not '
    printf 'ok %d - %s\n' "$number" "$2"
}

# The end of what was printed, for a reader of the log.
show_printed() {
    sed 's/^/# /' "$scratch/out" "$scratch/err" | tail -n 12
}

exits() { # EXPECTED TEXT COMMAND...: both streams into $scratch/out and $scratch/err
    local expected=$1 text=$2 status=0
    shift 2
    "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
    [ "$status" -eq "$expected" ] || show_printed
    [ "$status" -eq "$expected" ]
    check $? "$text (exit $status)"
}

said() { # REGEX TEXT: on either stream, whatever the lines are wrapped at; ^ and $ are a line's
    local status=0
    grep -qE "$1" "$scratch/out" "$scratch/err" ||
        cat "$scratch/out" "$scratch/err" | tr -s '\n ' ' ' | grep -qE "$1" || status=$?
    [ "$status" -eq 0 ] || show_printed
    check "$status" "$2"
}

tag_of() { # LAUNCH
    sed -n 's/.*"tag":"\([^"]*\)".*/\1/p' "$state/local/$1/instance.json"
}

machines_of() { # LAUNCH: the process ids of its QEMUs
    pgrep -f -- "-uuid $(tag_of "$1")"
}

state_of() { # LAUNCH
    greenlaunch status "$1" --json --offline 2>/dev/null | sed -n 's/^ *"state": "\([a-z]*\)".*/\1/p' | head -n 1
}
