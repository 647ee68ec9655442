#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What support desks would be sent, held against their vendors' own descriptions, which come by pip
# into BUILD: Google's discovery document and Azure's models. tests/integration/venue_described.sh
# BUILD. Nothing is sent anywhere.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
# shellcheck source=tests/support/checks.sh
. tests/support/checks.sh
scratch=$build/tmp/venue-described.$$
venv=$build/venv-described
program=$build/tests/conformance/test_venue_judged

# shellcheck disable=SC2317 # called by the trap
clean() {
    [ "$failed" -ne 0 ] || rm -rf "$scratch"
}
trap clean EXIT
mkdir -p "$scratch"

have() {
    [ -f "$venv/whole" ] || (
        rm -rf "$venv"
        python3 -m venv "$venv" && timeout 240 "$venv/bin/pip" install -q \
            --disable-pip-version-check google-api-python-client==2.202.0 \
            azure-mgmt-support==7.0.0 && touch "$venv/whole"
    ) >"$build/venv-described.log" 2>&1
}

if ! have; then
    printf 'skip venue descriptions: pip: %s\n' "$(tail -n 1 "$build/venv-described.log")"
    exit 0
fi
GREENLAUNCH_JUDGE_DESCRIBED=$scratch/steps.json timeout 60 "$program" >"$scratch/log" 2>&1
[ -s "$scratch/steps.json" ]
check $? 'previews of Google and Azure'

described() { # WHAT TEXT
    "$venv/bin/python" tests/support/venue_described.py "$scratch/steps.json" "$1" \
        >"$scratch/log" 2>&1
    local status=$?
    [ "$status" -eq 0 ] || tail -n 8 "$scratch/log" | sed 's/^/# /'
    check "$status" "$2"
}
described google "Google's description of Cloud Support knows every member and address"
described azure "Azure's own models take the ticket whole, at that address and version"
sed -i 's/"severity"/"severitty"/; s/\\"severity\\"/\\"severitty\\"/; s/\\"testCase\\"/\\"testcase\\"/' \
    "$scratch/steps.json"
! "$venv/bin/python" tests/support/venue_described.py "$scratch/steps.json" azure 2>/dev/null &&
    ! "$venv/bin/python" tests/support/venue_described.py "$scratch/steps.json" google 2>/dev/null
check $? 'and both refuse a member of another name'
exit "$failed"
