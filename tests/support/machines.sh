# shellcheck shell=bash disable=SC2034,SC2154 # names that the scripts set or use
# SPDX-License-Identifier: Apache-2.0
# What the integration scripts with real machines share; sourced at the root of the tree after
# $build, with the name of the script's own folder: the program finds nothing but that folder.
scratch=$build/tmp/$1
rm -rf "$scratch"
mkdir -p "$scratch/config/greenlaunch"
export PATH=$build:$PATH HOME=$scratch XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/config
state=$XDG_STATE_HOME/greenlaunch
. tests/support/checks.sh

# What the last command started, into $id.
started() {
    id=$(sed -n 's/^Started \(gl-[a-z0-9]*\) .*/\1/p' "$scratch/out")
    [ -n "$id" ]
}

# A machine that says a number each second: its launch into $id.
count_seconds() { # WORD... of greenlaunch launch
    # shellcheck disable=SC2016 # for the guest
    greenlaunch launch "$@" -- \
        sh -c 'i=0; while :; do i=$((i+1)); echo $i; sleep 1; done' >"$scratch/out" 2>"$scratch/err"
    started
}

# After the first launch: the script ends here, and says why, where there are no machines that can
# be paused.
need_machines() { # STATUS
    if [ "$1" -ne 0 ]; then
        show_printed
        grep -q GL5009 "$scratch/err" || { check 1 'a first launch'; exit 1; }
        printf 'skip this machine cannot run instances\n'
        exit 0
    fi
    grep -q 'qemu/' "$scratch/out" && return
    greenlaunch stop --all-mine --offline >/dev/null 2>&1
    printf 'skip instances here are processes, which cannot be paused\n'
    exit 0
}
