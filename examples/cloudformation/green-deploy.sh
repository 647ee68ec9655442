#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# green-deploy.sh STACK TEMPLATE REGION [NAME=VALUE ...]: a template says no region, the deployment
# does; what is judged is deployed with the same region and parameters.
set -eu
policy=${GREENLAUNCH_POLICY:-policy.yaml}
stack=$1 template=$2 region=$3
shift 3

judge() {
    for pair in "$@"; do
        set -- "$@" --parameter "$pair"
        shift
    done
    greenlaunch hook cloudformation "$template" --policy "$policy" --deploy-region "$region" "$@"
}

judge "$@"
[ $# -eq 0 ] || set -- --parameter-overrides "$@"
exec aws cloudformation deploy --stack-name "$stack" --template-file "$template" \
    --region "$region" "$@"
