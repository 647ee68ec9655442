#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A demand feed as a provider reads it, with Python alone: demand_reader.py FILE KEY.pub PROVIDER.
Ed25519 as in RFC 8032, section 5.1.7, over the document without its signature."""
import base64, hashlib, json, sys

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P)


def point(raw):
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    xx = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(xx, (P + 3) // 8, P)
    x = x if x * x % P == xx else x * ROOT % P
    assert y < P and x * x % P == xx, "no point of the curve"
    return (P - x if x % 2 != raw[31] >> 7 else x), y


def add(a, b):
    t = D * a[0] * b[0] * a[1] * b[1] % P
    return ((a[0] * b[1] + a[1] * b[0]) * pow(1 + t, -1, P) % P,
            (a[1] * b[1] + a[0] * b[0]) * pow(1 - t, -1, P) % P)


def times(n, a):
    total = (0, 1)
    for bit in bin(n)[2:]:
        total = add(total, total)
        total = add(total, a) if bit == "1" else total
    return total


BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
document = json.load(open(sys.argv[1], encoding="ascii"))
said = document.pop("signature")
key, sig = bytes.fromhex(open(sys.argv[2]).read().split()[0]), base64.b64decode(said["sig"])
text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
challenge = int.from_bytes(hashlib.sha512(sig[:32] + key + text).digest(), "little") % L
scalar = int.from_bytes(sig[32:], "little")
if scalar >= L or times(scalar, BASE) != add(point(sig[:32]), times(challenge, point(key))):
    sys.exit("the signature does not hold")
for cell in document["cells"]:
    if cell["provider"] == sys.argv[3]:
        print(cell["month"], cell["region"], cell["capability"], cell["rule"], sep="  ", end="  ")
        print("organisations", *cell.get("organisations", [1]), " launches", *cell["launches"])
