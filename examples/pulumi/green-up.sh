#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `pulumi up` of what was judged: the preview is judged, and the update is held to its plan.
# GREENLAUNCH_POLICY: the policy.
set -eu
policy=${GREENLAUNCH_POLICY:-policy.yaml}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT # the preview may hold secrets
trap 'exit 1' HUP INT TERM

pulumi preview --json --save-plan "$folder/plan" >"$folder/preview.json"
greenlaunch hook pulumi "$folder/preview.json" --policy "$policy" --point apply
pulumi up --plan "$folder/plan" "$@"
