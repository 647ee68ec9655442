#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Our requests to Compute Engine read by Google's own message classes, which refuse what they do not
# know: tests/integration/google.sh BUILD. They come by pip into BUILD; GOOGLE_PYTHON names another
# Python that has them.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
. tests/support/checks.sh
# shellcheck source=tests/support/python_venv.sh
. tests/support/python_venv.sh
scratch=$build/tmp/google
version=1.57.0

skip() {
    printf 'skip google: %s\n' "$1"
    exit 0
}

if [ -n "${GOOGLE_PYTHON:-}" ]; then
    python=$GOOGLE_PYTHON
else
    python_venv "$build" google "google-cloud-compute==$version" || skip "$missing"
fi
"$python" -c 'from google.cloud import compute_v1' 2>/dev/null ||
    skip "no google-cloud-compute in $python"

rm -rf "$scratch"
mkdir -p "$scratch"
GREENLAUNCH_GCP_BODIES=$scratch/bodies "$build/tests/conformance/test_gcp_golden" \
    >"$scratch/log" 2>&1
check $? "$(wc -l <"$scratch/bodies") bodies are handed out"
"$python" tests/support/google_judge.py "$scratch/bodies" >"$scratch/verdict" 2>&1
check $? 'they are read'
[ ! -s "$scratch/verdict" ]
check $? 'no unknown member, no wrong type, no unknown word'
sed 's/^/# /' "$scratch/verdict"

# The judge looks: the same body with a word, a member and a type that are wrong.
head -n 1 "$scratch/bodies" | sed 's/"DELETE"/"VANISH"/' >"$scratch/wrong"
head -n 1 "$scratch/bodies" | sed 's/"maxRunDuration"/"maximumDuration"/' >>"$scratch/wrong"
head -n 1 "$scratch/bodies" | sed 's/"automaticRestart":false/"automaticRestart":"no"/' >>"$scratch/wrong"
"$python" tests/support/google_judge.py "$scratch/wrong" >"$scratch/verdict" 2>&1
[ "$(cut -d ' ' -f 1 "$scratch/verdict" | tr -d '\n')" = 123 ]
check $? 'the judge refuses a wrong word, member and type'
[ "$failed" -ne 0 ] || rm -rf "$scratch"
exit "$failed"
