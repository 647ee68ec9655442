#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One step of any CI: make the plan, judge it by the policy as it stands on the protected branch.
# GREENLAUNCH_POLICY: path of the policy in the repository; GREENLAUNCH_BASE: the protected branch.
set -eu
policy=${GREENLAUNCH_POLICY:-policy.yaml}
base=${GREENLAUNCH_BASE:-refs/remotes/origin/main}
tool=${GREENLAUNCH_TERRAFORM:-terraform}

"$tool" init -input=false >&2
"$tool" plan -input=false -out=tfplan >&2
exec greenlaunch hook terraform tfplan --policy "$policy" --policy-ref "$base" \
    --output text --output junit=greenlaunch.xml --output sarif=greenlaunch.sarif
