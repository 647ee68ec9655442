#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Walk every docs/how-to-add-*.md: what the page shows is written into a copy of the tree, built
# without a warning, and its last `sh` block is run. A fenced block is applied when its first line
# is a marker, after `//`, `#`, `--` or `/*`:
#   file: PATH                          a new file
#   append before: TEXT in PATH         before the first line that holds TEXT
#   append after: TEXT in PATH          after it
#   append to: PATH                     at the end
# A `text` block right after the last `sh` block: each of its lines must occur in what was printed.
set -u
export LC_ALL=C.UTF-8
unset MAKEFLAGS MAKELEVEL MFLAGS
cd "$(dirname "$0")/.." || exit 1
root=$PWD
work=$root/build/tmp/howto
failed=0

sources() {
    if [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$root" ]; then
        git ls-files -co --exclude-standard -z
    else
        find . -type f ! -path './build/*' ! -path './.git/*' -print0
    fi
}

# copy INTO: the sources, and what is built already, with their times, so that little is compiled.
copy() {
    mkdir -p "$1/build"
    sources | tar -c --null -T - --ignore-failed-read 2>/dev/null | tar -x -C "$1"
    tar -c --exclude=build/obj/tests build/obj build/*.a build/greenlaunch* build/guest 2>/dev/null |
        tar -x -C "$1"
}

# blocks PAGE INTO: each fenced block as INTO/NUMBER.LANGUAGE.
blocks() {
    awk -v into="$2" '
        /^ ? ? ?```/ {
            if (inside) { inside = 0; close(file); next }
            language = $0
            gsub(/^ *```[[:space:]]*|[[:space:]].*$/, "", language)
            file = sprintf("%s/%03d.%s", into, ++number, language == "" ? "none" : language)
            printf "" > file
            inside = 1
            next
        }
        inside { print > file }' "$1"
}

# insert WHERE TEXT PATH BLOCK
insert() {
    grep -qF -- "$2" "$3" || { printf 'no line of %s holds: %s\n' "$3" "$2"; return 1; }
    TEXT=$2 awk -v where="$1" -v block="$4" '
        function put(  line) { while ((getline line < block) > 0) print line; done = 1 }
        !done && index($0, ENVIRON["TEXT"]) {
            if (where == "before") { put(); print } else { print; put() }
            next
        }
        { print }' "$3" >"$3.new" && mv "$3.new" "$3"
}

# apply BLOCK: do what its marker says; a block without one is prose.
apply() {
    local first marker path text
    first=$(head -n 1 "$1" | sed -E 's,[[:space:]]*\*/[[:space:]]*$,,')
    marker=$(printf '%s' "$first" | sed -nE 's,^[[:space:]]*(//|#|--|/\*)[[:space:]]*((file|append [a-z]+): .*[^ ]) *$,\2,p')
    [ -n "$marker" ] || return 0
    sed 1d "$1" >"$1.body"
    path=${marker##* in }
    text=${marker#*: }
    text=${text%" in $path"}
    case $marker in
    'file: '*)
        path=${marker#file: }
        [ ! -e "$path" ] || { printf '%s is there already\n' "$path"; return 1; }
        mkdir -p "$(dirname "$path")" && cp "$1.body" "$path"
        ;;
    'append before: '*' in '*) insert before "$text" "$path" "$1.body" ;;
    'append after: '*' in '*) insert after "$text" "$path" "$1.body" ;;
    'append to: '*)
        path=${marker#append to: }
        [ -f "$path" ] || { printf '%s is not there\n' "$path"; return 1; }
        cat "$1.body" >>"$path"
        ;;
    *)
        printf 'not understood: %s\n' "$marker"
        return 1
        ;;
    esac
    printf 'applied %s\n' "$marker"
}

# Without a network, but for the loopback that counterparts listen on, where the system lets us.
offline() {
    if unshare -rn ip link set lo up 2>/dev/null; then
        # shellcheck disable=SC2016 # the inner shell's
        unshare -rn sh -c 'ip link set lo up && exec "$@"' sh "$@"
    else
        "$@"
    fi
}

# said OUTPUT BLOCK: every line of the block occurs in the output.
said() {
    local line missing=0
    while IFS= read -r line; do
        line=$(printf '%s' "$line" | sed 's/^[[:space:]]*//; s/[[:space:]]*$//')
        [ -z "$line" ] || grep -qF -- "$line" "$1" ||
            { printf 'not printed: %s\n' "$line"; missing=1; }
    done <"$2"
    return $missing
}

walk() { # PAGE BLOCKS: in the copy
    local block last next
    for block in "$2"/[0-9]*.*; do
        apply "$block" || return 1
    done
    # Not only the last one: a page that only shows commands proves nothing.
    grep -q . "$2"/*.body 2>/dev/null || { printf 'no block of the page is applied\n'; return 1; }
    # shellcheck disable=SC2012 # names are ours
    last=$(ls "$2"/*.sh 2>/dev/null | tail -n 1)
    [ -n "$last" ] || { printf 'the page has no sh block to prove it\n'; return 1; }
    make --no-print-directory -j"$(nproc)" all >make.log 2>&1 || { tail -n 30 make.log; return 1; }
    if grep -A 3 'warning:' make.log; then return 1; fi
    # The user of this tree does not matter to the page.
    export HOME=$PWD/build/tmp/home
    export XDG_CONFIG_HOME=$HOME/config XDG_STATE_HOME=$HOME/state XDG_CACHE_HOME=$HOME/cache
    mkdir -p "$HOME"
    offline timeout -k 5 120 bash -eu -o pipefail "$last" >out.log 2>&1 </dev/null ||
        { tail -n 40 out.log; printf 'the sh block failed\n'; return 1; }
    next=$(printf '%s/%03d.text' "$2" $((10#$(basename "$last" .sh) + 1)))
    [ ! -f "$next" ] || said out.log "$next" || { tail -n 40 out.log; return 1; }
}

for name in signal cloud venue command policy-key; do
    page=docs/how-to-add-a-$name.md
    copy=$work/$name
    rm -rf "$copy" "$copy.blocks"
    mkdir -p "$copy" "$copy.blocks"
    if [ ! -f "$page" ]; then
        printf 'not ok - %s is not there\n' "$page"
        failed=1
        continue
    fi
    blocks "$page" "$copy.blocks"
    copy "$copy"
    if out=$(cd "$copy" && walk "$page" "$copy.blocks" 2>&1); then
        printf 'ok - %s works as written\n' "$page"
        rm -rf "$copy" "$copy.blocks"
    else
        printf 'not ok - %s does not work as written\n' "$page"
        printf '%s\n' "$out" | sed 's/^/# /'
        failed=1
    fi
done
exit $failed
