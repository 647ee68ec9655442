#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What every commit must satisfy. Each check prints `ok NAME`, `skip NAME: reason` or one line
# `FAIL NAME: finding` a finding; the exit status is 1 when anything failed.
#   tools/lint.sh            every check
#   tools/lint.sh NAME...    only these
# tests/lint_selftest.sh proves that each check can fail.
set -u
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 1

floors='base policy providers agent broker'
checks='floors purity banned sizes words links shell format gcc state clang'
passed=0
failed=0
skipped=0
all=()

# Files that git knows or would know; all files outside of a repository of our own.
files() {
    if [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$PWD" ]; then
        git ls-files -co --exclude-standard -- "$@" | while read -r file; do
            [ -f "$file" ] && printf '%s\n' "$file"
        done
    else
        local patterns=() pattern
        for pattern; do
            patterns+=(-o -path "./$pattern")
        done
        find . -type f ! -path './build/*' ! -path './.git/*' \( -false "${patterns[@]}" \) |
            sed 's,^\./,,' | sort
    fi
}

product() {
    files '*.c' '*.h' '*.inc' '*.def' | grep -E "^(${floors// /|})/"
}

handwritten() {
    files '*.c' '*.h' | grep -v '^providers/data/'
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# check_NAME prints its findings, one a line; nothing means ok. 77 means skipped, the output says
# why.

# base < policy < providers < agent < broker; a floor sees only those named here, by their folder.
check_floors() {
    product | xargs grep -nHoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"][^>"]*[>"]' /dev/null |
        awk -F: '
        BEGIN {
            sees["base"] = "base"
            sees["policy"] = "base policy"
            sees["providers"] = "base providers"
            sees["agent"] = "base agent"
            sees["broker"] = "base policy providers agent broker"
            # A library is reached through the one module that wraps it.
            only["sqlite3.h"] = "^broker/"
            only["curl/curl.h"] = "^base/http_curl"
            only["microhttpd.h"] = "^broker/serve/http"
            only["openssl"] = "^base/crypto" # every header below it
            only["yaml.h"] = "^(policy/yaml|base/yamldoc|broker/hook/yamltree|broker/cli/cmd_version)"
            only["sodium.h"] = "^(base/sign|providers/cloud/local_machine|broker/cli/cmd_version)"
            only["jansson.h"] = "^base/json"
            only["expat.h"] = "^(base/xml|broker/cli/cmd_version)"
            only["zlib.h"] = "^(base/(feed|gzip)|broker/cli/cmd_version)"
        }
        {
            split($1, path, "/")
            name = $3
            sub(/^[^<"]*[<"]/, "", name)
            sub(/[>"]$/, "", name)
            if ($3 ~ /</) {
                sub(/^openssl\/.*/, "openssl", name)
                if (name in only && $1 !~ only[name])
                    print $1 ":" $2 ": " name " may only be included in " only[name]
                next
            }
            folder = name
            if (!sub(/\/.*/, "", folder)) {
                print $1 ":" $2 ": " name " is included without its folder"
                next
            }
            # The nouns of decisions and of guarantees.
            if (path[1] == "providers" &&
                (name == "policy/facts.h" || name == "policy/guarantee/history.h"))
                next
            if (index(" " sees[path[1]] " ", " " folder " ") == 0)
                print $1 ":" $2 ": " path[1] "/ may not include " name
        }'
}

# What policy/ may call: memory, strings, numbers, formatting into memory, parsers fed from memory.
pure='^(gl_[a-z0-9_]+|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail|__(n|v|sn|vsn|mem|str|stp)[a-z]*_chk
|__(div|mod|udiv|umod|mul|fix|float)[a-z0-9]*|__assert_fail|__ctype_[a-z_]+|abort|free
|mem(chr|rchr|cmp|cpy|move|set|mem)|str(chr|rchr|chrnul|cmp|ncmp|casecmp|ncasecmp|cspn|spn|len|nlen|pbrk|str)
|v?snprintf|qsort|bsearch|llabs|labs|abs
|(fmin|fmax|fabs|floor|ceil|round|trunc|rint|nearbyint|l?lround|l?lrint|pow|exp|log|log2|log10|sqrt|isnan|isinf|fmod)f?
|yaml_(event|parser|token)_(delete|initialize|parse|set_encoding|set_input_string)
|json_(array|object|string|integer|real|true|false|null|delete|loads|loadb|dumps|pack|equal|copy|deep_copy)[a-z_]*)$'

# state_of OBJECT: what it keeps from call to call. Constant tables with pointers live in
# .data.rel.ro; anything else writable is state.
state_of() {
    objdump -t "$1" | awk -v object="${1#build/strict/obj/}" '
        / O (\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ && !/\.data\.rel\.ro/ {
            print object " holds mutable state: " $NF
        }'
}

check_purity() {
    local sources objects object out
    sources=$(files 'policy/*.c')
    [ -n "$sources" ] || return 0
    # shellcheck disable=SC2086 # paths without spaces
    objects=$(printf 'build/strict/obj/%s.o ' ${sources//.c/})
    # shellcheck disable=SC2086
    out=$(make -s -j"$(nproc)" CC=gcc WERROR=1 $objects 2>&1) || {
        printf 'does not compile: %s\n' "$(printf '%s' "$out" | grep -m 1 'error:')"
        return 0
    }
    for object in $objects; do
        nm -u "$object" | awk '{ print $NF }' | grep -vE "${pure//$'\n'/}" |
            sed "s,^,${object#build/strict/obj/} reads the outside world: ,"
        state_of "$object"
    done
}

# Unbounded, locale- or state-dependent, or replaced by base/ (allocation dies there, not here).
banned='strcpy strcat strncpy strncat sprintf vsprintf strtok gets atoi atol atoll atof gmtime
localtime asctime ctime mktime rand srand random srandom system popen alloca tmpnam mktemp
setlocale malloc calloc realloc strdup strndup asprintf vasprintf longjmp setjmp'
declare -A may=([base/error.c]='malloc calloc realloc strdup')

check_banned() {
    local file pattern
    pattern="(^|[^A-Za-z0-9_.>])($(printf '%s' "$banned" | tr -s ' \n' '|'))[[:space:]]*[(]"
    for file in $(product | grep '\.[ch]$'); do
        # Comments go, line numbers stay.
        gcc -fpreprocessed -dD -E -w "$file" 2>/dev/null | awk -v file="$file" -v pattern="$pattern" \
            -v allowed=" ${may[$file]:-} " '
            /^# [0-9]+ "/ { line = $2 - 1; next }
            { line++; gsub(/"([^"\\]|\\.)*"/, "\"\"") }
            match($0, pattern) {
                name = substr($0, RSTART, RLENGTH)
                gsub(/[^A-Za-z0-9_]/, "", name)
                if (index(allowed, " " name " ") == 0)
                    print file ":" line ": " name "() is banned"
            }'
    done
}

check_sizes() {
    handwritten | xargs wc -l | awk '
        $2 == "total" { next }
        /\.c$/ && $1 > 600 { print $2 " has " $1 " lines, more than 600" }
        /\.h$/ && $1 > 200 { print $2 " has " $1 " lines, more than 200" }'
    has pmccabe || return 0
    # Modified McCabe (a switch counts once), ..., lines, file(line): name
    handwritten | grep '\.c$' | xargs pmccabe | awk '
        $1 > 15 { print $6 " " $7 " has cyclomatic complexity " $1 ", more than 15" }
        $5 > 60 { print $6 " " $7 " has " $5 " lines, more than 60" }'
}

# Unfinished work and paths of the machine it was written on.
check_words() {
    local unfinished='TO''DO|FIX''ME|XX''X'
    files '*' | grep -v '^LICENSE$' | xargs -d '\n' grep -nIwE "($unfinished)" /dev/null |
        cut -c 1-160 | sed 's/$/ (unfinished work)/'
    files '*' | grep -v '^tests/fuzz/corpus/' |
        xargs -d '\n' grep -nIE "(^|[^A-Za-z0-9_./*])(/home/[a-z]{3,}/|/Users/[A-Za-z]{3,}/)" /dev/null |
        cut -c 1-160 | sed 's/$/ (path of one machine)/'
    [ "${#PWD}" -gt 6 ] && files '*' | xargs -d '\n' grep -nIF "$PWD/" /dev/null |
        cut -c 1-160 | sed 's/$/ (path of one machine)/'
}

# Relative links of the documents, and the length of the one page that must stay short.
check_links() {
    local file target
    for file in $(files '*.md'); do
        # shellcheck disable=SC2016 # backticks of Markdown
        sed 's/`[^`]*`//g' "$file" | grep -oE '\]\([^)#: ]+[)#]' | tr -d ']()#' | sort -u |
            while read -r target; do
                [ -e "$(dirname "$file")/$target" ] || printf '%s: no such file: %s\n' "$file" "$target"
            done
    done
    [ ! -f ARCHITECTURE.md ] || [ "$(wc -l <ARCHITECTURE.md)" -le 120 ] ||
        printf 'ARCHITECTURE.md has more than 120 lines\n'
}

check_shell() {
    has shellcheck || { printf 'shellcheck is not installed\n'; return 77; }
    { files '*.sh'; files '.ci/*'; } | sort -u | xargs shellcheck -x -f gcc | cut -c 1-200
}

check_format() {
    has clang-format-14 || { printf 'clang-format-14 is not installed\n'; return 77; }
    # shellcheck disable=SC2016 # the inner shell expands it
    handwritten | xargs -P "$(nproc)" -n 16 sh -c 'for file; do
            clang-format-14 --dry-run --Werror "$file" >/dev/null 2>&1 || printf "%s\n" "$file"
        done' sh | sort | sed 's/$/ is not formatted; run: make format/'
}

# warnings COMPILER: every C file in a build folder of its own, warnings as errors.
warnings() {
    local out
    out=$(make -s -k -j"$(nproc)" CC="$1" WERROR=1 objects 2>&1) && return 0
    printf '%s\n' "$out" | grep -E 'error:|\*\*\* No rule' | sort -u | cut -c 1-200 |
        grep . || printf '%s\n' "$out" | tail -n 3
}

check_gcc() {
    warnings gcc
}

# No globals but constant tables, and these: a signal handler's flag, the program's own path.
check_state() {
    local object
    for object in $(product | sed -n 's,^\(.*\)\.c$,build/strict/obj/\1.o,p'); do
        [ ! -f "$object" ] || state_of "$object"
    done | grep -vE '^(broker/interrupt\.o .*: caught|base/file\.o .*: folder\.[0-9]+)$'
}

check_clang() {
    has clang-14 || { printf 'clang-14 is not installed\n'; return 77; }
    warnings clang-14
}

report() { # NAME STATUS FINDINGS
    local count
    if [ "$2" -eq 77 ]; then
        skipped=$((skipped + 1))
        printf 'skip %s: %s\n' "$1" "$3"
    elif [ -z "$3" ] && [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
        printf 'ok %s\n' "$1"
    else
        failed=$((failed + 1))
        count=$(printf '%s\n' "$3" | wc -l)
        printf '%s\n' "${3:-ended with status $2}" | head -n 25 | sed "s/^/FAIL $1: /"
        [ "$count" -le 25 ] || printf 'FAIL %s: and %d more\n' "$1" $((count - 25))
    fi
}

[ $# -gt 0 ] || read -ra all <<<"$checks"
for name in "$@" "${all[@]}"; do
    case " $checks " in
    *" $name "*) ;;
    *)
        printf 'lint: no check named %s; there are: %s\n' "$name" "$checks" >&2
        exit 2
        ;;
    esac
    findings=$("check_$name" 2>&1)
    status=$?
    # The last command of a check may have found nothing to print: only 77 and findings count.
    [ "$status" -eq 77 ] || status=0
    report "$name" "$status" "$findings"
    [ "$name" = sizes ] && ! has pmccabe &&
        printf 'skip sizes of functions: pmccabe is not installed\n'
done
printf 'lint: %d ok, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
