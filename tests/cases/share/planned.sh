# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: Apache-2.0
# Sourced by cases that need a history: grid.csv of an invented grid and a configuration for it.
# planned ZONE:LEVEL[:DAYS[:SHIFT]]...: figures of each zone until 2025-05-01T23:00Z; the first is home.
planned() {
    sh "$SOURCE/tests/support/grid_series.sh" >grid.csv
    printf 'greenlaunch_config: 1\nzone: %s\ncountry: DE\nsources: [{file: grid.csv}]\n' \
        "${1%%:*}" >config.yaml
    seed=0
    for one in "$@"; do
        seed=$((seed + 1))
        IFS=: read -r zone level days shift <<EOF
$one
EOF
        days=${days:-120}
        sh "$SOURCE/tests/support/grid_series.sh" "$zone" $((20210 - days)) "$days" "$level" \
            $seed "$shift" >>grid.csv
    done
}
at=2025-05-01T16:30Z
