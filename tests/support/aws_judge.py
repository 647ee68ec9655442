# SPDX-License-Identifier: Apache-2.0
"""moto behind a strict door: every request is held against botocore's service model (names, types,
enumerations, required members) and its signature against botocore's own signer before moto sees it.

  aws_judge.py plain|signed FOLDER

Writes FOLDER/url when it answers, FOLDER/keys (lines "NAME ID SECRET"), FOLDER/ami (an image of
eu-north-1), FOLDER/inner (moto past the door) and one line for each thing found wrong into
FOLDER/verdict; FOLDER/asked lists the actions that came. Ends with its standard input.
"""
import gzip
import http.client
import http.server
import json
import os
import re
import sys
import threading
import urllib.parse

MODE, FOLDER = sys.argv[1], sys.argv[2]
os.environ.update(MOTO_ENABLE_AMI_VALIDATION="1", MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION="1",
                  MOTO_ENABLE_KEYPAIR_VALIDATION="1", AWS_DEFAULT_REGION="eu-north-1")
if MODE == "signed":
    os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "3"

import botocore.auth  # noqa: E402
import botocore.awsrequest  # noqa: E402
import botocore.credentials  # noqa: E402
import botocore.loaders  # noqa: E402
import botocore.model  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402

KEYS = {"AKIAJUDGEJUDGEJUDGE0": "planted+SECRET/of/the/judge/0123456789ab"}
LOADER = botocore.loaders.Loader()
MODELS = {}
LOCK = threading.Lock()


def model(service):
    if service not in MODELS:
        MODELS[service] = botocore.model.ServiceModel(
            LOADER.load_service_model(service, "service-2"), service)
    return MODELS[service]


def note(name, text):
    with LOCK, open(os.path.join(FOLDER, name), "a") as out:
        out.write(text + "\n")


def member_name(shape, name, protocol):
    """The serializer rule of the ec2 and query protocols."""
    if protocol == "ec2":
        query = shape.serialization.get("queryName")
        location = shape.serialization.get("name")
        return query or (location[0].upper() + location[1:] if location else name)
    return shape.serialization.get("name", name)


def check_scalar(shape, value, name):
    kind = shape.type_name
    if kind in ("integer", "long") and not re.fullmatch(r"-?\d+", value):
        return f"{name} is no {kind}"
    if kind == "boolean" and value not in ("true", "false"):
        return f"{name} is no boolean"
    if kind == "timestamp" and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value):
        return f"{name} is no time"
    enum = getattr(shape, "enum", None)
    if kind == "string" and enum and value not in enum:
        return f"{name} is none of {len(enum)} known values"
    return None


def check_field(shape, parts, value, name, protocol):
    """Walk one dotted name down the model; the first thing wrong, or None."""
    if shape.type_name == "structure":
        if not parts:
            return f"{name} is a structure"
        for member, below in shape.members.items():
            if member_name(below, member, protocol) == parts[0]:
                return check_field(below, parts[1:], value, name, protocol)
        return f"{name} is not in the model"
    if shape.type_name == "list":
        if protocol == "query" and not shape.serialization.get("flattened"):
            if not parts or parts[0] != "member":
                return f"{name} lacks .member"
            parts = parts[1:]
        if not parts or not re.fullmatch(r"[1-9]\d*", parts[0]):
            return f"{name} lacks its number"
        return check_field(shape.member, parts[1:], value, name, protocol)
    if parts:
        return f"{name} goes deeper than the model"
    return check_scalar(shape, value, name)


def check_query(service, fields):
    found = []
    action, version = fields.get("Action", ""), fields.get("Version", "")
    known = model(service)
    if version != known.api_version:
        found.append(f"{service}: version {version}, the model is of {known.api_version}")
    if action not in known.operation_names:
        return found + [f"{service}: no operation {action}"]
    shape = known.operation_model(action).input_shape
    protocol = known.metadata["protocol"]
    names = set()
    for name, value in fields.items():
        if name in ("Action", "Version"):
            continue
        names.add(name.split(".")[0])
        wrong = check_field(shape, name.split("."), value, name, protocol) if shape else name
        if wrong:
            found.append(f"{service} {action}: {wrong}")
    for member in (shape.required_members if shape else []):
        if member_name(shape.members[member], member, protocol) not in names:
            found.append(f"{service} {action}: {member} is required")
    return found


def check_signature(method, path, headers, body):
    """Sign it again with botocore, over the headers that it names."""
    given = headers.get("Authorization", "")
    match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request, "
                         r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})", given)
    if not match:
        return ["no Authorization of Signature Version 4"]
    key, region, service, names, signature = match.groups()
    if key not in KEYS:
        return []  # somebody else's: moto says so itself
    request = botocore.awsrequest.AWSRequest(
        method=method, url=f"http://{headers['Host']}{path}", data=body,
        headers={name: headers[name] for name in names.split(";")
                 if name not in ("host", "x-amz-date")})
    request.context["timestamp"] = headers["X-Amz-Date"]
    signer = botocore.auth.SigV4Auth(
        botocore.credentials.Credentials(key, KEYS[key]), service, region)
    if "x-amz-date" not in names:
        return ["the time is not signed"]
    request.headers["X-Amz-Date"] = headers["X-Amz-Date"]
    canonical = signer.canonical_request(request)
    ours = signer.signature(signer.string_to_sign(request, canonical), request)
    return [] if ours == signature else [f"{service}: botocore signs it otherwise"]


class Door(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        target = self.headers.get("X-Amz-Target")
        wrong = check_signature("POST", self.path, self.headers, body)
        if target is None:
            fields = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
            service = "sts" if fields.get("Version") == "2011-06-15" else "ec2"
            wrong += check_query(service, fields)
            note("asked", f"{service} {fields.get('Action')}")
        else:
            note("asked", target)
        for line in wrong:
            note("verdict", line)
        if target == "AWSPriceListService.GetProducts":
            return self.tell_price(json.loads(body))
        if MODE == "plain":  # moto cannot tag the snapshots of an image
            body = re.sub(rb"(Action=CreateImage&.*?)&TagSpecification\.2\.[^ ]*", rb"\1", body)
        self.pass_on(body)

    def tell_price(self, asked):
        """moto has no price list: one price for whatever type is asked for."""
        fields = {one["Field"]: one["Value"] for one in asked["Filters"]}
        attributes = {"instanceType": fields.get("instanceType", "t3.micro"), "vcpu": "2",
                      "memory": "1 GiB", "regionCode": fields.get("regionCode", "eu-north-1")}
        per_hour = {"unit": "Hrs", "pricePerUnit": {"USD": "0.0108000000"}}
        product = {"product": {"attributes": attributes},
                   "terms": {"OnDemand": {"A.B": {"priceDimensions": {"A.B.C": per_hour}}}}}
        self.reply(200, "application/x-amz-json-1.1", json.dumps(
            {"FormatVersion": "aws_v1", "PriceList": [json.dumps(product)]}).encode())

    def pass_on(self, body):
        inner = http.client.HTTPConnection("127.0.0.1", INNER, timeout=60)
        headers = {k: v for k, v in self.headers.items()
                   if k.lower() not in ("connection", "content-length")}
        inner.request("POST", self.path, body=body, headers=headers)
        reply = inner.getresponse()
        data = reply.read()
        if reply.getheader("Content-Encoding") == "gzip":
            data = gzip.decompress(data)
        self.reply(reply.status, reply.getheader("Content-Type", "text/xml"), data)
        inner.close()

    def reply(self, status, kind, data):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def an_image():
    from moto.ec2.models import ec2_backends
    images = ec2_backends["123456789012"]["eu-north-1"].describe_images()
    return next(i.id for i in images if i.architecture == "x86_64")


def make_users():
    """The first three actions go unsigned; then one user may do all, another only look."""
    import boto3
    address = f"http://127.0.0.1:{INNER}"

    def iam(key="none", secret="none"):
        return boto3.client("iam", endpoint_url=address, region_name="us-east-1",
                            aws_access_key_id=key, aws_secret_access_key=secret)

    def user(client, name, actions):
        client.create_user(UserName=name)
        client.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(
            {"Version": "2012-10-17",
             "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}))
        made = client.create_access_key(UserName=name)["AccessKey"]
        KEYS[made["AccessKeyId"]] = made["SecretAccessKey"]
        note("keys", f"{name} {made['AccessKeyId']} {made['SecretAccessKey']}")
        return made

    first = user(iam(), "all", "*")
    user(iam(first["AccessKeyId"], first["SecretAccessKey"]), "look",
         ["ec2:Describe*", "sts:GetCallerIdentity"])


SERVER = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
SERVER.start()
INNER = SERVER.get_host_and_port()[1]
if MODE == "signed":
    make_users()
else:
    for key_id, secret in KEYS.items():
        note("keys", f"all {key_id} {secret}")
note("ami", an_image())
note("inner", f"http://127.0.0.1:{INNER}")
DOOR = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
DOOR.daemon_threads = True
threading.Thread(target=DOOR.serve_forever, daemon=True).start()
open(os.path.join(FOLDER, "verdict"), "a").close()
with open(os.path.join(FOLDER, "url.part"), "w") as url:
    url.write(f"http://127.0.0.1:{DOOR.server_port}\n")
os.rename(os.path.join(FOLDER, "url.part"), os.path.join(FOLDER, "url"))
sys.stdin.read()
os._exit(0)
