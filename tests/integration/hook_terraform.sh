#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a real Terraform plans with a real provider, through the hook: aliases, providers handed to
# modules, for_each and count, a launch template, a region nobody can read; a binary plan, its JSON
# in a pipe, and --run. Nothing is applied, no cloud is asked: tests/integration/hook_terraform.sh BUILD
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd) || exit 1
. tests/support/checks.sh
. tests/support/terraform_venv.sh
scratch=$build/tmp/hook_terraform
rm -rf "$scratch"
mkdir -p "$scratch"/{home,work}
if ! terraform_venv "$build"; then
    printf 'skip a real plan with a real provider: %s\n' "$missing"
    exit 0
fi
export HOME=$scratch/home XDG_STATE_HOME=$scratch/state XDG_CONFIG_HOME=$scratch/config
export PATH="$build:${terraform%/*}:$PATH" CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1
export TF_CLI_CONFIG_FILE=$scratch/terraformrc
unset AWS_REGION AWS_DEFAULT_REGION AWS_PROFILE
# Providers listen on a socket in TMPDIR, whose path may have 107 bytes.
TMPDIR=$(mktemp -d /tmp/gl-terraform.XXXXXX) || exit 1
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
printf 'provider_installation {\n  filesystem_mirror { path = "%s" }\n}\n' "$mirror" \
    >"$TF_CLI_CONFIG_FILE"
secret=planted-secret-value
cp -r tests/fixtures/hook/terraform/. "$scratch/work"
cd "$scratch/work" || exit 1
if ! terraform init -input=false -no-color >init.log 2>&1; then
    printf 'skip a real plan with a real provider: terraform init: %s\n' "$(tail -n 1 init.log)"
    exit 0
fi
cat >policy.yaml <<'YAML'
greenlaunch: 1
id: north
rules:
  - id: north
    regions: [eu-north-1]
YAML
judge=(greenlaunch --offline hook terraform --policy policy.yaml)

exits 0 'terraform plan with the AWS provider' terraform plan -input=false -no-color -out=tfplan \
    -var "token=$secret"
terraform show -json tfplan >plan.json
exits 0 'what is understood of it' greenlaunch --offline hook facts plan.json
jq -r '.intents[] | select(.launches) | "\(.address) \(.place.region) \(.machine.type)" +
    " \(.count.min)/\(.count.max)"' "$scratch/out" | LC_ALL=C sort >actual
diff -u expected actual | sed 's/^/# /'
cmp -s expected actual
check $? 'is where and what it would launch, instance by instance'
! grep -qE "$secret|planted|af-south-1|31337|eu-north-1b" "$scratch/out" &&
    [ "$(grep -oE "$secret|planted-hidden|af-south-1|31337|eu-north-1b" plan.json | sort -u | wc -l)" -eq 5 ]
check $? 'without the secrets that are in the plan, and what it marks as sensitive'
jq -e '[.intents[] | select(.sensitive) | [.address, .sensitive]] == [
    ["aws_autoscaling_group.hidden", ["instance_type of aws_launch_template.hidden", "max_size"]],
    ["aws_instance.hidden_region", ["variable hidden_region"]],
    ["aws_instance.hidden_type", ["instance_type"]],
    ["aws_instance.hidden_zone", ["availability_zone"]],
    ["aws_launch_template.hidden", ["instance_type"]]]' "$scratch/out" >/dev/null
check $? 'which is named'
exits 3 'its JSON in a pipe is refused' sh -c "'$build/greenlaunch' --offline hook terraform - \
    --policy policy.yaml <plan.json"
said 'us-east-1' 'for the region that is not allowed'
exits 3 'and so is the binary plan' "${judge[@]}" tfplan
exits 3 'and the apply of it' "${judge[@]}" --run -- terraform apply -no-color -auto-approve \
    -var "token=$secret"
[ ! -e terraform.tfstate ]
check $? 'which applies nothing'

exits 0 'only what stands in the north is planned' terraform plan -input=false -no-color \
    -out=north -var "token=$secret" -target aws_instance.home -target module.swap.aws_instance.other
exits 0 'and allowed' "${judge[@]}" north
said 'partial' 'as the part that it is'
exits 0 'where nobody can read the region it is planned too' terraform plan -input=false -no-color \
    -out=unread -var "token=$secret" -target aws_instance.unread
exits 8 'and unknown' "${judge[@]}" unread
exits 0 'a plan that destroys' terraform plan -input=false -no-color -destroy -out=destroy \
    -var "token=$secret"
exits 0 'launches nothing' "${judge[@]}" destroy
! grep -rqE "$secret|planted|af-south-1" "$scratch/out" "$scratch/err" "$scratch/state" 2>/dev/null
check $? 'no value of a plan is anywhere of ours'
rm -rf "$scratch/work/.terraform"
exit "$failed"
