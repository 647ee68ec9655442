# SPDX-License-Identifier: Apache-2.0
"""Documents with a value planted wherever one may stand that nobody is to see, for
tests/integration/hook_secrets.sh: planted.py FOLDER CANARY."""

import json
import os
import sys

folder, canary = sys.argv[1:3]
serial = 0


def secret():
    """The canary, another one each time, so that a leak says which it was."""
    global serial
    serial += 1
    return f"{canary}-{serial:03d}"


def write(name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
        out.write(text if isinstance(text, str) else json.dumps(text, indent=1) + "\n")


def change(address, after, before=None, actions=("create",), sensitive=None):
    kind, name = address.split(".")
    return {
        "address": address, "mode": "managed", "type": kind, "name": name,
        "provider_name": "registry.terraform.io/hashicorp/" + kind.split("_")[0],
        "change": {"actions": list(actions), "before": before, "after": after,
                   "after_unknown": {"id": True}, "before_sensitive": sensitive or False,
                   "after_sensitive": sensitive or {}, "importing": {"id": secret()}},
        "action_reason": secret()}


def machine():
    return {"instance_type": "m5.large", "availability_zone": "us-east-1a",
            "user_data": secret(), "user_data_base64": secret(), "key_name": secret(),
            "password_data": secret(), "tags": {"team": "web"}, "description": secret(),
            "metadata_options": [{"http_tokens": secret()}], "iam_instance_profile": secret()}


def hidden():
    return {"instance_type": secret(), "availability_zone": secret(), "tags": {"x": secret()}}


def block(address, **expressions):
    kind, name = address.split(".")
    return {"address": address, "mode": "managed", "type": kind, "name": name,
            "provider_config_key": "aws", "expressions": expressions,
            "provisioners": [{"type": "remote-exec", "expressions": {
                "inline": {"constant_value": [secret()]},
                "environment": {"constant_value": {"TOKEN": secret()}}}}]}


resources = [
    change("aws_instance.web", machine()),
    change("aws_instance.grown", machine(), machine() | {"instance_type": "t3.micro"}, ("update",)),
    change("aws_instance.hidden", hidden(), sensitive=True),
    change("aws_instance.was_hidden", hidden(), hidden(), ("update",),
           {"instance_type": True, "availability_zone": True, "tags": True}),
    change("aws_db_instance.db", {"instance_class": "db.m5.large", "password": secret(),
                                  "username": secret(), "availability_zone": "us-east-1a"}),
    change("aws_ecs_task_definition.job", {"cpu": "1024", "memory": "2048",
                                           "requires_compatibilities": ["FARGATE"],
                                           "container_definitions": json.dumps([
                                               {"name": "c", "image": secret(), "environment": [
                                                   {"name": "TOKEN", "value": secret()}]}])}),
    change("aws_lambda_function.f", {"function_name": "f", "memory_size": 512, "environment": [
        {"variables": {"TOKEN": secret()}}]}),
    change("aws_secretsmanager_secret_version.s", {"secret_string": secret()}),
    change("kubernetes_secret.s", {"data": {"token": secret()}}),
    change("acme_machine.m", {"instance_type": secret(), "size": secret(), "token": secret()}),
    change("aws_instance.gone", None, machine(), ("delete",)),
    change("aws_instance.told", {"instance_type": "m5.large", "user_data": secret()}),
]
output = {"sensitive": False, "value": secret(), "type": "string"}
plan = {
    "format_version": "1.2", "terraform_version": "1.9.0",
    "variables": {"password": {"value": secret()}, "region": {"value": "us-east-1"},
                  "list": {"value": [secret(), {secret(): secret()}]}},
    "planned_values": {"outputs": {"o": output}, "root_module": {"resources": [
        {"address": "aws_instance.web", "mode": "managed", "type": "aws_instance",
         "name": "web", "values": machine(), "sensitive_values": {}}]}},
    "resource_drift": resources[:1],
    "resource_changes": resources,
    "output_changes": {"o": {"actions": ["create"], "before": secret(), "after": secret(),
                             "after_unknown": False}},
    "prior_state": {"format_version": "1.0", "terraform_version": "1.9.0", "values": {
        "outputs": {"o": output}, "root_module": {"resources": [
            {"address": "data.aws_region.here", "mode": "data", "type": "aws_region",
             "name": "here", "values": {"name": "us-east-1", "description": secret(),
                                        "endpoint": secret()}, "sensitive_values": {}},
            {"address": "data.vault_generic_secret.s", "mode": "data",
             "type": "vault_generic_secret", "name": "s",
             "values": {"data": {"token": secret()}, "name": secret()},
             "sensitive_values": {"data": True}}]}}},
    "configuration": {
        "provider_config": {"aws": {"name": "aws", "expressions": {
            "region": {"references": ["var.region"]},
            "access_key": {"constant_value": secret()},
            "secret_key": {"references": ["var.password"]},
            "assume_role": [{"external_id": {"constant_value": secret()}}]}}},
        "root_module": {
            "resources": [block(r["address"], user_data={"constant_value": secret()},
                                password={"constant_value": secret()},
                                tags={"constant_value": {"x": secret()}}) for r in resources],
            "outputs": {"o": {"expression": {"constant_value": secret()}}},
            "variables": {"password": {"default": secret(), "description": secret()},
                          "region": {"default": "us-east-1"}},
            "module_calls": {"m": {"source": "git::https://" + secret() + "@example.com/m",
                                   "expressions": {"token": {"constant_value": secret()}},
                                   "module": {"variables": {"token": {"default": secret()}}}}}}},
    "checks": [{"address": {"kind": "resource", "to_display": "x"}, "status": "fail", "instances": [
        {"address": {}, "status": "fail", "problems": [{"message": secret()}]}]}],
    "backend": {"type": "s3", "config": {"access_key": secret(), "bucket": secret()}},
    "timestamp": secret()}
write("terraform.json", plan)
write("fix.json", plan | {"resource_changes": resources[-1:]})
write("main.tf", f"""# {secret()}
variable "region" {{
  default = "us-east-1"
}}

variable "password" {{
  default = "{secret()}" // {secret()}
}}

provider "aws" {{
  access_key = "{secret()}"
  region     = var.region
}}

terraform {{
  backend "s3" {{
    secret_key = "{secret()}"
  }}
}}

resource "aws_instance" "told" {{
  user_data     = "{secret()}"
  instance_type = "m5.large"
}}
""")


def step(name, inputs, op="create", old=None):
    urn = f"urn:pulumi:prod::shop::aws:ec2/instance:Instance::{name}"
    state = {"urn": urn, "type": "aws:ec2/instance:Instance", "custom": True}
    provider = "urn:pulumi:prod::shop::pulumi:providers:aws::told::i"
    result = {"op": op, "urn": urn, "provider": provider, "newState": state | {
        "inputs": inputs, "outputs": inputs, "provider": provider}}
    if old is not None:
        result["oldState"] = state | {"inputs": old, "outputs": old, "id": secret()}
    return result


def pulumi():
    return {"instanceType": "m5.large", "availabilityZone": "us-east-1a", "userData": secret(),
            "environment": {"TOKEN": secret()}, "tags": {"team": "web"}}


mark = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
        "ciphertext": secret(), "plaintext": secret()}
told = {"urn": "urn:pulumi:prod::shop::pulumi:providers:aws::told", "custom": True,
        "type": "pulumi:providers:aws", "inputs": {"region": "us-east-1", "accessKey": secret(),
                                                   "secretKey": mark}}
write("pulumi.json", {
    "config": {"aws:region": "us-east-1", "aws:secretKey": secret(), "shop:password": secret()},
    "steps": [{"op": "create", "urn": told["urn"], "newState": told},
              step("web", pulumi()), step("hidden", {"instanceType": mark}),
              step("grown", pulumi(), "update", pulumi() | {"instanceType": "t3.micro"})],
    "diagnostics": [{"severity": "info", "message": secret(), "prefix": secret()}],
    "environment": {"TOKEN": secret()}, "outputs": {"o": secret()}})

write("template.yaml", f"""# {secret()}
AWSTemplateFormatVersion: "2010-09-09"
Description: "{secret()}"
Metadata: {{Notes: "{secret()}"}}
Parameters:
  Password: {{Type: String, Default: "{secret()}", Description: "{secret()}"}}
  Machine: {{Type: String, Default: "{secret()}", NoEcho: true}}
Resources:
  Web:
    Type: AWS::EC2::Instance
    Metadata: {{Token: "{secret()}"}}
    Properties:
      InstanceType: m5.large
      AvailabilityZone: us-east-1a
      UserData: !Sub "{secret()} ${{Password}}"
      KeyName: "{secret()}"
  Hidden:
    Type: AWS::EC2::Instance
    Properties: {{InstanceType: !Ref Machine, AvailabilityZone: us-east-1a, UserData: !Ref Password}}
  Call:
    Type: AWS::Lambda::Function
    Properties:
      MemorySize: 512
      Environment: {{Variables: {{TOKEN: "{secret()}"}}}}
      Code: {{ZipFile: "{secret()}"}}
  Own:
    Type: Custom::Thing
    Properties: {{ServiceToken: "{secret()}", InstanceType: "{secret()}"}}
Outputs:
  O: {{Value: "{secret()}"}}
""")

container = f"""          image: registry.example/{secret()}
          command: [run, "{secret()}"]
          args: ["{secret()}"]
          env: [{{name: TOKEN, value: "{secret()}"}}]
          resources: {{requests: {{cpu: 2, memory: 4Gi}}}}"""
write("manifests.yaml", f"""# {secret()}
apiVersion: v1
kind: Secret
metadata: {{name: s, annotations: {{note: "{secret()}"}}}}
data: {{token: {secret()}}}
stringData:
  password: "{secret()}"
  instanceType: "{secret()}"
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: c}}
data: {{token: "{secret()}"}}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: {{kubectl.kubernetes.io/last-applied-configuration: "{secret()}"}}
spec:
  replicas: 3
  template:
    metadata: {{annotations: {{vault: "{secret()}"}}}}
    spec:
      nodeSelector: {{topology.kubernetes.io/region: us-east-1}}
      imagePullSecrets: [{{name: "{secret()}"}}]
      containers:
        - name: c
{container}
---
apiVersion: acme.example/v1
kind: Machine
metadata: {{name: m}}
spec: {{instanceType: "{secret()}", token: "{secret()}"}}
""")
print(serial)
