#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Unit tests under valgrind: tests/valgrind.sh BUILD [WORD...]. Invalid accesses, use of
# uninitialised memory and definite leaks are errors. Last line: `valgrind: N clean, N failed`.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
[ $# -eq 0 ] || shift
clean=0
failed=0

command -v valgrind >/dev/null || {
    printf 'valgrind: skipped: valgrind is not installed (apt-get install valgrind libc6-dbg)\n'
    exit 0
}
export BUILD_DIR=$build
mkdir -p "$build/tmp"
log=$build/tmp/valgrind.log
for source in tests/unit/*/test_*.c; do
    program=$build/${source%.c}
    wanted=${1:+no}
    for word; do
        case $source in *"$word"*) wanted= ;; esac
    done
    [ -z "$wanted" ] || continue
    timeout -k 5 600 valgrind --quiet --error-exitcode=99 --leak-check=full \
        --errors-for-leak-kinds=definite --child-silent-after-fork=yes --log-file="$log" \
        "$program" >"$log.out" 2>&1 </dev/null
    status=$?
    if [ "$status" -eq 0 ] && ! grep -q 'ERROR SUMMARY: [1-9]' "$log"; then
        clean=$((clean + 1))
        continue
    fi
    failed=$((failed + 1))
    printf 'FAIL %s: status %d\n' "${source%.c}" "$status"
    head -n 60 "$log" | sed 's/^/    | /'
    [ "$status" -eq 99 ] || grep -vE '^\[ (RUN|      OK) ' "$log.out" | tail -n 20 | sed 's/^/    | /'
done
printf 'valgrind: %d clean, %d failed\n' "$clean" "$failed"
[ "$failed" -eq 0 ] && [ "$clean" -gt 0 ]
