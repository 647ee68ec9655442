#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Launches on moto beside the AWS CLI's, both as whole programs: tests/bench/aws.sh BUILD
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
# shellcheck source=tests/support/aws_venv.sh
. tests/support/aws_venv.sh
scratch=$build/tmp/bench-aws

if ! aws_venv "$build"; then
    printf '  skipped: %s\n' "$missing"
    exit 0
fi
cli=$(dirname "$python")/aws
[ -x "$cli" ] || cli=$(command -v aws) || { printf '  skipped: no AWS CLI\n'; exit 0; }
rm -rf "$scratch"
mkdir -p "$scratch"
mkfifo "$scratch/in"
"$python" tests/support/aws_judge.py plain "$scratch" <"$scratch/in" >"$scratch/log" 2>&1 &
judge=$!
exec 9>"$scratch/in"
for _ in $(seq 240); do
    [ -f "$scratch/url" ] && break
    kill -0 "$judge" 2>/dev/null || break
    sleep 0.25
done
measure() {
    local region=eu-north-1 type=t3.micro
    export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_ENDPOINT_URL
    export AWS_EC2_METADATA_DISABLED=true AWS_PAGER='' HOME=$scratch
    AWS_ACCESS_KEY_ID=$(awk '{ print $2 }' "$scratch/keys")
    AWS_SECRET_ACCESS_KEY=$(awk '{ print $3 }' "$scratch/keys")
    printf '%s\n' 'greenlaunch_config: 1' 'zone: IS' 'clouds:' '  aws:' "    region: $region" \
        "    image: $(cat "$scratch/ami")" 'sources: []' >"$scratch/config.yaml"
    # Its first use, with the cap that it must have, which moto has no prices for: through the door.
    ours=("$build/greenlaunch" launch --config "$scratch/config.yaml" --cloud aws --region "$region"
        --type "$type" --duration 15min --yes)
    AWS_ENDPOINT_URL=$(cat "$scratch/url")
    if ! "${ours[@]}" --state "$scratch/primed" --max-price 1USD/h >"$scratch/said" 2>&1 ||
        ! "$build/greenlaunch" stop --state "$scratch/primed" --config "$scratch/config.yaml" \
            --all-mine >>"$scratch/said" 2>&1; then
        printf '  skipped: the first launch failed: %s\n' "$(tail -n 2 "$scratch/said" | tr '\n' ' ')"
        return
    fi
    # Then past it: its work is neither ours nor theirs.
    AWS_ENDPOINT_URL=$(cat "$scratch/inner")
    printf '%s\n' "${ours[@]}" --no-rules --state "$scratch/state" >"$scratch/ours"
    printf '%s\n' "$cli" ec2 run-instances --image-id "$(cat "$scratch/ami")" --count 1 \
        --instance-type "$type" --region "$region" --output json >"$scratch/theirs"
    "$build/bench" aws "$scratch" 2>"$scratch/said" || tail -n 5 "$scratch/said" | sed 's/^/  /'
    printf '  %s\n' 'ours asks moto twice (the dry run, then the launch), theirs once' \
        "$("$cli" --version 2>&1)"
}

if [ -f "$scratch/inner" ]; then
    measure
else
    printf '  skipped: moto does not answer\n'
fi
exec 9>&-
wait "$judge" 2>/dev/null
rm -rf "$scratch"
exit 0
