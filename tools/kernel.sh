#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Unpack a distribution kernel and a few of its modules, of which nothing is installed:
# tools/kernel.sh META_PACKAGE INTO MODULE... in the order in which the modules must be loaded; what
# the kernel has built in is passed over. INTO gets vmlinuz, modules/, modules.list and version;
# where it has them already nothing is done.
set -eu
cd "$(dirname "$0")/.."
meta=$1 into=$2
shift 2
modules=$*

say() {
    printf 'setup: %s\n' "$*" >&2
}

update_lists() {
    if [ "$(id -u)" -eq 0 ]; then
        apt-get update -q
    elif command -v sudo >/dev/null; then
        sudo apt-get update -q
    fi >/dev/null 2>&1 || true
}

# The image package behind the meta package, as "NAME VERSION".
kernel_package() {
    apt-cache show --no-all-versions "$meta" 2>/dev/null |
        sed -n 's/^Depends: \(linux-image-[^ ,]*\) (= \([^)]*\)).*/\1 \2/p' | head -n 1
}

# unpack DEB FOLDER: the kernel and the modules, nothing else of its hundreds of megabytes.
unpack() {
    deb=$1 fresh=$2
    set -- --wildcards './boot/vmlinuz-*'
    for name in $modules; do
        set -- "$@" "*/$name.ko" "*/$name.ko.xz"
    done
    mkdir "$fresh/all" "$fresh/modules"
    # tar says so when a pattern matches nothing: built-in modules do not.
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$fresh/all" "$@" 2>/dev/null || true
    mv "$fresh"/all/boot/vmlinuz-* "$fresh/vmlinuz" || return 1
    find "$fresh/all" -name '*.ko.xz' -exec xz -d {} +
    for name in $modules; do
        file=$(find "$fresh/all" -name "$name.ko")
        [ -n "$file" ] || continue
        mv "$file" "$fresh/modules/"
        printf '%s.ko\n' "$name" >>"$fresh/modules.list"
    done
    rm -r "$fresh/all"
    [ -s "$fresh/vmlinuz" ] && grep -q '^virtio_console.ko$' "$fresh/modules.list"
}

# fetch NAME VERSION: download, unpack, and put into place at once.
fetch() {
    rm -rf "$into".??????  # what an interrupted run left
    new=$(mktemp -d "$into.XXXXXX")
    # _apt, apt's own user, may write here.
    chmod 755 "$new"
    if (cd "$new" && apt-get download -q "$1=$2") >"$new/log" 2>&1 &&
        unpack "$new/$(cd "$new" && ls -- *.deb)" "$new"; then
        rm -f "$new"/*.deb "$new/log"
        printf '%s %s\n' "$1" "$2" >"$new/version"
        rm -rf "$into"
        mv "$new" "$into"
        return 0
    fi
    [ -f "$new/log" ] && tail -n 3 "$new/log" >&2
    rm -rf "$new"
    return 1
}

[ -s "$into/version" ] && [ -s "$into/vmlinuz" ] && exit 0
mkdir -p "$(dirname "$into")"
# shellcheck disable=SC2046 # "NAME VERSION"
set -- $(kernel_package)
if [ $# -ne 2 ]; then
    update_lists
    # shellcheck disable=SC2046
    set -- $(kernel_package)
fi
[ $# -eq 2 ] || exit 1
size=$(apt-cache show "$1=$2" | sed -n 's/^Size: \([0-9]*\)......$/\1/p' | head -n 1)
say "unpacking the kernel $1 $2 into $into (a download of some ${size:-?} MB; nothing is installed)"
fetch "$1" "$2"
