#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `greenlaunch hook` as a whole command beside its peers over the same plans: tests/bench/hook.sh
# BUILD. Peers are taken from PATH or from BUILD/peers; one that is not there is skipped. The plan
# of a user is given by GREENLAUNCH_BENCH_PLAN, the folder of real plans by GREENLAUNCH_TEST_IAC.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd) || exit 1
work=$build/tmp/bench-hook
rm -rf "$work"
mkdir -p "$work/empty" "$work/home"
trap 'rm -rf "$work"' EXIT
export HOME=$work/home XDG_STATE_HOME=$work/home/state XDG_CONFIG_HOME=$work/home/config \
    XDG_CACHE_HOME=$work/home/cache CHECKPOINT_DISABLE=1 PATH=$build/peers:$PATH

# The same question to all: is every machine in one of these regions? By zone for those that know
# no regions, because that is all that a resource of AWS says.
cat >"$work/policy.yaml" <<'END'
greenlaunch: 1
id: regions
rules:
  - id: nordic-or-french
    regions: [eu-north-1, eu-west-3, ca-central-1]
END
cat >"$work/policy.rego" <<'END'
package main

import rego.v1

regions := {"eu-north-1", "eu-west-3", "ca-central-1"}

deny contains message if {
	some change in input.resource_changes
	change.type in {"aws_instance", "aws_db_instance"}
	"create" in change.change.actions
	zone := object.get(change.change.after, "availability_zone", "none-")
	not substring(zone, 0, count(zone) - 1) in regions
	message := sprintf("%s: not in the regions that are allowed", [change.address])
}
END

row() { # ROUNDS TITLE WORD...: one more command
    local IFS=$'\t'
    printf '%s\n' "$*" >>"$work/commands"
}

measure() { # from an empty folder: no *.tf to look through
    (cd "$work/empty" && "$build/bench" hook "$work/commands")
    rm -f "$work/commands"
}

peer() { # ROUNDS NAME MODULE WORD...: when it is installed; conftest says whose OPA it holds
    local rounds=$1 name=$2 module=$3
    shift 3
    if command -v "$name" >/dev/null 2>&1; then
        row "$rounds" "$name $("$name" "$version_word" | sed -nE 's/^((Version)|(OPA)): /\3 /p' |
            head -n 1)" "$name" "$@"
    else
        printf '  %s: skipped: not installed; GOBIN=%s go install %s\n' "$name" "$build/peers" "$module"
    fi
}

# A judge that takes many seconds is asked once.
beside_peers() { # PLAN ROUNDS TITLE
    local plan=$1 rounds=$2 version_word
    printf '  %s, %.1f MB\n' "$3" "$(awk -v b="$(stat -c %s "$plan")" 'BEGIN { print b / 1e6 }')"
    row 11 'greenlaunch hook' "$build/greenlaunch" hook terraform "$plan" --offline \
        --policy "$work/policy.yaml"
    row 11 'its refusal noted in the ledger' "$build/greenlaunch" hook terraform "$plan" --offline \
        --max-intensity 1g/kWh --min-grade D
    row 11 'a process that does nothing' true
    row "$rounds" "jansson's tree, no rule" "$build/bench" hook-jansson "$plan"
    version_word=version peer "$rounds" opa github.com/open-policy-agent/opa@v0.70.0 \
        eval --data "$work/policy.rego" --input "$plan" 'count(data.main.deny)'
    version_word=--version peer "$rounds" conftest github.com/open-policy-agent/conftest@v0.56.0 \
        test --policy "$work/policy.rego" "$plan"
    measure
    "$build/bench" hook-reader "$plan"
}

# The stress file among the real plans: 1040 resources in 40 modules.
real_plan() {
    local packed=${GREENLAUNCH_TEST_IAC:-}/terraform/tf-infracost-x40-DERIVED.json.xz
    if [ ! -f "$packed" ]; then
        printf '  the 7.4 MB plan: skipped: GREENLAUNCH_TEST_IAC names no folder with %s\n' \
            "${packed##*/}"
    elif ! xz -dc "$packed" >"$work/real.json" 2>"$work/log"; then
        printf '  the 7.4 MB plan: skipped: %s\n' "$(head -n 1 "$work/log")"
    else
        beside_peers "$work/real.json" 3 'a real plan, 40 times over'
    fi
}

# What the hook adds to `terraform show -json`, which every user of it runs first: 0.02 x of its
# processor time is the limit. In a pipe both run at once.
beside_terraform() { # RESOURCES
    local tf=$work/tf ours
    if ! command -v terraform >/dev/null 2>&1; then
        printf '  terraform show: skipped: terraform is not installed\n'
        return
    fi
    mkdir -p "$tf"
    cat >"$tf/main.tf" <<END
resource "terraform_data" "job" {
  count = $1
  input = "job \${count.index}"
}
END
    if ! (cd "$tf" && terraform init -input=false && terraform plan -input=false -out=plan.bin) \
        >"$work/log" 2>&1; then
        printf '  terraform show: skipped: %s\n' "$(grep -m 1 . "$work/log")"
        return
    fi
    printf '  a binary plan of %s resources (terraform_data, local state), %s\n' "$1" \
        "$(terraform version 2>/dev/null | head -n 1)"
    ours="'$build/greenlaunch' hook terraform - --offline --policy '$work/policy.yaml'"
    row 7 'terraform show -json' sh -c "cd '$tf' && terraform show -json plan.bin >shown.json"
    row 7 'terraform show -json | hook' sh -c \
        "cd '$tf' && terraform show -json plan.bin | (cd '$work/empty' && $ours)"
    row 7 'hook on what was shown' "$build/greenlaunch" hook terraform "$tf/shown.json" --offline \
        --policy "$work/policy.yaml"
    measure
}

for resources in 1200 12000; do
    "$build/bench" hook-plan "$resources" >"$work/plan.json"
    beside_peers "$work/plan.json" $((resources > 5000 ? 1 : 3)) "a made-up plan of $resources resources"
done
real_plan
[ -z "${GREENLAUNCH_BENCH_PLAN:-}" ] ||
    beside_peers "$(realpath "$GREENLAUNCH_BENCH_PLAN")" 3 'the plan given'
beside_terraform 1200
exit 0
