#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Our requests to Hetzner and DigitalOcean judged by Prism with the vendors' OpenAPI specifications:
# tests/integration/prism.sh BUILD. They are not in this tree: HCLOUD_SPEC and DIGITALOCEAN_SPEC name
# them (https://docs.hetzner.cloud/cloud.spec.json; specification/DigitalOcean-public.v2.yaml of
# https://github.com/digitalocean/openapi, with the files around it). Prism comes by npm into BUILD.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
work=$build/prism
prism=
. tests/support/checks.sh

skip() {
    printf 'skip prism: %s\n' "$1"
    exit 0
}

end_prism() {
    [ -n "$prism" ] || return 0
    kill "$prism" 2>/dev/null
    wait "$prism" 2>/dev/null
    prism=
}
trap end_prism EXIT

install_prism() {
    command -v npm >/dev/null 2>&1 || skip 'npm is not installed'
    mkdir -p "$work"
    work=$(realpath "$work")
    [ -x "$work/node_modules/.bin/prism" ] ||
        (cd "$work" && timeout 300 npm install --no-audit --no-fund --silent @stoplight/prism-cli) \
            >"$work/npm.log" 2>&1 || skip "npm cannot install Prism, see $work/npm.log"
}

start_prism() { # LOG SPEC: $url of it
    local port=$((20000 + ($$ + number) % 20000))
    url=http://127.0.0.1:$port
    "$work/node_modules/.bin/prism" mock --errors -h 127.0.0.1 -p "$port" "$2" >"$1" 2>&1 &
    prism=$!
    for _ in $(seq 1 60); do
        grep -q 'is listening' "$1" && return 0
        kill -0 "$prism" 2>/dev/null || return 1
        sleep 1
    done
    return 1
}

judge() { # CLOUD VARIABLE
    local cloud=$1 spec=${!2:-} log status
    [ -n "$spec" ] || { printf 'skip prism: %s does not name a specification\n' "$2" && return; }
    [ -r "$spec" ] || { printf 'skip prism: cannot read %s\n' "$spec" && return; }
    install_prism
    log=$work/$cloud
    start_prism "$log.prism" "$spec" || skip "Prism does not start, see $log.prism"
    GREENLAUNCH_PRISM=$url GREENLAUNCH_PRISM_CLOUD=$cloud timeout 200 \
        "$build/tests/conformance/test_prism" >"$log.test" 2>&1
    status=$?
    [ "$status" -eq 0 ] || tail -n 20 "$log.test" | sed 's/^/# /'
    [ "$status" -eq 0 ]
    check $? "$cloud: the specification has nothing against our requests"
    ! grep -q 'VALIDATOR.*✖' "$log.prism"
    check $? "$cloud: Prism found no violation"
    end_prism
}

judge hetzner HCLOUD_SPEC
judge digitalocean DIGITALOCEAN_SPEC
exit "$failed"
