#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Reports of plans read by programs that others wrote, which come by pip and npm into BUILD: SARIF by
# jsonschema with the schema that @microsoft/jest-sarif carries, JUnit by junitparser, GitLab's
# format by a schema, TAP by perl's TAP::Parser, a patch by patch(1): tests/integration/hook_outputs.sh
# BUILD
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
# shellcheck source=tests/support/checks.sh
. tests/support/checks.sh
root=$PWD
scratch=$build/tmp/hook-outputs
venv=$build/hook-venv
node=$build/hook-npm
schema=$node/node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json
export PATH=$build:$PATH HOME=$scratch/home XDG_STATE_HOME=$scratch/state

part() { # NAME: leaves out a part with its reason
    printf 'skip hook outputs: %s\n' "$1"
}

has_python() {
    [ -x "$venv/bin/python" ] && "$venv/bin/python" -c 'import jsonschema, junitparser' 2>/dev/null &&
        return 0
    command -v python3 >/dev/null 2>&1 || return 1
    python3 -m venv "$venv" >"$scratch/pip.log" 2>&1 &&
        timeout 180 "$venv/bin/pip" install -q jsonschema==4.26.0 junitparser==5.0.3 \
            >>"$scratch/pip.log" 2>&1
}

has_schema() {
    [ -f "$schema" ] && return 0
    command -v npm >/dev/null 2>&1 || return 1
    mkdir -p "$node"
    (cd "$node" && timeout 180 npm install --no-audit --no-fund --silent --ignore-scripts \
        @microsoft/jest-sarif@1.0.0-beta.0) >"$scratch/npm.log" 2>&1
    [ -f "$schema" ]
}

render() { # FORMAT [ARGUMENT...]: the report into $scratch/FORMAT
    local format=$1
    shift
    (cd "$scratch/plan" && greenlaunch "$@" hook terraform plan.json --policy policy.yaml \
        --waivers waivers.yaml --at 2026-03-10T12:00:00Z --output "$format=../$format") \
        >/dev/null 2>"$scratch/err" </dev/null
}

judge() { # ARGUMENT...
    "$venv/bin/python" "$root/tests/support/hook_outputs_judge.py" "$@" >"$scratch/judge.log" 2>&1 ||
        { sed 's/^/# /' "$scratch/judge.log"; return 1; }
}

rm -rf "$scratch"
mkdir -p "$scratch/home"
cp -R tests/cases/share/hook-outputs "$scratch/plan"
for format in sarif junit tap gitlab; do
    render $format
    [ $? -eq 3 ] && [ -s "$scratch/$format" ]
    check $? "a report as $format"
done

if has_python; then
    judge junit "$scratch/junit" 6 4
    check $? 'junitparser reads six cases, four against'
    judge gitlab "$scratch/gitlab"
    check $? "GitLab's schema holds, fingerprints are their own"
    if has_schema; then
        judge sarif "$schema" "$scratch/sarif"
        check $? 'the schema of SARIF 2.1.0 holds'
        sed 's/"startLine": [0-9]*/"startLine": 0/' "$scratch/sarif" >"$scratch/broken"
        ! judge sarif "$schema" "$scratch/broken" >/dev/null
        check $? 'the schema finds a line 0'
        render sarif --demo
        judge sarif "$schema" "$scratch/sarif"
        check $? 'so does a demonstration'
        while read -r reader file; do
            greenlaunch --offline hook "$reader" "$file" --deploy-region eu-central-1 \
                --policy examples/policies/plans.yaml --at 2026-03-10T12:00:00Z \
                --output "sarif=$scratch/sarif" >/dev/null 2>"$scratch/err" </dev/null
            [ -s "$scratch/sarif" ] && judge sarif "$schema" "$scratch/sarif"
            check $? "and a report of $reader"
            rm -f "$scratch/sarif"
        done <<'END'
cloudformation examples/cloudformation/template.yaml
pulumi examples/pulumi/preview.json
kubernetes examples/kubernetes/deployment.yaml
END
    else
        part 'the schema of SARIF: npm cannot install @microsoft/jest-sarif'
    fi
else
    part 'SARIF, JUnit and GitLab: python3 with jsonschema and junitparser cannot be had'
fi

if command -v perl >/dev/null 2>&1 && perl -MTAP::Parser -e 1 2>/dev/null; then
    # shellcheck disable=SC2016 # perl's own
    perl -MTAP::Parser -e '
        my $tap = TAP::Parser->new({ tap => do { local $/; <> } });
        $tap->run;
        print join(" ", $tap->tests_planned, scalar $tap->passed, scalar $tap->failed,
            scalar $tap->skipped, scalar $tap->parse_errors), "\n";' "$scratch/tap" >"$scratch/out" 2>&1
    [ "$(cat "$scratch/out")" = '6 2 4 1 0' ]
    check $? "TAP::Parser reads the plan, two passed, four against, one skipped ($(cat "$scratch/out"))"
else
    part 'TAP: perl has no TAP::Parser'
fi

if command -v patch >/dev/null 2>&1; then
    (cd "$scratch/plan" && greenlaunch hook terraform plan.json --policy policy.yaml \
        --at 2026-03-10T12:00:00Z --fix=../change.patch --output text=../text) >/dev/null 2>&1 </dev/null
    (cd "$scratch/plan" && patch -s -p1 <../change.patch) && grep -q 'region = "eu-north-1"' "$scratch/plan/main.tf"
    check $? 'patch(1) applies the remedy'
else
    part 'the remedy: patch is not installed'
fi
exit "$failed"
