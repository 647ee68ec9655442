# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# aws_venv BUILD: as python_venv, with moto, botocore and the AWS CLI; AWS_PYTHON may name another.
moto_version=5.2.5
# shellcheck source=tests/support/python_venv.sh
. tests/support/python_venv.sh

# shellcheck disable=SC2034 # missing is for the caller
aws_venv() {
    if [ -n "${AWS_PYTHON:-}" ]; then
        python=$AWS_PYTHON missing=
    else
        python_venv "$1" aws "moto[ec2,server]==$moto_version" awscli || return 1
    fi
    "$python" -c 'import moto, botocore' 2>/dev/null || {
        missing="no moto in $python"
        return 1
    }
}
