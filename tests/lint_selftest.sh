#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tools/lint.sh must be able to fail: a small scratch tree that passes every check, then one
# violation at a time, each of which must be found by its own check and by its name.
set -u
export LC_ALL=C
unset MAKEFLAGS MAKELEVEL MFLAGS CC SAN COV FUZZ WERROR V
root=$(cd "$(dirname "$0")/.." && pwd)
scratch=$root/build/tmp/lint
number=0
failed=0

result() { # STATUS TEXT
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then
        printf 'ok %d - %s\n' "$number" "$2"
    else
        printf 'not ok %d - %s\n' "$number" "$2"
        failed=$((failed + 1))
    fi
}

rm -rf "$scratch"
mkdir -p "$scratch"/{base,policy,providers,agent,broker,tests,tools}
cd "$scratch" || exit 1
cp "$root/Makefile" "$root/.clang-format" .
cp "$root/tools/lint.sh" tools/
licence='/* SPDX-License-Identifier: Apache-2.0 */'
printf '%s\n#ifndef GL_X_H\n#define GL_X_H\n\nint gl_x(int a);\n\n#endif\n' "$licence" >base/x.h
printf '%s\n#include "base/x.h"\n\nint gl_x(int a)\n{\n    return a + 1;\n}\n' "$licence" >base/x.c
printf '%s\n#ifndef GL_Y_H\n#define GL_Y_H\n\nint gl_y(int a);\n\n#endif\n' "$licence" >policy/y.h
printf '%s\n#include "policy/y.h"\n\n#include "base/x.h"\n\nint gl_y(int a)\n{\n    return gl_x(a);\n}\n' \
    "$licence" >policy/y.c
printf '%s\n' "$licence" >tests/t.h
printf '# Page\nsee [x](base/x.h)\n' >README.md
printf '#!/bin/sh\necho "fine"\n' >tools/fine.sh

if out=$(tools/lint.sh 2>&1); then
    result 0 'a clean tree passes'
else
    result 1 'a clean tree passes'
    printf '%s\n' "$out" | grep -v '^ok' | sed 's/^/# /'
fi

# finds CHECK WORDS FILE TEXT: with TEXT (printf format) in FILE the check fails and says WORDS.
finds() {
    local out status was=
    [ -f "$3" ] && was=$(cat "$3")
    # shellcheck disable=SC2059 # the text is ours
    printf "$4" >"$3"
    out=$(tools/lint.sh "$1" 2>&1)
    status=$?
    if [ -n "$was" ]; then printf '%s\n' "$was" >"$3"; else rm -f "$3"; fi
    if printf '%s' "$out" | grep -q "^skip $1"; then
        number=$((number + 1))
        printf 'skip %s\n' "${out%%$'\n'*}"
    elif [ "$status" -ne 0 ] && printf '%s' "$out" | grep -q "^FAIL $1: .*$2"; then
        result 0 "$1 finds: $2"
    else
        result 1 "$1 finds: $2"
        printf '%s\n' "$out" | sed 's/^/# /'
    fi
}

function_of() { # LINES: a function of that many lines
    printf '%s\n#include "base/x.h"\n\nint gl_x(int a)\n{\n' "$licence"
    yes '    a++;' | head -n $(($1 - 4))
    printf '    return a;\n}\n'
}

finds floors 'base/ may not include policy/y.h' base/bad.c '#include "policy/y.h"\n'
finds floors 'policy/ may not include providers/' policy/bad.c '#include "providers/z.h"\n'
finds floors 'providers/ may not include policy/y.h' providers/bad.c '#include "policy/y.h"\n'
finds floors 'agent/ may not include providers/' agent/bad.c '#include "providers/z.h"\n'
finds floors 'agent/ may not include policy/facts.h' agent/bad.c '#include "policy/facts.h"\n'
finds floors 'broker/ may not include tests/t.h' broker/bad.c '#include "tests/t.h"\n'
finds floors 'without its folder' base/bad.c '#include "x.h"\n'
finds floors 'sqlite3.h may only' providers/bad.c '#include <sqlite3.h>\n'
finds purity 'outside world: time' policy/bad.c \
    '#include "policy/y.h"\n\n#include <time.h>\nint gl_y(int a)\n{\n    return a + (int)time(0);\n}\n'
finds purity 'outside world: getenv' policy/bad.c \
    '#include "policy/y.h"\n#include <stdlib.h>\nint gl_y(int a)\n{\n    return getenv("X") ? a : 0;\n}\n'
finds purity 'outside world: fopen' policy/bad.c \
    '#include "policy/y.h"\n#include <stdio.h>\nint gl_y(int a)\n{\n    return fopen("x", "r") ? a : 0;\n}\n'
finds purity 'outside world: socket' policy/bad.c \
    '#include "policy/y.h"\n#include <sys/socket.h>\nint gl_y(int a)\n{\n    return socket(a, a, a);\n}\n'
finds purity 'mutable state: calls' policy/bad.c \
    '#include "policy/y.h"\nstatic int calls;\nint gl_y(int a)\n{\n    return calls += a;\n}\n'
finds banned 'strcpy() is banned' agent/bad.c 'void f(char *a)\n{\n    strcpy (a, "x");\n}\n'
finds banned 'malloc() is banned' broker/bad.c 'void *f(void)\n{\n    return malloc(1);\n}\n'
finds sizes 'has 601 lines' base/bad.c "$(yes '//' | head -n 601)\n"
finds sizes 'has 201 lines' base/bad.h "$(yes '//' | head -n 201)\n"
if command -v pmccabe >/dev/null; then
    finds sizes 'gl_x has 61 lines' base/bad.c "$(function_of 61)\n"
    finds sizes 'complexity 16' base/bad.c \
        "int f(int a)\n{\n$(yes '    if (a) a++;' | head -n 15)\n    return a;\n}\n"
else
    printf 'skip sizes of functions: pmccabe is not installed\n'
fi
finds words 'unfinished work' tests/bad.c '// TO''DO later\n'
finds words 'path of one machine' tools/bad.sh 'cd /home/''someone/src\n'
finds words 'path of one machine' tools/bad.sh "cd $scratch/base\\n"
finds links 'no such file: gone.md' README.md '# Page\nsee [x](gone.md)\n'
finds links 'more than 120 lines' ARCHITECTURE.md "$(yes x | head -n 121)\n"
# shellcheck disable=SC2016 # for the scratch script to expand
finds shell 'SC2086' tools/bad.sh '#!/bin/sh\nls $1\n'
finds format 'is not formatted' base/bad.c 'int  f( void ) { return 1 ; }\n'
finds gcc 'unused' base/bad.c '#include "base/x.h"\nint gl_x(int a)\n{\n    return 1;\n}\n'
printf '#include "base/x.h"\nstatic int calls;\nint gl_x(int a)\n{\n    return calls += a;\n}\n' \
    >base/state.c
make -s CC=gcc WERROR=1 build/strict/obj/base/state.o >/dev/null
finds state 'base/state.o holds mutable state: calls' tests/other.h '\n'
rm base/state.c
finds clang 'unused' base/bad.c '#include "base/x.h"\nint gl_x(int a)\n{\n    return 1;\n}\n'
[ "$failed" -eq 0 ] && rm -rf "$scratch"
[ "$failed" -eq 0 ]
