#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a person at a terminal of 80 columns reads: tests/integration/terminal.sh BUILD
# No line is wider than the terminal, except one that is a single word (a path, an address): it is
# left whole to be copied. Data is exempt: tables of --width, JSON, `policy schema`, completion
# scripts, `ledger export`. And the tables behind help and man page say what the code does.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
program=$(cd "$build" && pwd)/greenlaunch
base=$(mktemp -d "${TMPDIR:-/tmp}/terminal.XXXXXX") || exit 1
trap 'rm -rf "$base"' EXIT
# Long wherever this is built, so that a width that depends on it shows everywhere.
work=$base/a-folder-whose-name-alone-is-as-wide-as-a-narrow-terminal
mkdir "$work"
export HOME=$work XDG_CONFIG_HOME=$work/config XDG_STATE_HOME=$work/state TERM=dumb
unset COLUMNS NO_COLOR CI ACCESSIBLE
. tests/support/checks.sh

# Lines of stdin that are wider than COLUMNS and could be broken, each after NAME. gawk and mawk
# disagree about what a character is, so the width comes from wc. Our own folders count as short:
# where somebody builds is not what is looked at here.
too_wide() { # COLUMNS NAME
    local line
    while IFS= read -r line; do
        line=${line//"$work"/'~'} # quoted: a bare ~ is expanded to our folder again
        line=${line//"${program%/*}"/'~'}
        [ ${#line} -gt "$1" ] || continue
        [ "$(wc -L <<<"$line")" -gt "$1" ] || continue
        [[ $line =~ ^\ *[^\ ]+$ ]] || printf '# %s: %s\n' "$2" "$line"
    done
}

fits() { # FILE TEXT: FILE holds what does not fit
    head -n 10 "$1"
    [ ! -s "$1" ]
    check $? "$2"
}

# ---- pages ----
"$program" completion words command >"$work/commands"
[ "$(wc -l <"$work/commands")" -ge 16 ]
check $? 'there are commands'
for columns in 80 60 40; do
    [ $columns -eq 80 ] || export COLUMNS=$columns
    while read -r name; do
        "$program" help "$name" | too_wide $columns "help $name"
    done <"$work/commands" >"$work/found"
    for page in '' exit 'exit 2' 'exit 7'; do
        # shellcheck disable=SC2086 # words
        "$program" help $page | too_wide $columns "help $page" >>"$work/found"
    done
    fits "$work/found" "every help page fits $columns columns"
done
unset COLUMNS
for page in greenlaunch policy-file; do
    "$program" help --man $page | too_wide 80 "$page" >"$work/found"
    fits "$work/found" "the source of the page $page fits"
done

# ---- policies ----
for policy in examples/policies/*.yaml tests/cases/policy/*/*.yaml tests/cases/offers/*/*.yaml; do
    "$program" policy explain "$policy" 2>&1 | too_wide 80 "explain $policy"
    "$program" policy check "$policy" 2>&1 | too_wide 80 "check $policy"
done >"$work/found"
fits "$work/found" 'policy explain and policy check fit'
printf '%s\n' 'greenlaunch: 1' 'rules:' "  - {id: a, description: \"$(printf 'x%.0s ' {1..45})\", wrong: 1}" \
    >"$work/long.yaml"
"$program" policy check "$work/long.yaml" >"$work/text"
too_wide 80 'a long source line' <"$work/text" >"$work/found"
fits "$work/found" 'a long source line is shown around the place'
grep -q '^    3 | \.\.\..*wrong: 1}$' "$work/text" &&
    [ "$(sed -n 's/^    3 | \(.*\)wrong:.*/\1/p' "$work/text" | wc -L)" = \
        "$(sed -n 's/^      | \( *\)^.*/\1/p' "$work/text" | wc -L)" ]
check $? 'and the caret stands under it'

# ---- errors ----
for golden in tests/cases/*/*/err; do
    name=${golden#tests/cases/}
    grep -qE -- '--width [1-9][0-9]{2}' "${golden%/*}/cmd" || too_wide 80 "$name" <"$golden"
done >"$work/found"
fits "$work/found" 'every expected error fits'

# ---- first screens ----
screen() { # WORDS...
    "$program" --offline "$@" 2>&1 </dev/null | tee "$work/screen" | too_wide 80 "$*"
    grep -q $'\033' "$work/screen" && printf '# %s: an escape code in a pipe\n' "$*"
    [ -s "$work/screen" ] || printf '# %s: says nothing\n' "$*"
}
{
    screen
    screen --renewable-only
    screen --renewable-only --demo
    screen offers
    screen offers --min-grade D
    screen offers --renewable-only --demo
    screen offers --accessible --limit 2
    screen why aws/eu-north-1/m5.large
    screen why local/this-machine/small --renewable-only
    screen why aws/us-east-1/m5.large --max-intensity 100g/kWh --min-grade D
    screen why --refused --renewable-only --min-grade D
    screen signals
    screen signals --explain DE
    screen doctor
    screen init
    screen status
    screen verify /dev/null
} >"$work/found"
fits "$work/found" 'first screens fit, and hold no escape code in a pipe'
if command -v script >/dev/null; then
    TERM=xterm COLUMNS=80 script -qec "exec '$program' init" /dev/null </dev/null >"$work/screen" 2>&1
    tr -d '\r' <"$work/screen" | too_wide 80 init >"$work/found"
    fits "$work/found" 'the question of init fits'
    grep -q '^Zone: ' "$work/screen"
    check $? 'and is asked'
    NO_COLOR=1 TERM=xterm COLUMNS=80 script -qec "exec '$program' offers --offline" /dev/null \
        </dev/null >"$work/screen" 2>&1
    ! grep -q $'\033\[[0-9;]*m' "$work/screen"
    check $? 'NO_COLOR on a terminal: no colour'
    TERM=xterm COLUMNS=80 script -qec "exec '$program' offers --offline" /dev/null \
        </dev/null >"$work/screen" 2>&1
    grep -q $'\033\[[0-9;]*m' "$work/screen"
    check $? 'and without it a colour'
    ! grep -q 'asking' "$work/screen" && grep -q 'reading the grid signals' "$work/screen"
    check $? 'offline nobody is asked, nor is it said'
else
    printf 'skip script is not installed\n'
fi

# ---- a folder that is somebody else's to open ----
# Root may write everywhere, so somebody else looks.
mkdir "$work/state-closed"
as=()
if [ "$(id -u)" -eq 0 ]; then
    as=(setpriv --reuid 65534 --clear-groups)
    chmod 755 "$base" "$work"
    chown 65534 "$work/state-closed"
fi
chmod 500 "$work/state-closed"
if "${as[@]}" test -x "$program" -a -r "$work/state-closed" 2>/dev/null; then
    "${as[@]}" "$program" doctor --offline --state "$work/state-closed" --width 400 \
        >"$work/screen" 2>&1
    grep -q "^fail state .*$work/state-closed cannot be written" "$work/screen" &&
        grep -q "fix: chmod u+rwx $work/state-closed" "$work/screen" &&
        grep -q '^1 failure' "$work/screen"
    check $? 'doctor names a read-only state folder and the command that opens it, once'
else
    printf 'skip nobody else can look: the build lies where only root goes\n'
fi
chmod 700 "$work/state-closed"

# ---- the environment ----
# Names that the code looks up, beside those that a library reads for us, and those of rented clouds
# and signals: `provider list` and `source list` tell them.
{
    grep -rhoE '(getenv\(|environment\(|is_set\()[^;]*"[A-Z_]+"' --include='*.c' \
        base policy providers/cloud/local* providers/*.c agent broker | grep -oE '"[A-Z_]+"$' | tr -d '"'
    echo HTTPS_PROXY
} | sort -u >"$work/read"
"$program" help --man | sed -n '/^\.Sh ENVIRONMENT/,/^\.Sh FILES/s/^\.It Ev //p' | sort -u \
    >"$work/told"
diff "$work/read" "$work/told" | sed 's/^/# /'
cmp -s "$work/read" "$work/told" && [ "$(wc -l <"$work/read")" -ge 12 ]
check $? 'the page tells every variable that the code reads, and no other'

# ---- exit statuses ----
# One that cannot occur is neither returned nor that of an error anybody raises, and conversely.
sources=$(find base policy providers agent broker -name '*.c')
raised() { # SYMBOL STATUS
    local codes
    codes=$(sed -nE "s/^GL_ERRC\(([A-Z_]+), *[0-9]+, *$2,.*/\1/p" base/errc.def | paste -sd '|')
    # shellcheck disable=SC2086 # names of files
    grep -E "GL_EXIT_$1\b" $sources | grep -qvE "[=!]= GL_EXIT_$1\b" ||
        { [ -n "$codes" ] && grep -qE "GL_E_($codes)\b" $sources; }
}
sed -nE 's/^GL_EXIT\(([A-Z]+), *([0-9]+), *([01]),.*/\1 \2 \3/p' base/exit.def >"$work/exits"
[ "$(wc -l <"$work/exits")" = "$(grep -c '^GL_EXIT(' base/exit.def)" ]
check $? 'every row of the exit statuses says whether it can occur'
while read -r symbol status can; do
    raised "$symbol" "$status"
    [ $? -ne "$can" ] || printf '# %s (%s): the table says %s\n' "$symbol" "$status" "$can"
done <"$work/exits" >"$work/found"
fits "$work/found" 'and says what the code does'
exit "$failed"
