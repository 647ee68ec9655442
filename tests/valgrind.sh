#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Unit tests under valgrind: tests/valgrind.sh BUILD [WORD...] (only what a WORD occurs in).
# Invalid accesses, use of uninitialised memory and definite leaks are errors, in forked children
# all but leaks: those end by _exit(). Last line: `valgrind: N clean, N failed`.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.." || exit 1

# One program; says something only when there is something wrong.
if [ "${1:-}" = --one ]; then
    source=$2
    log=$BUILD_DIR/tmp/valgrind/$(basename "$source" .c)
    timeout -k 5 1800 valgrind --quiet --error-exitcode=99 --leak-check=full \
        --show-leak-kinds=definite --errors-for-leak-kinds=none --child-silent-after-fork=yes \
        --log-file="$log" "$BUILD_DIR/${source%.c}" >"$log.out" 2>&1 </dev/null
    status=$?
    if [ "$status" -ne 0 ] || grep -q 'definitely lost' "$log"; then
        printf 'FAIL %s: status %d\n' "${source%.c}" "$status"
        head -n 60 "$log" | sed 's/^/    | /'
        [ "$status" -eq 0 ] || [ "$status" -eq 99 ] ||
            grep -vE '^\[ (RUN|      OK) ' "$log.out" | tail -n 20 | sed 's/^/    | /'
    fi
    exit 0
fi

build=${1:-build}
[ $# -eq 0 ] || shift
command -v valgrind >/dev/null || {
    printf 'valgrind: skipped: valgrind is not installed (apt-get install valgrind libc6-dbg)\n'
    exit 0
}
export BUILD_DIR=$build
rm -rf "$build/tmp/valgrind"
mkdir -p "$build/tmp/valgrind"
sources=()
for source in tests/unit/*/test_*.c; do
    wanted=${1:+no}
    for word; do
        case $source in *"$word"*) wanted= ;; esac
    done
    [ -n "$wanted" ] || sources+=("$source")
done
printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -n 1 "$0" --one |
    tee "$build/tmp/valgrind/failed"
failed=$(grep -c '^FAIL ' "$build/tmp/valgrind/failed")
printf 'valgrind: %d clean, %d failed\n' $((${#sources[@]} - failed)) "$failed"
[ "$failed" -eq 0 ] && [ ${#sources[@]} -gt 0 ]
