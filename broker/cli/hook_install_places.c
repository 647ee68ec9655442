/* SPDX-License-Identifier: Apache-2.0 */
/* What is installed where. The policy comes from the branch that is merged into wherever the place
 * knows it, so that a change cannot loosen its own gate. */
#include <string.h>

#include "broker/cli/hook_install.h"

#define JUDGE "greenlaunch hook terraform --policy {policy} "

static const struct gl_hook_place_row rows[] = {
    {.name = "terraform",
     .path = "greenlaunch-terraform",
     .first_line = "#!/bin/sh\n",
     .is_whole = true,
     .mode = 0755,
     .next = "call ./greenlaunch-terraform in place of terraform",
     .body = "# terraform, but `apply` applies exactly the plan that was judged.\n"
             "set -eu\n"
             "tool=${GREENLAUNCH_TERRAFORM:-terraform}\n"
             "verb=''\n"
             "for word in \"$@\"; do\n"
             "    case $word in -*) ;; *) verb=$word && break ;; esac\n"
             "done\n"
             "[ \"$verb\" = apply ] || exec \"$tool\" \"$@\"\n"
             "# The policy lies beside this file, wherever it is called from.\n"
             "here=$(CDPATH='' cd \"$(dirname \"$0\")\" && pwd)\n"
             "exec greenlaunch hook terraform --run --policy \"$here/{policy}\" -- \"$tool\" "
             "\"$@\"\n"},
    {.name = "pre-commit",
     .path = ".pre-commit-config.yaml",
     .anchor = "repos:",
     .mode = 0644,
     .head = "repos:\n",
     .next = "run: pre-commit install",
     .body = "- repo: local\n"
             "  hooks:\n"
             "    - id: greenlaunch-policy\n"
             "      name: greenlaunch policy check\n"
             "      entry: greenlaunch policy check\n"
             "      language: system\n"
             "      files: (^|/)(greenlaunch|policy)[^/]*\\.ya?ml$\n"
             "    - id: greenlaunch-plan\n"
             "      name: greenlaunch hook\n"
             "      entry: greenlaunch hook --policy {policy}\n"
             "      language: system\n"
             "      files: \\.tfplan\\.json$\n"},
    {.name = "github",
     .path = ".github/workflows/greenlaunch.yml",
     .is_whole = true,
     .mode = 0644,
     .next = "greenlaunch must be on the PATH of the runner; cloud credentials are yours to add",
     .body = "name: greenlaunch\n"
             "on: pull_request\n"
             "permissions:\n"
             "  contents: read\n"
             "jobs:\n"
             "  green:\n"
             "    runs-on: ubuntu-latest\n"
             "    steps:\n"
             "      - uses: actions/checkout@v4\n"
             "        with:\n"
             "          fetch-depth: 0\n"
             "      - uses: hashicorp/setup-terraform@v3\n"
             "        with:\n"
             "          terraform_wrapper: false\n"
             "      - run: terraform init -input=false\n"
             "      - run: terraform plan -input=false -out=tfplan\n"
             "      - name: judge the plan by the policy of the target branch\n"
             "        run: >-\n"
             "          " JUDGE "tfplan\n"
             "          --policy-ref \"refs/remotes/origin/$GITHUB_BASE_REF\"\n"
             "          --output github --output \"markdown=$GITHUB_STEP_SUMMARY\"\n"},
    {.name = "gitlab",
     .path = ".gitlab-ci.yml",
     .mode = 0644,
     .next = "greenlaunch and terraform must be in the image; stages of your own must have test",
     .body = "greenlaunch:\n"
             "  stage: test\n"
             "  rules:\n"
             "    - if: $CI_PIPELINE_SOURCE == \"merge_request_event\"\n"
             "  script:\n"
             "    - git fetch origin \"$CI_MERGE_REQUEST_TARGET_BRANCH_NAME\"\n"
             "    - terraform init -input=false\n"
             "    - terraform plan -input=false -out=tfplan\n"
             "    - >-\n"
             "      " JUDGE "tfplan\n"
             "      --policy-ref FETCH_HEAD\n"
             "      --output text --output gitlab=gl-code-quality-report.json\n"
             "      --output junit=greenlaunch.xml\n"
             "  artifacts:\n"
             "    when: always\n"
             "    reports:\n"
             "      codequality: gl-code-quality-report.json\n"
             "      junit: greenlaunch.xml\n"},
    {.name = "atlantis",
     .path = "atlantis.yaml",
     .start = "version: 3\n", /* without one Atlantis reads nothing */
     .anchor = "workflows:",
     .mode = 0644,
     .head = "workflows:\n",
     .next = "give your projects `workflow: greenlaunch`; the server must allow custom workflows "
             "and, for policy_check, policy checks and custom_policy_check",
     .body = "greenlaunch:\n"
             "  policy_check:\n"
             "    steps:\n"
             "      - show\n"
             "      # Atlantis reads the text; a status that is no verdict still ends the step\n"
             "      - run: >-\n"
             "          " JUDGE "\"$SHOWFILE\"\n"
             "          --policy-ref \"refs/remotes/origin/$BASE_BRANCH_NAME\" --output atlantis\n"
             "          || case $? in 3|6|7|8) ;; *) exit 1 ;; esac\n"
             "  apply:\n"
             "    steps:\n"
             "      - run: >-\n"
             "          " JUDGE "\"$PLANFILE\"\n"
             "          --policy-ref \"refs/remotes/origin/$BASE_BRANCH_NAME\" --point apply\n"
             "      - apply\n"},
    {.name = "terragrunt",
     .path = "terragrunt.hcl",
     .anchor = "terraform {",
     .mode = 0644,
     .head = "terraform {\n",
     .tail = "}\n",
     .next = "run: terragrunt plan -out=tfplan, then terragrunt apply tfplan; an apply without a "
             "saved plan is refused",
     .body = "before_hook \"greenlaunch\" {\n"
             "  commands = [\"apply\"]\n"
             "  execute  = [\"greenlaunch\", \"hook\", \"terraform\", \"tfplan\", \"--point\", "
             "\"apply\",\n"
             "              \"--policy\", \"${get_repo_root()}/{policy}\"]\n"
             "}\n"},
};
#define ROWS (sizeof rows / sizeof rows[0])

const struct gl_hook_place_row *gl_hook_place_named(const char *name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

const char *const *gl_hook_place_names(void)
{
    static const char *const names[] = {"terraform", "pre-commit", "github", "gitlab",
                                        "atlantis",  "terragrunt", NULL};

    _Static_assert(sizeof names / sizeof names[0] == ROWS + 1, "a name each");
    return names;
}
