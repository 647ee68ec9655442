# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# python_venv BUILD NAME PACKAGE...: a Python with these packages into $python, its folder into
# $venv, installed once into the build folder by pip. Where that cannot be done it says why in
# $missing and returns 1.

# shellcheck disable=SC2034 # they are for the caller
python_venv() {
    local log=$1/venv-$2.log lock=$1/venv-$2.lock name=$2
    venv=$1/venv-$2
    python=$venv/bin/python
    missing=
    shift 2
    [ -f "$venv/whole" ] || (
        exec 9>"$lock"
        flock 9
        [ ! -f "$venv/whole" ] || exit 0
        rm -rf "$venv"
        python3 -m venv "$venv" && timeout 240 "$venv/bin/pip" install -q \
            --disable-pip-version-check "$@" && touch "$venv/whole"
    ) >"$log" 2>&1 || {
        missing="pip cannot install what $name needs: $(tail -n 1 "$log")"
        return 1
    }
}
