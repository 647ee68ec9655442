#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Our Signature Version 4 beside botocore's, over random requests in both forms:
# tests/integration/sigv4.sh BUILD (SIGV4_SEED=N repeats a run)
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
# shellcheck source=tests/support/aws_venv.sh
. tests/support/aws_venv.sh
count=2000
seed=${SIGV4_SEED:-$(($(date +%s) % 1000000))}
scratch=$build/tmp/sigv4
program=$build/tests/unit/providers/test_aws_sigv4

if ! aws_venv "$build"; then
    printf 'skip botocore: %s\n' "$missing"
    exit 0
fi
rm -rf "$scratch"
mkdir -p "$scratch"
if ! "$python" tests/support/sigv4_cases.py "$seed" "$count" >"$scratch/cases.json"; then
    printf 'not ok 1 - botocore signs %d random requests\n' "$count"
    exit 1
fi
if SIGV4_CASES=$scratch/cases.json SIGV4_COUNT=$count "$program" >"$scratch/log" 2>&1; then
    printf 'ok 1 - %d random requests signed as botocore does, in both forms (seed %d)\n' \
        "$count" "$seed"
    rm -rf "$scratch"
else
    tail -n 20 "$scratch/log" | sed 's/^/# /'
    printf 'not ok 1 - random requests signed as botocore does (seed %d)\n' "$seed"
    exit 1
fi
