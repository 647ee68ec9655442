# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# aws_venv BUILD: a Python with moto, botocore and the AWS CLI into $python, installed once into the
# build folder by pip. Where that cannot be done it says why in $missing and returns 1.
moto_version=5.2.5

# shellcheck disable=SC2034 # missing is for the caller
aws_venv() {
    local venv=$1/venv-aws log=$1/venv-aws.log
    missing=
    python=${AWS_PYTHON:-$venv/bin/python}
    [ -n "${AWS_PYTHON:-}" ] || [ -f "$venv/whole" ] || (
        exec 9>"$1/venv-aws.lock"
        flock 9
        [ ! -f "$venv/whole" ] || exit 0
        rm -rf "$venv"
        python3 -m venv "$venv" && timeout 240 "$venv/bin/pip" install -q --disable-pip-version-check \
            "moto[ec2,server]==$moto_version" awscli && touch "$venv/whole"
    ) >"$log" 2>&1 || {
        missing="moto cannot be installed: $(tail -n 1 "$log")"
        return 1
    }
    "$python" -c 'import moto, botocore' 2>/dev/null || {
        missing="no moto in $python"
        return 1
    }
}
