# SPDX-License-Identifier: Apache-2.0
"""Random requests signed by botocore, in the form of tests/vectors/sigv4/v4.json:
sigv4_cases.py SEED COUNT > FILE"""
import datetime
import json
import random
import sys
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

RANDOM = random.Random(int(sys.argv[1]))
TEXT = "abcXYZ019-._~ /:+%&=?*()'\"é€\u1234"
METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD"]


def text(low, high, alphabet=TEXT):
    return "".join(RANDOM.choice(alphabet) for _ in range(RANDOM.randint(low, high)))


def quote(value):
    return urllib.parse.quote(value, safe="-._~")


def a_path():
    parts = [quote(text(1, 6).replace("/", "")) or "x" for _ in range(RANDOM.randint(0, 4))]
    for special in (".", "..", ""):
        if parts and RANDOM.random() < 0.2:
            parts.insert(RANDOM.randrange(len(parts) + 1), special)
    path = "/" + "/".join(parts)
    # "//x" would be taken for a host.
    return "/" + path.lstrip("/") + RANDOM.choice(["", "/"])


def a_query():
    names = ["q", "q.parser", "A", "a", "aa", text(1, 5)]
    pairs = [(quote(RANDOM.choice(names)), quote(text(0, 6)))
             for _ in range(RANDOM.choice([0, 0, 1, 3, 6]))]
    return "&".join(f"{name}={value}" for name, value in pairs)


def some_headers():
    names = ["X-Amz-Ab", "X-Amz-Ab-C", "Accept", "Content-Type", "User-Agent", "My-Header",
             "X-Amz-Target", "Expect"]
    chosen = RANDOM.sample(names, RANDOM.randint(0, 5))
    alphabet = "abc XYZ019 =/;,\""
    return [(name, text(1, 12, alphabet).strip() or "v") for name in chosen]


def sign(auth_class, asked, **options):
    request = botocore.awsrequest.AWSRequest(
        method=asked["method"], url=f"https://{asked['host']}{asked['path']}" +
        ("?" + asked["query"] if asked["query"] else ""), data=asked["body"].encode())
    for name, value in asked["headers"]:
        request.headers[name] = value
    stamp = asked["at"].strftime("%Y%m%dT%H%M%SZ")
    request.context["timestamp"] = stamp
    signer = auth_class(botocore.credentials.Credentials(*asked["keys"]), asked["service"],
                        asked["region"], **options)
    if auth_class is botocore.auth.SigV4Auth:
        request.headers["X-Amz-Date"] = stamp
        if asked["keys"][2]:
            request.headers["X-Amz-Security-Token"] = asked["keys"][2]
    else:
        signer._modify_request_before_signing(request)
    canonical = signer.canonical_request(request)
    to_sign = signer.string_to_sign(request, canonical)
    signature = signer.signature(to_sign, request)
    if auth_class is botocore.auth.SigV4Auth:
        signer._inject_signature_to_request(request, signature)
        signed = "".join(f"{name}:{request.headers[name]}\n" for name in
                         ("X-Amz-Date", "X-Amz-Security-Token", "Authorization")
                         if request.headers[name])
    else:
        signer._inject_signature_to_request(request, signature)
        signed = request.url
    return {"canonical-request": canonical, "string-to-sign": to_sign, "signature": signature,
            "signed-request": signed}


def a_case(number):
    asked = {"method": RANDOM.choice(METHODS), "host": RANDOM.choice(
        ["ec2.eu-west-1.amazonaws.com", "example.amazonaws.com", "127.0.0.1:8080"]),
        "path": a_path(), "query": a_query(), "headers": some_headers(),
        "body": text(0, 40) if number % 2 else "", "service": RANDOM.choice(["ec2", "sts", "pricing"]),
        "region": RANDOM.choice(["eu-west-1", "us-east-1", "cn-north-1"]),
        "at": datetime.datetime(2015, 8, 30, 12, 36) + datetime.timedelta(
            seconds=RANDOM.randrange(400000000)),
        "keys": ("AKID" + text(4, 16, "ABCDEF012"), text(20, 60, "abcXYZ/+0"),
                 RANDOM.choice([None, text(20, 200, "abcXYZ/+=0")]))}
    head = "".join(f"{name}:{value}\n" for name, value in [("Host", asked["host"])] +
                   asked["headers"])
    target = asked["path"] + ("?" + asked["query"] if asked["query"] else "")
    context = {"credentials": {"access_key_id": asked["keys"][0],
                               "secret_access_key": asked["keys"][1]},
               "expiration_in_seconds": 1800, "normalize": True, "region": asked["region"],
               "service": asked["service"], "sign_body": False,
               "timestamp": asked["at"].strftime("%Y-%m-%dT%H:%M:%SZ")}
    if asked["keys"][2]:
        context["credentials"]["token"] = asked["keys"][2]
    case = {"name": f"random-{number}", "context": context,
            "request": f"{asked['method']} {target} HTTP/1.1\n{head}\n{asked['body']}",
            "header": sign(botocore.auth.SigV4Auth, asked)}
    names = [pair.split("=")[0] for pair in asked["query"].split("&")]
    # For a presigned request botocore moves the body into the query, and keeps one of a name.
    if not asked["body"] and len(set(names)) == len(names):
        case["query"] = sign(botocore.auth.SigV4QueryAuth, asked, expires=1800)
    return case


json.dump([a_case(number) for number in range(int(sys.argv[2]))], sys.stdout)
