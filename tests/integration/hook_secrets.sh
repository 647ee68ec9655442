#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Values of plans, previews, templates and manifests that nobody is to see, one planted in every
# place, and all that the hook prints, writes, sends or hands to a child, of whole documents and of
# broken ones: tests/integration/hook_secrets.sh BUILD. The servers: tests/integration/hook_serve.sh.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd) || exit 1
. tests/support/checks.sh
root=$PWD
scratch=$build/tmp/hook_secrets
canary=PLANTED9d1f

skip() {
    printf 'skip hook_secrets: %s\n' "$1"
    exit 0
}

command -v python3 >/dev/null || skip 'python3 is not installed'
rm -rf "$scratch"
mkdir -p "$scratch"/{home,work,said}
cd "$scratch/work" || exit 1
export HOME=$scratch/home XDG_STATE_HOME=$scratch/home/state XDG_CONFIG_HOME=$scratch/home/config \
    XDG_CACHE_HOME=$scratch/home/cache TMPDIR=$scratch/home PATH="$build:$PATH"
planted=$(python3 "$root/tests/support/planted.py" . "$canary") || exit 1
printf '# %s values are planted\n' "$planted"
readers=(terraform pulumi cloudformation kubernetes)
documents=(terraform.json pulumi.json template.yaml manifests.yaml)
rules=(--max-intensity 1g/kWh --min-grade D --offline)

# Nothing of it below the given places; what is there is told by its place alone.
clean() { # TEXT PLACE...
    local text=$1 found
    shift
    found=$(grep -rlaF "$canary" "$@" 2>/dev/null)
    [ -z "$found" ] || printf '%s\n' "$found" | sed 's/^/# in /'
    [ -z "$found" ]
    check $? "$text"
}

# ---- whole documents, in every form ----

for i in "${!readers[@]}"; do
    reader=${readers[i]} document=${documents[i]} said=$scratch/said/${readers[i]}
    mkdir -p "$said"
    exits 3 "$reader: a document full of them is judged" \
        greenlaunch hook "$reader" "$document" "${rules[@]}"
    cp "$scratch/out" "$said/text"
    cp "$scratch/err" "$said/errors"
    for format in json sarif junit tap markdown github gitlab atlantis azuredevops; do
        greenlaunch hook "$reader" "$document" "${rules[@]}" --output "$format=$said/$format" \
            >"$said/$format.out" 2>&1
    done
    greenlaunch hook facts "$document" >"$said/facts" 2>&1
    greenlaunch hook "$reader" "$document" "${rules[@]}" --write-baseline "$said/baseline" \
        >"$said/noted" 2>&1
    greenlaunch hook "$reader" - "${rules[@]}" --json <"$document" >"$said/pipe" 2>&1
    grep -q us-east-1 "$said/facts" && [ -s "$said/sarif" ] && [ -s "$said/baseline" ]
    check $? "$reader: and what is told is there"
    clean "$reader: without any of them" "$said"
done
greenlaunch ledger export >"$scratch/said/ledger" 2>&1
greenlaunch request observe >"$scratch/said/observed" 2>&1
greenlaunch request draft --all >"$scratch/said/drafted" 2>&1
[ "$(grep -c '"kind":"demand"' "$scratch/said/ledger")" -gt 0 ]
check $? 'the refusals are noted'
clean 'the ledger, its events and requests are without them' "$scratch/said" "$scratch/home"

greenlaunch hook terraform fix.json --max-intensity 100g/kWh --min-grade D --offline \
    --fix="$scratch/said/fix" >/dev/null 2>&1
grep -q '^+.*default = "' "$scratch/said/fix"
check $? 'a patch of the source is made'
[ "$(grep -F "$canary" "$scratch/said/fix" | grep -vc '^ ')" = 0 ]
check $? 'and says no value but in the lines of the source around it'
rm "$scratch/said/fix"

# ---- broken ones ----

# Cut within each value in turn, and with a value where something else is wanted.
python3 - "$canary" "${documents[@]}" <<'END'
import json, os, re, sys
canary = sys.argv[1].encode()
os.mkdir("broken")
for name in sys.argv[2:]:
    text = open(name, "rb").read()
    places = [m.end() for m in re.finditer(canary, text)]
    for number, at in enumerate(places[:: max(1, len(places) // 25)]):
        open(f"broken/{number:03d}-{name}", "wb").write(text[:at])
    for number, bad in enumerate([b"\x01", b"\xff", b"\\x", b"\\u0000", b"\\ud800", b'"', b": {"]):
        at = places[len(places) // 2]
        open(f"broken/bad-{number}-{name}", "wb").write(text[:at] + bad + text[at:])
for number, bad in enumerate([f"!{sys.argv[1]}", f"*{sys.argv[1]}", f"&{sys.argv[1]}"]):
    for name in "manifests.yaml", "template.yaml":
        text = open(name).read()
        open(f"broken/mark-{number}-{name}", "w").write(text.replace("us-east-1", bad, 1))
plan = json.load(open("terraform.json"))
for key in plan:
    for number, value in enumerate([sys.argv[1], [sys.argv[1]], {sys.argv[1]: sys.argv[1]}]):
        if key not in ("format_version", "terraform_version"): # what is told
            json.dump(plan | {key: value}, open(f"broken/{key}-{number}-terraform.json", "w"))
for key in plan["resource_changes"][0]["change"]:
    other = json.loads(json.dumps(plan))
    for resource in other["resource_changes"]:
        resource["change"][key] = sys.argv[1]
    json.dump(other, open(f"broken/change-{key}-terraform.json", "w"))
END
tried=0
failing=0
mkdir -p "$scratch/said/broken"
for document in broken/*; do
    case $document in
    *terraform.json) reader=terraform ;;
    *pulumi.json) reader=pulumi ;;
    *template.yaml) reader=cloudformation ;;
    *) reader=kubernetes ;;
    esac
    greenlaunch hook "$reader" "$document" "${rules[@]}" >"$scratch/said/$document" 2>&1 ||
        failing=$((failing + 1))
    greenlaunch hook facts "$document" >>"$scratch/said/$document" 2>&1
    tried=$((tried + 1))
done
printf '# %d broken documents, %d not allowed\n' "$tried" "$failing"
[ "$tried" -gt 100 ] && [ "$failing" -gt 100 ]
check $? 'broken documents are tried, and refused'
clean 'no error shows a value' "$scratch/said/broken" "$scratch/home"

# ---- what the system sees ----

if ! strace -o /dev/null true 2>/dev/null; then
    printf 'skip what the system sees: strace cannot be used\n'
else
    calls=write,writev,pwrite64,pwritev,sendto,sendmsg,execve,openat,mkdir,rename,unlink
    for i in "${!readers[@]}"; do
        strace -f -qq -s 1000000 -e "trace=$calls" -o "$scratch/said/trace-${readers[i]}" \
            greenlaunch hook "${readers[i]}" "${documents[i]}" "${rules[@]}" >/dev/null 2>&1
        grep -q '^[0-9]* *write(1, ' "$scratch/said/trace-${readers[i]}"
        check $? "${readers[i]}: its system calls are seen"
    done
    clean 'no system call that writes, sends or starts something holds a value' "$scratch/said"
fi

cd "$root" || exit 1
[ "$failed" -ne 0 ] || rm -rf "$scratch"
exit "$failed"
