#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tests/run.sh must notice what it is there to notice: programs that fail, crash, hang, run nothing,
# were not built, or leave a process behind.
set -u
export LC_ALL=C
root=$(cd "$(dirname "$0")/.." && pwd)
scratch=$root/build/tmp/run-selftest
rm -rf "$scratch"
mkdir -p "$scratch"/tests/unit/base "$scratch"/tests/integration "$scratch"/build/tests/unit/base
cd "$scratch" || exit 1
cp "$root/tests/run.sh" tests/
number=0
failed=0

program() { # NAME SCRIPT
    : >"tests/unit/base/test_$1.c"
    printf '#!/bin/bash\n%s\n' "$2" >"build/tests/unit/base/test_$1"
    chmod +x "build/tests/unit/base/test_$1"
}

says() { # LINE
    number=$((number + 1))
    if printf '%s\n' "$out" | grep -qE "$1"; then
        printf 'ok %d - says: %s\n' "$number" "$1"
    else
        printf 'not ok %d - says: %s\n' "$number" "$1"
        failed=$((failed + 1))
    fi
}

program good 'echo "[  PASSED  ] 3 test(s)."; echo "[  SKIPPED ] 1 test(s), listed below:"'
program bad 'echo "[  PASSED  ] 1 test(s)."; echo "[  FAILED  ] 2 test(s), listed below:"; exit 2'
# shellcheck disable=SC2016 # for the scratch programs to expand
program crash 'kill -SEGV $$'
program empty 'exit 0'
program hang 'sleep 100'
program status 'echo "[  PASSED  ] 1 test(s)."; exit 5'
# shellcheck disable=SC2016
program left 'echo "[  PASSED  ] 1 test(s)."; setsid sleep 101 >/dev/null 2>&1 &
    cd $HOME; setsid env -i sleep 102 >$HOME/held 2>&1 &'
: >tests/unit/base/test_missing.c
printf 'echo "ok 1 a"\necho "skip nothing to try it with"\necho "not ok 2 b"\n' >tests/integration/a.sh
printf '#!/bin/bash\necho "cases: 4 passed, 1 failed, 2 skipped"\nexit 1\n' >tests/cases.sh
chmod +x tests/cases.sh

out=$(TEST_SECONDS=1 tests/run.sh build 'unit/' cases integration 2>&1)
status=$?
says '^ok    unit/base/test_good +3 passed, 1 skipped'
says '^FAIL  unit/base/test_bad +1 passed, 2 failed'
says 'test_crash ended by signal 11'
says 'test_empty ran no test'
says 'test_hang did not end within 1 s'
says 'test_status ended with status 5'
says 'test_missing could not be started'
says '^FAIL  cases +4 passed, 1 failed'
says '^FAIL  integration/a +1 passed, 1 failed'
says 'left running: [0-9]+ sleep 101'
says 'left running: [0-9]+ sleep 102'
says '^failed: unit/base/test_bad '
out=$(printf '%s\n' "$out" | tail -n 1)
says '^11 passed, 10 failed, 4 skipped$'
out="status $status"
says '^status 1$'
rm tests/unit/base/test_[^g]*.c tests/integration/a.sh tests/cases.sh
out=$(tests/run.sh build unit/ 2>&1)
out="status $? $(printf '%s\n' "$out" | tail -n 1)"
says '^status 0 4 passed, 0 failed, 1 skipped$'
[ "$failed" -eq 0 ] && rm -rf "$scratch"
[ "$failed" -eq 0 ]
