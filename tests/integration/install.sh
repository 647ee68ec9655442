#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `make install` below a DESTDIR, what it wrote, and `make uninstall`: tests/integration/install.sh BUILD
set -u
export LC_ALL=C.UTF-8
unset MAKEFLAGS MAKELEVEL MFLAGS
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
root=$(cd "$build" && pwd)/tmp/install
. tests/support/checks.sh
flavour=()
case $build in
*/san*) flavour=(SAN=1) ;;
*/cov*) flavour=(COV=1) ;;
esac
rm -rf "$root"
make -s "${flavour[@]}" install DESTDIR="$root" PREFIX=/usr >"$root.log" 2>&1
status=$?
[ "$status" -eq 0 ] || cat "$root.log"
check "$status" 'make install succeeds'

wanted='usr/bin/greenlaunch usr/bin/greenlaunch-meter usr/bin/greenlaunch-meter-gpu
usr/share/man/man1/greenlaunch.1 usr/share/man/man5/greenlaunch-policy.5'
for file in $wanted; do
    [ -s "$root/$file" ]
    check $? "$file is there"
done
for program in "$root"/usr/bin/*; do
    [ -x "$program" ]
    check $? "$(basename "$program") may be executed"
done
extra=$(cd "$root" && find . -type f | sed 's,^\./,,' | grep -vxF "$(tr ' ' '\n' <<<"$wanted")")
[ -z "$extra" ] || printf '# %s\n' "$extra"
[ -z "$extra" ]
check $? 'nothing else was installed'

out=$("$root/usr/bin/greenlaunch" version 2>&1)
printf '%s' "$out" | grep -q 'greenlaunch [0-9]'
check $? 'the installed program says its version'

for page in "$root"/usr/share/man/man*/*; do
    name=$(basename "$page")
    if command -v mandoc >/dev/null; then
        # Sentences come out of the tables; where they break does not change the page.
        out=$(mandoc -Tlint -Wwarning "$page" 2>&1 | grep -v 'new sentence, new line')
        [ -z "$out" ] || printf '%s\n' "$out" | head -n 20 | sed 's/^/# /'
        [ -z "$out" ]
        check $? "mandoc finds nothing wrong with $name"
        [ "$(mandoc -Tutf8 "$page" 2>/dev/null | wc -l)" -gt 20 ]
        check $? "$name renders"
    else
        printf 'skip %s: mandoc is not installed\n' "$name"
    fi
done

make -s "${flavour[@]}" uninstall DESTDIR="$root" PREFIX=/usr >"$root.log" 2>&1
status=$?
[ "$status" -eq 0 ] || cat "$root.log"
check "$status" 'make uninstall succeeds'
left=$(find "$root" -type f)
[ -z "$left" ] || printf '# %s\n' "$left"
[ -z "$left" ]
check $? 'and leaves no file'
rm -rf "$root" "$root.log"
exit "$failed"
