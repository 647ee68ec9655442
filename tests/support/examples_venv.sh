# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# examples_venv BUILD: a Python with PyYAML, an HCL parser, pre-commit, the published schemas of CI
# files and a Rego interpreter into $venv, installed once into the build folder by pip. Where that
# cannot be done it says why in $missing and returns 1.

# shellcheck disable=SC2034 # missing is for the caller
examples_venv() {
    local log=$1/venv-examples.log
    venv=$1/venv-examples
    missing=
    [ -f "$venv/whole" ] || (
        exec 9>"$1/venv-examples.lock"
        flock 9
        [ ! -f "$venv/whole" ] || exit 0
        rm -rf "$venv"
        python3 -m venv "$venv" && timeout 200 "$venv/bin/pip" install -q --disable-pip-version-check \
            pyyaml python-hcl2==7.3.1 pre-commit check-jsonschema regopy && touch "$venv/whole"
    ) >"$log" 2>&1 || {
        missing="pip cannot install the judges of CI files: $(tail -n 1 "$log")"
        return 1
    }
}
