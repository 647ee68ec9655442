#!/bin/bash
# shellcheck disable=SC2016,SC2317 # names stay for the inner shell; functions run by exits()
# SPDX-License-Identifier: Apache-2.0
# Every example of examples/ that puts the hook somewhere, run or judged by the published schema of
# the place: tests/integration/hook_examples.sh BUILD.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
root=$PWD
build=$(cd "${1:-build}" && pwd) || exit 1
. tests/support/checks.sh
# shellcheck source=tests/support/python_venv.sh
. tests/support/python_venv.sh
scratch=$build/tmp/hook_examples
rm -rf "$scratch"
mkdir -p "$scratch"/{bin,home,site}
export HOME=$scratch/home XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/config
export PRE_COMMIT_HOME=$scratch/pre-commit GIT_CONFIG_NOSYSTEM=1 PYTHONDONTWRITEBYTECODE=1
export FAKE_LOG=$scratch/calls
: >"$FAKE_LOG"
unset GITHUB_BASE_REF GITHUB_STEP_SUMMARY
judges=true
# PyYAML, an HCL parser, the published schemas of CI files and a Rego interpreter.
python_venv "$build" examples pyyaml python-hcl2==7.3.1 pre-commit check-jsonschema regopy ||
    judges=false
tools=$venv/bin
$judges || printf 'skip what needs parsers and schemas: %s\n' "$missing"

# Nobody is asked over the network, whatever the example says.
printf '#!/bin/sh\nexec "%s/greenlaunch" --offline "$@"\n' "$build" >"$scratch/bin/greenlaunch"
for tool in aws sbatch; do
    printf '#!/bin/sh\nprintf "%s %%s\\n" "$*" >>"$FAKE_LOG"\n' "$tool" >"$scratch/bin/$tool"
done
cat >"$scratch/bin/pulumi" <<'SH'
#!/bin/sh
printf 'pulumi %s\n' "$*" >>"$FAKE_LOG"
[ "$1" != preview ] || cat "$FAKE_PREVIEW"
[ "$1" != "${FAKE_PULUMI_ENDS:-}" ] || kill -TERM "$PPID"
SH
chmod +x "$scratch"/bin/*
cp tests/support/fake_terraform.sh "$scratch/bin/terraform"
real=$(command -v terraform || true)
export PATH="$scratch/bin:$PATH"
parts() { "$tools/python" "$root/tests/support/example_parts.py" "$@"; }
called() { # REGEX TEXT
    grep -qE -- "$1" "$FAKE_LOG"
    check $? "$2"
}
quiet() { # REGEX TEXT: not called
    ! grep -qE -- "$1" "$FAKE_LOG"
    check $? "$2"
    : >"$FAKE_LOG"
}

# ---- texts ----
if command -v shellcheck >/dev/null 2>&1; then
    shellcheck examples/*/*.sh examples/slurm/green-sbatch >"$scratch/out" 2>&1
    status=$?
    [ "$status" -eq 0 ] || sed 's/^/# /' "$scratch/out"
    check "$status" 'shellcheck has nothing against the scripts'
else
    for script in examples/*/*.sh examples/slurm/green-sbatch; do
        bash -n "$script"
        check $? "$script can be parsed"
    done
fi
for folder in examples/*/; do
    case $folder in examples/polic*) continue ;; esac
    [ -s "$folder/README.md" ]
    check $? "$folder says what it is"
done
if $judges; then
    # shellcheck disable=SC2046 # names without spaces
    parts yaml .pre-commit-hooks.yaml $(find examples -name '*.y*ml')
    check $? 'every YAML file can be read'
    schema() { # NAME FILE
        "$tools/check-jsonschema" --builtin-schema "vendor.$1" "$2" >"$scratch/out" 2>&1
        status=$?
        [ "$status" -eq 0 ] || sed 's/^/# /' "$scratch/out"
        check "$status" "$2 is what the schema $1 says"
    }
    schema github-actions examples/github-action/action.yml
    schema github-workflows examples/github-action/workflow.yml
    schema gitlab-ci examples/gitlab-ci/.gitlab-ci.yml
    "$tools/pre-commit" validate-manifest .pre-commit-hooks.yaml
    check $? 'pre-commit takes the manifest'
    "$tools/pre-commit" validate-config examples/pre-commit/.pre-commit-config.yaml
    check $? 'and the configuration'
fi
if [ -n "$real" ]; then
    "$real" fmt -check "$root/examples/terraform-external" >/dev/null 2>&1
    check $? 'terraform fmt has nothing against the data source'
fi

# ---- a repository whose change loosens its own gate ----
git -c init.defaultBranch=main init -q "$scratch/site"
cd "$scratch/site" || exit 1
git config user.email test@example.org
git config user.name test
cp "$root/examples/policies/plans.yaml" policy.yaml
git add policy.yaml && git commit -q -m policy
git clone -q --bare . "$scratch/origin.git"
git remote add origin "$scratch/origin.git"
git fetch -q origin
sed -i 's/200 gCO2e/2000 gCO2e/' policy.yaml
export FAKE_PLAN=$root/examples/plans/dirty.json
exits 3 'the CI step refuses by the policy of the protected branch' \
    "$root/examples/ci-step/green-plan.sh"
grep -q '<failure' greenlaunch.xml && jq -e '.runs[0].results | length > 0' greenlaunch.sarif >/dev/null
check $? 'and writes its reports'
FAKE_PLAN=$root/examples/plans/green.json exits 0 'it allows what is green' \
    "$root/examples/ci-step/green-plan.sh"

if $judges; then
    terraform plan -out=tfplan >/dev/null
    parts action "$root/examples/github-action/action.yml" >"$scratch/action.sh"
    export GITHUB_STEP_SUMMARY=$scratch/summary.md GITHUB_BASE_REF=main
    as_action() { # PLAN ADVISORY
        PLAN=$1 POLICY=policy.yaml POLICY_REF='' SARIF=g.sarif ADVISORY=$2 \
            bash --noprofile --norc -eo pipefail "$scratch/action.sh"
    }
    exits 3 'the GitHub Action refuses' as_action tfplan false
    said '^::error ' 'with an annotation'
    [ -s "$GITHUB_STEP_SUMMARY" ] && jq -e . g.sarif >/dev/null
    check $? 'a summary and SARIF'
    exits 0 'only advice' as_action tfplan true
    exits 2 'a plan by a name that is a trap' as_action "\$(touch trapped)" false
    [ ! -e trapped ]
    check $? 'is only a name'

    parts gitlab "$root/examples/gitlab-ci/.gitlab-ci.yml" >"$scratch/gitlab.sh"
    as_gitlab() { CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main bash -e "$scratch/gitlab.sh"; }
    exits 3 'the GitLab job refuses' as_gitlab
    jq -e 'type == "array" and length > 0' gl-code-quality-report.json >/dev/null
    check $? 'with a code quality report'

    parts atlantis "$root/examples/atlantis/atlantis.yaml" >"$scratch/atlantis.sh"
    as_atlantis() { # LINE PLAN
        sed -n "$1p" "$scratch/atlantis.sh" |
            SHOWFILE=$root/examples/plans/$2.json PLANFILE=$root/examples/plans/$2.json \
                BASE_BRANCH_NAME=main sh
    }
    exits 0 'Atlantis: a verdict is no error of the step' as_atlantis 1 dirty
    said '[1-9][0-9]* failure' 'but a failure in its text'
    exits 0 'a green plan' as_atlantis 1 green
    [ -s "$scratch/out" ] && ! grep -qiE '[1-9][0-9]* failure|^FAIL' "$scratch/out"
    check $? 'passes by its text, which is not empty'
    exits 3 'at apply the status counts' as_atlantis 2 dirty

    parts terragrunt "$root/examples/terragrunt/terragrunt.hcl" |
        sed "s,\${get_repo_root()},$scratch/site,g" >"$scratch/terragrunt.sh"
    git checkout -q policy.yaml
    exits 3 'Terragrunt: the hook refuses a saved plan' sh "$scratch/terragrunt.sh"
    rm tfplan
    exits 0 'and says nothing where none was saved' sh "$scratch/terragrunt.sh"

    cp "$root/examples/pre-commit/.pre-commit-config.yaml" .
    cp "$root/examples/plans/green.json" a.tfplan.json
    git add .
    exits 0 'pre-commit lets a right policy and a green plan pass' "$tools/pre-commit" run
    cp "$root/examples/plans/dirty.json" a.tfplan.json
    git add .
    exits 1 'and stops a dirty one' "$tools/pre-commit" run
    printf 'rules: [x]\n' >policy.yaml
    git add .
    exits 1 'and a policy that is wrong' "$tools/pre-commit" run greenlaunch-policy

    parts external "$root/examples/terraform-external/main.tf" >"$scratch/external.sh"
    exits 0 'the external data source answers its query' sh "$scratch/external.sh"
    [ "$(jq -r .decision "$scratch/out")" = allow ]
    check $? 'with a region'
fi
cp "$root/examples/policies/plans.yaml" policy.yaml
if [ -n "$real" ]; then
    cp -r "$root/examples/terraform-external" "$scratch/external"
    if (cd "$scratch/external" && "$real" init -input=false -no-color) >"$scratch/init.log" 2>&1; then
        (cd "$scratch/external" && "$real" apply -input=false -no-color -auto-approve) \
            >"$scratch/out" 2>"$scratch/err"
        check $? 'Terraform applies with the data source'
        said '^region = ' 'and says the region'
    else
        printf 'skip Terraform with the data source: the provider hashicorp/external cannot be had\n'
    fi
fi

# ---- other tools ----
export GREENLAUNCH_POLICY=$root/examples/policies/plans.yaml
export FAKE_PREVIEW=$root/examples/pulumi/preview.json
: >"$FAKE_LOG"
exits 0 'Pulumi: a green preview' "$root/examples/pulumi/green-up.sh" --yes
called '^pulumi up --plan .*/plan --yes$' 'is updated by its own plan'
sed 's/eu-north-1/eu-central-1/' "$FAKE_PREVIEW" >"$scratch/preview.json"
: >"$FAKE_LOG"
mkdir "$scratch/tmp"
TMPDIR=$scratch/tmp FAKE_PULUMI_ENDS=preview exits 1 'one that is told to end' \
    "$root/examples/pulumi/green-up.sh" --yes
[ -z "$(ls -A "$scratch/tmp")" ]
check $? 'leaves no preview'
: >"$FAKE_LOG"
FAKE_PREVIEW=$scratch/preview.json exits 3 'a dirty one' "$root/examples/pulumi/green-up.sh" --yes
quiet '^pulumi up' 'is not'

cloudformation=$root/examples/cloudformation
exits 0 'CloudFormation: a green region' "$cloudformation/green-deploy.sh" web \
    "$cloudformation/template.yaml" eu-north-1 Size=m7g.large
called '^aws cloudformation deploy .*--region eu-north-1 --parameter-overrides Size=m7g.large' \
    'is deployed to, with the parameters that were judged'
: >"$FAKE_LOG"
exits 3 'a dirty one' "$cloudformation/green-deploy.sh" web "$cloudformation/template.yaml" eu-central-1
quiet '^aws' 'is not'

manifest=$root/examples/kubernetes/deployment.yaml
exits 0 'Kubernetes: a manifest for green nodes' greenlaunch hook kubernetes "$manifest" \
    --policy "$GREENLAUNCH_POLICY"
sed 's/eu-north-1/eu-central-1/' "$manifest" >"$scratch/manifest.yaml"
exits 3 'and one for dirty ones' greenlaunch hook kubernetes "$scratch/manifest.yaml" \
    --policy "$GREENLAUNCH_POLICY"
sed '/topology/d' "$manifest" >"$scratch/manifest.yaml"
exits 8 'and one for any' greenlaunch hook kubernetes "$scratch/manifest.yaml" \
    --policy "$GREENLAUNCH_POLICY"
if command -v systemd-analyze >/dev/null 2>&1; then
    sed "s,/usr/local/bin/greenlaunch,$build/greenlaunch," \
        "$root/examples/run-task/greenlaunch-runtask.service" >"$scratch/greenlaunch-runtask.service"
    exits 0 'systemd takes the unit of the run task' systemd-analyze verify --man=no \
        "$scratch/greenlaunch-runtask.service"
fi

export GREENLAUNCH_ZONE=SE-SE3
exits 0 'Slurm: a green zone' "$root/examples/slurm/green-sbatch" job.sh
called '^sbatch job.sh$' 'gets its job'
exits 0 'the prolog lets it start' "$root/examples/slurm/prolog-green.sh"
: >"$FAKE_LOG"
export GREENLAUNCH_ZONE=PL
exits 3 'a dirty one' "$root/examples/slurm/green-sbatch" job.sh
quiet '^sbatch' 'does not'
exits 3 'and the prolog sends jobs back' "$root/examples/slurm/prolog-green.sh"
unset GREENLAUNCH_ZONE

sky_checks() { # WHOSE PYTHON PATH: its checks, and that it came to their end
    local line status=0
    PYTHONPATH=$3 "$2" "$root/tests/support/sky_policy.py" >"$scratch/out" 2>"$scratch/err" ||
        status=$?
    [ "$status" -eq 0 ] || show_printed
    while read -r line; do
        [ "${line#ok}" != "$line" ]
        check $? "SkyPilot ($1): ${line#*ok }"
    done < <(grep -E '^(not )?ok ' "$scratch/out")
    check "$status" "SkyPilot ($1): all of them"
}
sky_checks stub python3 "$root/tests/support/sky_stub:$root/examples/skypilot"
if python_venv "$build" skypilot skypilot==0.14.1; then
    export SKYPILOT_DISABLE_USAGE_COLLECTION=1
    sky_checks real "$python" "$root/examples/skypilot"
    mkdir -p "$HOME/.sky"
    printf 'admin_policy: green_policy.GreenPolicy\n' >"$HOME/.sky/config.yaml"
    PYTHONPATH=$root/examples/skypilot exits 0 'SkyPilot (real): finds it by its configuration' \
        "$python" "$root/tests/support/sky_applied.py"
    said '^eu-north-1$' 'and launches where it says'
else
    printf 'skip the real SkyPilot: %s\n' "$missing"
fi

# ---- Open Policy Agent ----
# Of before 1.0, which `make bench` leaves there, where there is no other.
PATH=$PATH:$build/peers
for plan in green dirty; do
    greenlaunch hook facts "$root/examples/plans/$plan.json" >"$scratch/$plan.facts.json"
done
deny() { # FACTS
    if command -v opa >/dev/null 2>&1; then
        opa eval -f raw --input "$1" --data "$root/examples/opa/green.rego" data.greenlaunch.deny
    else
        "$tools/python" -c 'import json, sys, regopy
rego = regopy.Interpreter()
rego.add_module("green", open(sys.argv[1]).read())
rego.set_input(json.load(open(sys.argv[2])))
print(json.dumps(json.loads(str(rego.query("data.greenlaunch.deny")))["expressions"][0]))' \
            "$root/examples/opa/green.rego" "$1"
    fi
}
if command -v opa >/dev/null 2>&1 || $judges; then
    [ "$(deny "$scratch/green.facts.json")" = '[]' ]
    check $? 'Rego has nothing against a green plan'
    deny "$scratch/dirty.facts.json" | grep -q 'aws_instance.dirty: eu-central-1 is not among our'
    check $? 'and denies a dirty one'
    jq '.intents[0].place.region = null' "$scratch/green.facts.json" >"$scratch/unknown.json"
    deny "$scratch/unknown.json" | grep -q 'nobody knows where'
    check $? 'and one whose region is unknown'
    echo '{"plans":[]}' >"$scratch/other.json"
    deny "$scratch/other.json" | grep -q 'not version 1'
    check $? 'and what is another form'
fi
exit "$failed"
