#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Line coverage of base/ and policy/ by their own unit tests; fails below 90 %.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.." || exit 1
floor=90

command -v gcovr >/dev/null || {
    printf 'coverage: skipped: gcovr is not installed (apt-get install gcovr)\n'
    exit 0
}
programs=()
for source in tests/unit/{base,policy}/test_*.c; do
    programs+=("build/cov/${source%.c}")
done
make -s -j"$(nproc)" CC=gcc COV=1 "${programs[@]}" || exit 1
find build/cov -name '*.gcda' -delete
export BUILD_DIR=build/cov
for program in "${programs[@]}"; do
    if ! timeout -k 5 300 "$program" >build/cov/log 2>&1 </dev/null; then
        cat build/cov/log
        printf 'coverage: %s failed\n' "$program"
        exit 1
    fi
done
gcovr --root . --object-directory build/cov/obj --filter 'base/' --filter 'policy/' \
    --fail-under-line "$floor" --print-summary
status=$?
if [ "$status" -ne 0 ]; then
    printf 'coverage: below %d %% of lines\n' "$floor"
    exit 1
fi
printf 'coverage: at least %d %% of lines\n' "$floor"
