#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Make the keys, certificates and signed documents of this folder anew with the openssl program. All
# of them are throw-away test material: no cloud and no person ever used one. The documents are as
# the clouds send them, or wrong in exactly one way, which their name says.
#   tests/vectors/identity/make.sh
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

quiet() {
    "$@" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
}

# ---- keys for tokens ----
quiet openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem
quiet openssl pkey -in rsa.pem -traditional -out rsa-pkcs1.pem
quiet openssl pkey -in rsa.pem -aes256 -passout pass:correct-horse -out rsa-locked.pem
quiet openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out rsa-1024.pem
quiet openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem
quiet openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out ec-p384.pem
quiet openssl pkey -in rsa.pem -pubout -out rsa-public.pem

base64url() {
    base64 -w 0 | tr '+/' '-_' | tr -d '='
}
modulus=$(openssl rsa -in rsa.pem -noout -modulus | sed 's/.*=//' | xxd -r -p | base64url)
point=$(openssl pkey -in ec.pem -pubout -outform DER | tail -c 64 | xxd -p -c 64)
x=$(printf '%s' "${point:0:64}" | xxd -r -p | base64url)
y=$(printf '%s' "${point:64}" | xxd -r -p | base64url)
cat >jwks.json <<EOF
{"keys":[
{"kid":"r1","kty":"RSA","use":"sig","alg":"RS256","n":"$modulus","e":"AQAB"},
{"kid":"e1","kty":"EC","use":"sig","alg":"ES256","crv":"P-256","x":"$x","y":"$y"},
{"kid":"enc","kty":"RSA","use":"enc","n":"$modulus","e":"AQAB"},
{"kid":"oct","kty":"oct","n":"$modulus","e":"AQAB"},
{"kid":"twice","kty":"RSA","n":"$modulus","e":"AQAB"},
{"kid":"twice","kty":"RSA","n":"$modulus","e":"AQAB"}
]}
EOF

# ---- AWS: one self-signed certificate a region, content inside, indefinite lengths as theirs ----
self_signed() { # NAME SUBJECT
    quiet openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 60000 -subj "$2" \
        -keyout "$work/$1.key" -out "$1.pem"
}
self_signed aws-here '/C=US/ST=Washington State/L=Seattle/O=Test Region Here'
self_signed aws-there '/C=US/ST=Washington State/L=Seattle/O=Test Region There'
self_signed aws-stranger '/C=US/ST=Washington State/L=Seattle/O=Test Region Here'

der=$work/here.der
quiet openssl x509 -in aws-here.pem -outform DER -out "$der"
printf '%s %s\n' "$(sha1sum <"$der" | cut -c 1-40)" "$(sha256sum <"$der" | cut -c 1-64)" >aws-here.thumbprints

document() { # REGION [REGION-OF-ZONE]
    printf '{\n  "accountId" : "123456789012",\n  "architecture" : "x86_64",\n'
    printf '  "availabilityZone" : "%sb",\n  "imageId" : "ami-5fb8c835",\n' "${2:-$1}"
    printf '  "instanceId" : "i-1234567890abcdef0",\n  "instanceType" : "m7g.large",\n'
    printf '  "pendingTime" : "2026-11-19T16:32:11Z",\n  "privateIp" : "10.158.112.84",\n'
    printf '  "region" : "%s",\n  "version" : "2017-09-30"\n}' "$1"
}
aws() { # OUT CONTENT-REGION SIGNER OPTION...
    local out=$1 region=$2 signer=$3
    shift 3
    document "$region" >"$work/content"
    quiet openssl cms -sign -binary -nodetach -outform DER -md sha256 -in "$work/content" \
        -signer "$signer.pem" -inkey "$work/$signer.key" -out "$work/der" "$@"
    base64 -w 64 "$work/der" >"$out.b64"
}
aws aws-good eu-west-1 aws-here -nocerts -stream
aws aws-plain eu-west-1 aws-here -nocerts
aws aws-forged eu-west-1 aws-stranger
aws aws-other-region eu-central-1 aws-there -nocerts
aws aws-other-content eu-central-1 aws-here -nocerts
aws aws-two-signers eu-west-1 aws-here -nocerts -signer aws-stranger.pem -inkey "$work/aws-stranger.key"
aws aws-sha1 eu-west-1 aws-here -nocerts -md sha1
document eu-west-1 eu-west-2 >"$work/content"
quiet openssl cms -sign -binary -nodetach -outform DER -md sha256 -in "$work/content" -nocerts \
    -signer aws-here.pem -inkey "$work/aws-here.key" -out "$work/der"
base64 -w 64 "$work/der" >aws-other-zone.b64
document eu-west-1 >"$work/content"
quiet openssl cms -sign -binary -outform DER -md sha256 -in "$work/content" -nocerts \
    -signer aws-here.pem -inkey "$work/aws-here.key" -out "$work/der"
base64 -w 64 "$work/der" >aws-detached.b64
quiet openssl cms -data_create -binary -outform DER -in "$work/content" -out "$work/der"
base64 -w 64 "$work/der" >aws-unsigned.b64

# ---- Azure: root, issuing authority, signer with a DNS name ----
quiet openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 60000 -subj '/CN=Test Root' \
    -keyout "$work/root.key" -out azure-root.pem
quiet openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 60000 -subj '/CN=Other Root' \
    -keyout "$work/other.key" -out azure-other-root.pem

issue() { # NAME ISSUER-CERT ISSUER-KEY DAYS EXTENSIONS
    quiet openssl req -new -newkey rsa:2048 -nodes -subj '/CN=metadata.azure.com' \
        -keyout "$work/$1.key" -out "$work/$1.csr"
    printf '%b' "$5" >"$work/ext"
    quiet openssl x509 -req -in "$work/$1.csr" -CA "$2" -CAkey "$3" -set_serial "0x$(openssl rand -hex 12)" \
        -days "$4" -sha256 -extfile "$work/ext" -out "$work/$1.pem"
}
authority='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n'
from='authorityInfoAccess=caIssuers;URI:http://www.microsoft.com/pkiops/certs'
quiet openssl req -new -newkey rsa:2048 -nodes -subj '/CN=Test Issuing CA' \
    -keyout "$work/issuing.key" -out "$work/issuing.csr"
printf '%b' "$authority$from/root.crt\n" >"$work/ext"
quiet openssl x509 -req -in "$work/issuing.csr" -CA azure-root.pem -CAkey "$work/root.key" -set_serial 77 \
    -days 60000 -sha256 -extfile "$work/ext" -out azure-issuing.pem
quiet openssl x509 -in azure-issuing.pem -outform DER -out azure-issuing.der

leaf() { # NAME ALTERNATIVE-NAME DAYS [ISSUER]
    issue "$1" azure-issuing.pem "$work/issuing.key" "$3" \
        "basicConstraints=critical,CA:FALSE\n${2:+subjectAltName=$2\n}${4:-$from}/issuing.crt\n"
}
leaf regional DNS:eastus.metadata.azure.com 60000
leaf apex DNS:other.example,DNS:metadata.azure.com 60000
leaf sovereign DNS:metadata.azure.us 60000
leaf evil DNS:evilmetadata.azure.com 60000
leaf longer DNS:metadata.azure.com.example 60000
leaf unnamed '' 60000
leaf expired DNS:metadata.azure.com 1
leaf lured DNS:metadata.azure.com 60000 'authorityInfoAccess=caIssuers;URI:http://www.microsoft.com.example'
# Issued by a certificate that is no authority.
issue below "$work/regional.pem" "$work/regional.key" 60000 'subjectAltName=DNS:metadata.azure.com\n'

azure() { # OUT SIGNER OPTION...
    local out=$1 signer=$2
    shift 2
    cat >"$work/content" <<EOF
{"licenseType":"","nonce":"0123456789abcdef0123456789abcdef",\
"plan":{"name":"","product":"","publisher":""},"sku":"22_04-lts-gen2",\
"subscriptionId":"8d10da13-8125-4ba9-a717-bf7490507b3d",\
"timeStamp":{"createdOn":"11/20/46 22:07:39 -0000","expiresOn":"11/21/46 04:07:39 -0000"},\
"vmId":"02aab8a4-74ef-476e-8182-f6d2ba4166a6"}
EOF
    quiet openssl cms -sign -binary -nodetach -outform DER -md sha256 -in "$work/content" \
        -signer "$work/$signer.pem" -inkey "$work/$signer.key" -out "$work/der" "$@"
    printf '{"encoding":"pkcs7","signature":"%s"}' "$(base64 -w 0 "$work/der")" >"$out.json"
}
for signer in regional apex sovereign evil longer unnamed expired lured; do
    azure "azure-$signer" "$signer"
done
azure azure-below below -certfile "$work/regional.pem"
azure azure-no-certificate regional -nocerts
printf 'made by %s\n' "$(openssl version | cut -d ' ' -f 1,2)" >made-by
