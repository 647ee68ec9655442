# SPDX-License-Identifier: Apache-2.0
# Every apply goes through the wrapper: it makes the plan, judges it, and applies exactly that plan.
terraform_binary = "${get_repo_root()}/greenlaunch-terraform"

# Plans are judged as soon as they are saved: terragrunt plan -out=tfplan.
terraform {
  after_hook "greenlaunch" {
    commands = ["plan"]
    execute = ["sh", "-c",
    "test ! -e tfplan || exec greenlaunch hook terraform tfplan --policy \"$1\"", "greenlaunch", "${get_repo_root()}/policy.yaml"]
  }
}
