# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Everything the hook says and keeps of a plan, and what of it holds a value that was planted there:
# told READER PLAN.
told() {
    local format formats=(json sarif junit tap markdown github gitlab atlantis azuredevops)

    rm -rf said "$XDG_STATE_HOME" && mkdir said
    greenlaunch hook "$1" "$2" --policy policy.yaml --at 2026-03-10T12:00:00Z --fix=said/fix \
        >said/text 2>said/errors
    greenlaunch hook "$1" "$2" --max-intensity 1g/kWh --min-grade D --offline \
        --write-baseline said/baseline >said/noted 2>&1
    greenlaunch hook "$1" "$2" --max-intensity 500g/kWh --min-grade D --offline >said/refused 2>&1
    for format in "${formats[@]}"; do
        greenlaunch hook "$1" "$2" --max-intensity 200g/kWh --min-grade D --offline \
            --output "$format=said/$format" >/dev/null 2>&1
    done
    greenlaunch hook facts "$1" "$2" >said/facts
    greenlaunch ledger export >said/ledger
    cp -R "$XDG_STATE_HOME" said/state
    grep -rlaE 'planted|31337|af-south-1' said | sort
}
