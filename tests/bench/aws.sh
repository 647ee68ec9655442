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
if [ -f "$scratch/inner" ]; then
    # Past the judge's door: its work is neither ours nor theirs.
    AWS_ENDPOINT_URL=$(cat "$scratch/inner") MOTO_AMI=$(cat "$scratch/ami") \
        AWS_ACCESS_KEY_ID=$(awk '{ print $2 }' "$scratch/keys") \
        AWS_SECRET_ACCESS_KEY=$(awk '{ print $3 }' "$scratch/keys") \
        HOME=$scratch AWS_PAGER='' "$build/bench" aws "$cli"
    printf '  %s\n' "$("$cli" --version 2>&1)"
else
    printf '  skipped: moto does not answer\n'
fi
exec 9>&-
wait "$judge" 2>/dev/null
rm -rf "$scratch"
exit 0
