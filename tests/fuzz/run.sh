#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every fuzz target for some seconds each: tests/fuzz/run.sh [SECONDS [NAME...]].
# Starts from tests/fuzz/corpus/NAME; what is found new stays in build/fuzz/corpus/NAME, and with
# KEEP=1 the inputs that add coverage are merged into tests/fuzz/corpus/NAME. What crashes is
# written to build/fuzz/crash/NAME-*. Last line: `fuzz: N clean, N failed`.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
seconds=${1:-60}
[ $# -eq 0 ] || shift
clean=0
failed=0

command -v clang-14 >/dev/null || {
    printf 'fuzz: skipped: clang-14 is not installed (apt-get install clang-14 libclang-rt-14-dev)\n'
    exit 0
}
[ -e "$(clang-14 -print-file-name=libclang_rt.fuzzer-x86_64.a)" ] ||
    [ -e "$(clang-14 -print-runtime-dir)/libclang_rt.fuzzer.a" ] || {
    printf 'fuzz: skipped: libFuzzer is not installed (apt-get install libclang-rt-14-dev)\n'
    exit 0
}
make --no-print-directory -j"$(nproc)" FUZZ=1 fuzzers || exit 1

for source in tests/fuzz/fuzz_*.c; do
    name=${source#tests/fuzz/fuzz_}
    name=${name%.c}
    case " $* " in
    '  ' | *" $name "*) ;;
    *) continue ;;
    esac
    target=build/fuzz/targets/fuzz_$name
    seeds=tests/fuzz/corpus/$name
    found=build/fuzz/corpus/$name
    mkdir -p "$found" "$seeds" build/fuzz/crash
    dict=()
    [ ! -f "tests/fuzz/$name.dict" ] || dict=("-dict=tests/fuzz/$name.dict")
    log=build/fuzz/$name.log
    if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/crash/$name-" "${dict[@]}" "$found" "$seeds" >"$log" 2>&1; then
        clean=$((clean + 1))
        printf 'ok   %-12s %s runs, %s inputs of %s\n' "$name" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
            "$(find "$found" "$seeds" -type f | wc -l)" "$seeds"
    else
        failed=$((failed + 1))
        printf 'FAIL %s\n' "$name"
        grep -vE '^#[0-9]+' "$log" | tail -n 40 | cut -c 1-300 | sed 's/^/    | /'
    fi
    if [ -n "${KEEP:-}" ]; then
        "$target" -merge=1 -timeout=10 "$seeds" "$found" >>"$log" 2>&1 ||
            printf 'could not merge into %s, see %s\n' "$seeds" "$log"
    fi
done
printf 'fuzz: %d clean, %d failed\n' "$clean" "$failed"
[ "$failed" -eq 0 ] && [ "$clean" -gt 0 ]
