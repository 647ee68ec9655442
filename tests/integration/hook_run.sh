#!/bin/bash
# shellcheck disable=SC2317 # functions are run by exits()
# SPDX-License-Identifier: Apache-2.0
# Plans judged and applied: binary plans, `hook terraform --run` around a tool that stands in for
# Terraform and around the real one, the external data source, hook install:
# tests/integration/hook_run.sh BUILD
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
root=$PWD
build=$(cd "${1:-build}" && pwd) || exit 1
. tests/support/checks.sh
. tests/support/terraform_venv.sh
scratch=$build/tmp/hook_run
rm -rf "$scratch"
mkdir -p "$scratch"/{bin,home,work}
export HOME=$scratch/home XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/config
export TF_CLI_CONFIG_FILE=$scratch/terraformrc
: >"$TF_CLI_CONFIG_FILE"
real=$(command -v terraform || true)
cp tests/support/fake_terraform.sh "$scratch/bin/terraform"
plain=$PATH
export PATH="$scratch/bin:$build:$PATH"
export FAKE_LOG=$scratch/calls FAKE_PLAN=$root/examples/plans/green.json
cd "$scratch/work" || exit 1
cp "$root/examples/policies/plans.yaml" policy.yaml
secret=planted-secret-value

left() { # what is still in the folder of runs
    find "$scratch/state/greenlaunch/hook" -mindepth 1 ! -name lock 2>/dev/null
}
calls() { # REGEX TEXT
    grep -qE -- "$1" "$FAKE_LOG" || sed 's/^/# /' "$FAKE_LOG"
    grep -qE -- "$1" "$FAKE_LOG"
    check $? "$2"
}
never_applied() { # TEXT
    ! grep -q '^apply' "$FAKE_LOG" && [ -z "$(left)" ]
    check $? "$1"
}
run() { # the wrapped command's words
    : >"$FAKE_LOG"
    greenlaunch hook terraform --run --policy policy.yaml --offline "$@"
}

# ---- binary plans ----
for plan in green dirty; do
    { printf 'PK\003\004' && cat "$root/examples/plans/$plan.json"; } >"$plan.tfplan"
done
judge=(greenlaunch hook terraform --policy policy.yaml --offline)
exits 0 'a binary plan is shown by the tool and judged' "${judge[@]}" green.tfplan
exits 3 'and refused when it is dirty' "${judge[@]}" dirty.tfplan
exits 3 'without the name of the tool too' greenlaunch hook dirty.tfplan --policy policy.yaml --offline
FAKE_SHOW_STATUS=1 exits 2 'a tool that does not end well is an error, whatever it printed' \
    "${judge[@]}" green.tfplan
said 'show -json. ended with status 1' 'which is said'
FAKE_SHOW_STATUS=1 FAKE_SHOW_BYTES=0 exits 2 'or printed nothing' "${judge[@]}" green.tfplan
said 'show -json. ended with status 1' 'which is said'
FAKE_SHOW_BYTES=100 exits 2 'half a document is an error whatever the status' "${judge[@]}" green.tfplan
PATH=$build exits 2 'without the tool' "$build/greenlaunch" hook terraform green.tfplan \
    --policy policy.yaml --offline
said 'terraform show -json green.tfplan' 'it is said what to do'

# ---- --run, the tool standing in ----
exits 0 'an allowed plan is applied' run -- terraform apply -auto-approve -lock=false \
    -var "token=$secret" -target x.y
calls "^plan -lock=false -var token=$secret -target x.y -out=.*/plan\$" 'the plan got its options'
calls '^apply -lock=false .*/plan$' 'the apply got its own and the plan file'
[ -z "$(left)" ]
check $? 'the plan file is gone'
! grep -rq "$secret" "$scratch/out" "$scratch/err" "$scratch/state"
check $? 'a value given to the tool is nowhere of ours'
FAKE_PLAN=$root/examples/plans/dirty.json exits 3 'a dirty plan is not' run -- terraform apply \
    -auto-approve
never_applied 'nothing was applied'
FAKE_PLAN=$root/examples/plans/dirty.json exits 0 'with --advisory it is' run --advisory -- \
    terraform apply -auto-approve
calls '^apply' 'and applied'
said 'advisory' 'and that is said'
pin=$(greenlaunch policy explain --policy policy.yaml | sed -n 's/^ *sha256 //p' | head -n 1)
FAKE_PLAN=$root/examples/plans/dirty.json FAKE_ON_PLAN="sed -i 's/200 g/2000 g/' policy.yaml" \
    exits 2 'a policy that making the plan loosens is not the pinned one' run \
    --policy-digest "$pin" -- terraform apply -auto-approve
said 'the policy is another one' 'which is said'
never_applied 'nothing was applied'
cp "$root/examples/policies/plans.yaml" policy.yaml
: >"$FAKE_LOG"
run_by() { # OPTION...: by other rules
    greenlaunch hook terraform --run --offline --yes "$@" -- terraform apply
}
exits 2 'a policy that cannot be read' run_by --policy nosuch.yaml
exits 2 'no rules' run_by
exits 2 'a baseline that cannot be read' run_by --policy policy.yaml --baseline nosuch.json
[ ! -s "$FAKE_LOG" ]
check $? 'are told before a plan is made'
exits 2 'with nobody to ask' run -- terraform apply
never_applied 'nothing is applied'
FAKE_APPLY_STATUS=7 exits 7 'the status of apply is passed on' run --yes -- terraform apply
FAKE_PLAN_STATUS=4 exits 4 'and that of a plan that fails' run --yes -- terraform apply
never_applied 'then nothing is applied'
for shown in FAKE_SHOW_STATUS=1 FAKE_SHOW_BYTES=100; do
    exits 2 "what the tool cannot show ($shown)" env "$shown" greenlaunch hook terraform --run --offline \
        --policy policy.yaml --yes -- terraform apply
    ! cat "$scratch/out" "$scratch/err" | tr -d '\n ' | grep -q '/greenlaunch/hook/'
    check $? 'is not called by the name of a file that is gone'
    never_applied 'and is not applied'
done
FAKE_TAMPER=1 exits 9 'a plan that changes after it was judged' run --yes -- terraform apply
never_applied 'is not applied'
exits 0 'a plan that was made before' run --yes -- terraform apply "$PWD/green.tfplan"
! grep -q '^plan' "$FAKE_LOG"
check $? 'is not made again'
exits 3 'and is judged' run --yes -- terraform apply dirty.tfplan
never_applied 'before it is applied'
exits 2 'what is no file is no plan' run --yes -- terraform apply /dev/zero
said 'is no file' 'which is said'
mkdir -p sub && cp green.tfplan sub/there.tfplan
exits 0 'with -chdir its path is relative to there' run --yes -- terraform -chdir=sub apply \
    there.tfplan
calls '^-chdir=sub apply' 'as for the tool itself'
exits 2 'an option that is not known is refused' run --yes -- terraform apply "-sneaky=$secret"
! grep -q "$secret" "$scratch/out" "$scratch/err"
check $? 'its value is not shown'
exits 2 'so is -out' run --yes -- terraform apply -out=x
exits 2 'and any other verb' run --yes -- terraform destroy
exits 2 'and a variable beside a plan that is made' run --yes -- terraform apply -var a=b green.tfplan
exits 2 'and no command' run
exits 2 'and a tool that is not there' run --yes -- no-such-tool apply
exits 0 'one envelope with --json' run --json --yes -- terraform apply
[ "$(jq -s 'length == 1 and .[0].data.run.exit_status == 0 and .[0].verdict == "allow"' \
    "$scratch/out" 2>/dev/null)" = true ]
check $? 'and nothing else on standard output'

waits_for() { # REGEX
    for _ in $(seq 1 300); do
        grep -q "$1" "$FAKE_LOG" && return 0
        sleep 0.1
    done
    return 1
}

# A person at a terminal.
answers() { # WORD [COMMAND run when asked]
    : >"$FAKE_LOG"
    rm -f "$scratch/asked"
    (
        for _ in $(seq 1 300); do
            grep -q 'Apply this plan' "$scratch/asked" 2>/dev/null && break
            sleep 0.1
        done
        ${2:-true}
        printf '%s\n' "$1"
        sleep 1
    ) | script -qefc 'exec greenlaunch hook terraform --run --policy policy.yaml --offline -- terraform apply' \
        "$scratch/asked" >/dev/null 2>&1
}
stricter() {
    printf '%s\n' 'greenlaunch: 1' 'id: plans' 'defaults: {min_grade: D}' 'rules:' \
        '  - {id: clean-grid, max_intensity: 1 gCO2e/kWh}' >policy.yaml
}
if command -v script >/dev/null 2>&1; then
    answers n
    status=$?
    [ "$status" -eq 11 ]
    check $? "declined is 11 (exit $status)"
    never_applied 'and nothing is applied'
    answers y
    check $? 'agreed to is applied'
    calls '^apply' 'by the tool'
    answers y stricter
    status=$?
    [ "$status" -eq 3 ]
    check $? "what is no longer allowed at the moment of the apply is refused (exit $status)"
    never_applied 'and not applied'
    cp "$root/examples/policies/plans.yaml" policy.yaml
    : >"$FAKE_LOG"
    (
        waits_for 'apply waits'
        printf '\003'
        sleep 2
    ) | FAKE_SLEEP_APPLY=60 script -qefc \
        'exec greenlaunch hook terraform --run --policy policy.yaml --offline --yes -- terraform apply' \
        "$scratch/asked" >/dev/null 2>&1
    status=$?
    [ "$status" -eq 6 ] || sed 's/^/# /' "$FAKE_LOG" "$scratch/asked"
    [ "$status" -eq 6 ] && grep -q 'interrupted' "$FAKE_LOG"
    check $? "Ctrl-C reaches the tool, and its status counts (exit $status)"
else
    printf 'skip a person at a terminal: script is not installed\n'
fi

# Signals, and a run that was killed.
: >"$FAKE_LOG"
FAKE_SLEEP_APPLY=60 greenlaunch hook terraform --run --policy policy.yaml --offline --yes -- \
    terraform apply >/dev/null 2>&1 &
pid=$!
waits_for 'apply waits'
kill -TERM "$pid"
wait "$pid"
status=$?
[ "$status" -eq 5 ]
check $? "TERM goes on to the tool, whose status counts (exit $status)"
calls 'told to end' 'the tool could end in order'
[ -z "$(left)" ]
check $? 'the plan file is gone then too'
# Twice would mean "at any cost" to Terraform. What ends a whole group tells each of its processes.
listening() { # starts an apply that listens; $pid, and what it started as $below
    : >"$FAKE_LOG"
    FAKE_APPLY_LISTENS=yes greenlaunch hook terraform --run --policy policy.yaml --offline --yes \
        -- terraform apply >/dev/null 2>&1 &
    pid=$!
    waits_for 'apply waits'
    mapfile -t below < <(pgrep -P "$pid")
}
heard_once() { # TEXT
    wait "$pid"
    [ "$(grep -c '^apply heard it' "$FAKE_LOG")" -eq 1 ]
    check $? "$1"
}
listening
kill -TERM "$pid"
heard_once 'TERM to the program alone is told to the tool once'
listening
kill -TERM "${below[@]}"
sleep 0.1
kill -TERM "$pid"
heard_once 'TERM to every process of the group is not told again'
listening
kill -TERM "$pid"
sleep 0.1
kill -TERM "${below[@]}"
heard_once 'whoever hears it first'
judging() { # SIGNAL: starts a run that waits for the tool to show the plan; $pid
    : >"$FAKE_LOG"
    FAKE_SLEEP_SHOW=60 env --default-signal="$1" greenlaunch hook terraform --run \
        --policy policy.yaml --offline --yes -- terraform apply >/dev/null 2>"$scratch/err" &
    pid=$!
    waits_for '^show'
}
ended_by() { # STATUS TEXT
    local status=0
    wait "$pid" || status=$?
    [ "$status" -eq "$1" ]
    check $? "$2 (exit $status)"
    never_applied 'nothing is applied, the plan file is gone'
}
for way in TERM:143 HUP:143 INT:130; do
    judging "${way%:*}"
    kill -"${way%:*}" "$pid"
    ended_by "${way#*:}" "${way%:*} ends a judgement that waits for the tool"
done
: >"$FAKE_LOG"
FAKE_APPLY_LISTENS=yes nohup greenlaunch hook terraform --run --policy policy.yaml --offline --yes \
    -- terraform apply >/dev/null 2>&1 &
pid=$!
waits_for 'apply waits'
mapfile -t below < <(pgrep -P "$pid")
kill -HUP "$pid" "${below[@]}"
wait "$pid"
check $? "below nohup a closed terminal ends neither the program nor the tool (exit $?)"
FAKE_SHOW_STAYS=yes judging HUP
kill -HUP "$pid"
sleep 1
kill -HUP "$pid"
ended_by 143 'a closed terminal, as both kernel and shell tell it, and a tool that does not listen'
mkfifo silent
exec 3<>silent
hears_nothing() {
    greenlaunch --timeout 1s hook terraform - --policy policy.yaml <&3
}
exits 124 'a --timeout while nothing comes on standard input' hears_nothing
exec 3>&-
: >"$FAKE_LOG"
FAKE_SLEEP_PLAN=60 greenlaunch hook terraform --run --policy policy.yaml --offline --yes -- \
    terraform apply >/dev/null 2>&1 &
pid=$!
waits_for '^plan'
tool=$(pgrep -x -P "$pid" sleep)
exits 0 'another run beside it' run --yes -- terraform apply
[ -n "$(left)" ]
check $? 'leaves the folder of the first alone'
{ kill -KILL "$pid" && wait "$pid"; } 2>/dev/null
kill "$tool" 2>/dev/null
[ -n "$(left)" ]
check $? 'a killed run leaves its folder'
exits 0 'the next run' run --yes -- terraform apply
[ -z "$(left)" ]
check $? 'sweeps it'

# ---- the wrapper that hook install writes ----
exits 0 'hook install terraform' greenlaunch hook install terraform --yes
: >"$FAKE_LOG"
./greenlaunch-terraform init
calls '^init$' 'the wrapper hands other verbs on'
exits 2 'and puts apply through the hook' ./greenlaunch-terraform -chdir=. apply
calls '^-chdir=. plan' 'which makes the plan'
exits 0 'from another folder too, by the policy that lies beside it' \
    sh -c 'cd sub && ../greenlaunch-terraform apply -auto-approve'
calls '^apply' 'where it applies'
exits 0 'and comes out again' greenlaunch hook install terraform --uninstall --yes
[ ! -e greenlaunch-terraform ]
check $? 'whole'

# ---- hook install into files that exist ----
place() { # PLACE FILE TEXT
    printf '%b' "$3" >"$2"
    cp "$2" before
    exits 0 "hook install $1" greenlaunch hook install "$1" --yes
    grep -q greenlaunch "$2"
    check $? "puts its block into $2"
    cp "$2" once
    exits 0 'a second time' greenlaunch hook install "$1" --yes
    cmp -s "$2" once
    check $? 'changes nothing'
    exits 0 'taken out' greenlaunch hook install "$1" --uninstall --yes
    cmp -s "$2" before
    check $? 'the file is what it was, byte for byte'
    cp once "$2"
}
place pre-commit .pre-commit-config.yaml 'fail_fast: true\nrepos:\n- repo: meta\n  hooks:\n  - id: identity\nci: {}\n'
[ "$(sed -n 4p .pre-commit-config.yaml)" = '- repo: local' ]
check $? 'with the indentation that is used there'
chmod 640 .pre-commit-config.yaml
place pre-commit .pre-commit-config.yaml '\xef\xbb\xbfrepos:\n- repo: meta\n  hooks:\n  - id: identity\n'
[ "$(grep -c 'repos:' .pre-commit-config.yaml)" -eq 1 ]
check $? 'also below a first line with a byte order mark'
[ "$(stat -c %a .pre-commit-config.yaml)" = 640 ]
check $? 'with the mode it had'
place gitlab .gitlab-ci.yml 'build:\n  script: [make]\n'
place atlantis atlantis.yaml 'version: 3\nworkflows:\n    other:\n        plan: {steps: [init]}\n'
place terragrunt terragrunt.hcl 'terraform {\n  source = "./m"\n}\n'
mkdir -p .github/workflows
echo 'name: ours' >.github/workflows/greenlaunch.yml
exits 2 "somebody else's file" greenlaunch hook install github --yes
[ "$(cat .github/workflows/greenlaunch.yml)" = 'name: ours' ]
check $? 'stays as it is'
rm -r .github
exits 0 'github' greenlaunch hook install github --yes --policy green/policy.yaml
grep -q -- '--policy green/policy.yaml' .github/workflows/greenlaunch.yml
check $? 'with the policy that was named'
exits 2 'a policy that would be more than a path' greenlaunch hook install github --yes \
    --policy "a\$(touch x).yaml"
exits 2 'nobody to ask' greenlaunch hook install github --uninstall
mkdir linked && echo 'kept: true' >linked/shared.yaml && ln -s shared.yaml linked/atlantis.yaml
exits 2 'a link in place of the file' sh -c 'cd linked && greenlaunch hook install atlantis --yes'
said 'is a link' 'is said'
[ -L linked/atlantis.yaml ] && [ "$(cat linked/shared.yaml)" = 'kept: true' ]
check $? 'and left as it is'
for folder in .github .github/workflows; do
    rm -rf linked elsewhere
    mkdir -p linked/.github elsewhere/workflows
    [ "$folder" != .github ] || rmdir linked/.github
    ln -s "$PWD/elsewhere" "linked/$folder"
    exits 2 "a link in place of $folder" sh -c 'cd linked && greenlaunch hook install github --yes'
    said 'is a link, and the file would be written elsewhere' 'is said'
    [ -z "$(find elsewhere -type f)" ]
    check $? 'and nothing is written through it'
done
exits 2 'a place that is not known' greenlaunch hook install jenkins --yes
echo 'repos: []' >.pre-commit-config.yaml
exits 2 'a list on its own line is left alone' greenlaunch hook install pre-commit --yes
if command -v script >/dev/null 2>&1; then
    echo n | script -qec 'exec greenlaunch hook install atlantis --uninstall' "$scratch/asked" >/dev/null
    status=$?
    [ "$status" -eq 11 ] && grep -q 'greenlaunch' atlantis.yaml
    check $? "declined is 11 and writes nothing (exit $status)"
fi

# ---- the external data source ----
external() { # EXPECTED TEXT QUERY
    local status=0
    printf '%s' "$3" | greenlaunch hook external --offline --state "$scratch/external" \
        >"$scratch/out" 2>"$scratch/err" || status=$?
    [ "$status" -eq "$1" ] || show_printed
    [ "$status" -eq "$1" ]
    check $? "$2 (exit $status)"
}
place='"clouds":"aws","machine_type":"m7g.large","min_grade":"D"'
external 0 'a region is named' "{$place,\"max_intensity\":\"100gCO2e/kWh\",\"regions\":\"eu-*\",\"arch\":null}"
[ "$(jq 'all(.[]; type == "string") and .decision == "allow" and .region == "eu-north-1"' \
    "$scratch/out")" = true ]
check $? 'in one object of strings'
[ ! -s "$scratch/err" ]
check $? 'with nothing on standard error'
external 0 'the region of before is kept' \
    "{$place,\"max_intensity\":\"100gCO2e/kWh\",\"previous\":\"eu-west-3\"}"
[ "$(jq -r .region "$scratch/out")" = eu-west-3 ]
check $? 'as long as it is allowed'
external 0 'another one is named' \
    "{$place,\"max_intensity\":\"25gCO2e/kWh\",\"previous\":\"eu-west-3\"}"
[ "$(jq -r .region "$scratch/out")" != eu-west-3 ]
check $? 'when it is not'
external 3 'nothing allowed is an error' "{$place,\"max_intensity\":\"1gCO2e/kWh\"}"
[ ! -s "$scratch/out" ] && [ -s "$scratch/err" ]
check $? 'said on standard error only'
external 0 'or an answer where that is asked for' \
    "{$place,\"max_intensity\":\"1gCO2e/kWh\",\"on_refuse\":\"answer\"}"
[ "$(jq -r .region "$scratch/out")" = none ]
check $? 'with a region that no provider takes'
external 8 'unknown is never green' '{"clouds":"aws","renewable_only":"true"}'
external 2 'no rules' '{"clouds":"aws"}'
external 2 'a key that is not known' '{"max_intensty":"1gCO2e/kWh"}'
external 2 'a number' '{"max_intensity":100}'
external 2 'a list' '["max_intensity"]'
external 2 'nothing' ''
external 2 'a word that is none of the choices' "{$place,\"min_grade\":\"Z\"}"
external 2 'too much' "{\"max_intensity\":\"$(head -c 70000 /dev/zero | tr '\0' 1)\"}"
[ ! -e "$scratch/external/ledger.db" ]
check $? 'no ledger was opened'

# ---- the real Terraform: the one on PATH, or one that pip carries ----
export PATH=$build:$plain
if [ -z "$real" ] && terraform_venv "$build"; then
    real=$terraform
    export PATH="$build:${terraform%/*}:$plain"
fi
if [ -z "$real" ]; then
    printf 'skip a real plan and apply: terraform is not on PATH, and %s\n' "$missing"
    exit "$failed"
fi
mkdir -p "$scratch/real" && cd "$scratch/real" || exit 1
cat >main.tf <<'TF'
variable "token" {
  type      = string
  sensitive = true
}
resource "terraform_data" "job" {
  input = { type = "m7g.large", token = var.token }
}
TF
cp "$root/examples/policies/plans.yaml" policy.yaml
if ! "$real" init -input=false -no-color >init.log 2>&1; then
    printf 'skip a real plan and apply: terraform init fails here, see %s\n' "$PWD/init.log"
    exit "$failed"
fi
exits 0 'terraform plan' "$real" plan -input=false -no-color -out=tfplan -var "token=$secret"
exits 0 'its binary plan is judged' "${judge[@]}" tfplan
said 'Terraform [0-9.]+, format 1' 'as what it is'
"$real" show -json tfplan >plan.json
"${judge[@]}" - <plan.json >"$scratch/out" 2>"$scratch/err"
check $? 'and so is its JSON'
exits 0 'terraform apply through the hook' "${judge[@]}" --run -- terraform apply -no-color \
    -auto-approve -var "token=$secret"
said 'Apply complete. Resources: 1 added' 'applies for real'
grep -q '"terraform_data"' terraform.tfstate
check $? 'the state has it'
[ -z "$(left)" ]
check $? 'no plan stays behind'
exits 1 'a saved plan that is stale is refused by terraform, with its status' "${judge[@]}" --run \
    --yes -- terraform apply -no-color tfplan
! grep -rq "$secret" "$scratch/out" "$scratch/err" "$scratch/state"
check $? 'no value of the plan is anywhere of ours'
mv main.tf off.tf.txt && printf 'resource "x" {\n' >main.tf
exits 1 'a configuration that is broken ends with its status too' "${judge[@]}" --run --yes -- \
    terraform apply -no-color
exit "$failed"
