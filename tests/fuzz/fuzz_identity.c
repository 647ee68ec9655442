/* SPDX-License-Identifier: Apache-2.0 */
/* Signed identities from arbitrary bytes: tokens, AWS's messages and Azure's answers, by the first
 * byte ('g', 'a', 'z'); 'k' takes the bytes as a key set for a fixed token, 'i' as the certificates
 * that are missing from Azure's chain. Nobody signed them for us, so nothing may be accepted, and
 * only errors that say so may come back. */
#include "providers/cloud/identity.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char *const accounts[] = {"123456789012", NULL};
static const char token[] = "eyJhbGciOiJSUzI1NiIsImtpZCI6InIxIn0.e30.AAAA";

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void refused(const struct gl_identity_ask *ask)
{
    struct gl_identity out = {.provider = "untouched"};
    struct gl_error err = {0};

    must(gl_identity_verify(ask, &out, &err) == -1);
    must(strcmp(out.provider, "untouched") == 0);
    must(err.code == GL_E_NOT_VERIFIED || err.code == GL_E_TOO_LARGE ||
         err.code == GL_E_NO_CREDENTIAL);
}

static void azure(struct gl_view document, struct gl_view intermediates, struct gl_view anchors)
{
    struct gl_identity_ask ask = {.kind = GL_IDENTITY_AZURE,
                                  .document = document,
                                  .accounts = accounts,
                                  .now = {2426365200},
                                  .nonce = "0123456789abcdef0123456789abcdef",
                                  .anchors = anchors,
                                  .intermediates = intermediates};
    char url[GL_CRYPTO_URL] = "";
    struct gl_error err = {0};

    refused(&ask);
    if (gl_identity_azure_wants(document, intermediates, url, &err) == 0)
        must(strstr(url, "://www.microsoft.com/") != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct gl_view text = {(const char *)bytes + 1, size - 1}, none = {NULL, 0};
    const char *pem = gl_identity_aws_cert("eu-west-1");
    struct gl_identity_ask ask = {.document = text, .accounts = accounts, .now = {2426365200}};

    if (size == 0)
        return 0;
    if (bytes[0] == 'z' || bytes[0] == 'i') {
        azure(text, bytes[0] == 'i' ? text : none, (struct gl_view){pem, strlen(pem)});
        return 0;
    }
    if (bytes[0] == 'a') {
        ask.kind = GL_IDENTITY_AWS;
        ask.region = "eu-west-1";
    } else {
        ask.kind = GL_IDENTITY_GCP;
        ask.audience = "greenlaunch/lab/0123456789abcdef0123456789abcdef";
        ask.keys = (struct gl_view){"{\"keys\":[]}", 11};
    }
    if (bytes[0] == 'k') {
        ask.keys = text;
        ask.document = (struct gl_view){token, sizeof token - 1};
    }
    refused(&ask);
    return 0;
}
