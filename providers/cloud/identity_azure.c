/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/identity_part.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/jwt.h"
#include "base/time.h"

#define SYSTEM_FOLDER "/etc/ssl/certs"
#define ANCHOR        "DigiCert_Global_Root_G2.pem"
#define ISSUER_HOST   "www.microsoft.com"

/* Public cloud, then the sovereign ones (US, China, Germany), as documented for attested data. */
static const char *const domains[] = {"metadata.azure.com", "metadata.azure.us",
                                      "metadata.azure.cn", "metadata.microsoftazure.de", NULL};

/* SHA-256 of its DER, https://www.digicert.com/kb/digicert-root-certificates.htm: a root that
 * somebody put under the same name is not it. */
static const struct gl_hash anchor = {{0xcb, 0x3c, 0xcb, 0xb7, 0x60, 0x31, 0xe5, 0xe0,
                                       0x13, 0x8f, 0x8d, 0xd3, 0x9a, 0x23, 0xf9, 0xde,
                                       0x47, 0xff, 0xc3, 0x5e, 0x43, 0xc1, 0x14, 0x4c,
                                       0xea, 0x27, 0xd4, 0x6a, 0x5a, 0xb1, 0xcb, 0x5f}};

int gl_identity_azure_anchor(const char *folder, char **out_pem, struct gl_error *err)
{
    GL_AUTO(gl_auto_free)
    char *path = gl_path_join(folder != NULL ? folder : SYSTEM_FOLDER, ANCHOR);
    struct gl_crypto_thumbprint thumbprint;
    char *pem;
    size_t length;

    if (!gl_file_exists(path))
        return gl_fail(err, GL_E_UNKNOWN_DATA,
                       "%s is missing (package ca-certificates): Azure's documents lead to it",
                       path);
    if (gl_file_read(path, GL_CRYPTO_MAX_PEM, &pem, &length, err) != 0)
        return -1;
    if (gl_crypto_thumbprint((struct gl_view){pem, length}, &thumbprint, err) == 0 &&
        gl_hash_equal(&thumbprint.sha256, &anchor)) {
        *out_pem = pem;
        return 0;
    }
    free(pem);
    return gl_fail(err, GL_E_NOT_VERIFIED, "%s is not the root that it is named after", path);
}

static int two_digits(const char *text)
{
    return (text[0] - '0') * 10 + text[1] - '0';
}

/* "11/20/18 22:07:39 -0000", with either sign. */
static bool is_time(const char *text)
{
    static const char shape[] = "00/00/00 00:00:00 -0000";

    if (strlen(text) != sizeof shape - 1 || strcmp(text + 19, "0000") != 0)
        return false;
    for (size_t i = 0; i < sizeof shape - 1; i++) {
        if (shape[i] == '0' && (text[i] < '0' || text[i] > '9'))
            return false;
        if (shape[i] != '0' && text[i] != shape[i] && !(shape[i] == '-' && text[i] == '+'))
            return false;
    }
    return true;
}

/* Month, day, year of this century, always UTC. */
static bool time_parse(const char *text, struct gl_instant *out)
{
    int month, day, hour, minute, second;

    if (!is_time(text))
        return false;
    month = two_digits(text);
    day = two_digits(text + 3);
    hour = two_digits(text + 9);
    minute = two_digits(text + 12);
    second = two_digits(text + 15);
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
        return false;
    *out = gl_instant_of_civil(2000 + two_digits(text + 6), month, day, hour, minute, second);
    return true;
}

static int window_check(const json_t *content, int64_t now_s, struct gl_instant *out_created,
                        struct gl_error *err)
{
    struct gl_instant created, expires;
    const char *from, *until;
    json_t *stamp;

    if (gl_json_object(content, "timeStamp", &stamp, err) != 0 ||
        gl_json_string(stamp, "createdOn", &from, err) != 0 ||
        gl_json_string(stamp, "expiresOn", &until, err) != 0)
        return -1;
    if (!time_parse(from, &created) || !time_parse(until, &expires))
        return gl_fail(err, GL_E_NOT_VERIFIED, "timeStamp has no times");
    if (now_s > expires.unix_s + GL_JWT_SKEW_S)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the document has expired");
    if (created.unix_s > now_s + GL_JWT_SKEW_S)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the document is from the future");
    *out_created = created;
    return 0;
}

static int content_read(const struct gl_identity_ask *ask, const json_t *content,
                        struct gl_identity *out, struct gl_error *err)
{
    const char *nonce;

    if (gl_json_string(content, "nonce", &nonce, err) != 0)
        return -1;
    if (strcmp(nonce, ask->nonce) != 0)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the document answers another challenge");
    if (window_check(content, ask->now.unix_s, &out->issued_at, err) != 0 ||
        gl_identity_text(content, "subscriptionId", out->account, sizeof out->account, err) != 0 ||
        gl_identity_text(content, "vmId", out->instance, sizeof out->instance, err) != 0)
        return -1;
    out->grade = GL_IDENTITY_A;
    return gl_identity_ours(ask, out->account, err);
}

/* {"encoding":"pkcs7","signature":"base64"} */
static int message_read(struct gl_view document, struct gl_str *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    const char *encoding, *text;

    answer = gl_json_parse(document.text, document.length, "attested document", err);
    if (answer == NULL || gl_json_string(answer, "encoding", &encoding, err) != 0 ||
        gl_json_string(answer, "signature", &text, err) != 0)
        return -1;
    if (strcmp(encoding, "pkcs7") != 0)
        return gl_fail(err, GL_E_NOT_VERIFIED, "its encoding is not pkcs7");
    return gl_identity_base64((struct gl_view){text, strlen(text)}, out, err);
}

int gl_identity_azure_verify(const struct gl_identity_ask *ask, struct gl_identity *out,
                             struct gl_error *err)
{
    const struct gl_crypto_chain chain = {.anchors = ask->anchors,
                                          .intermediates = ask->intermediates,
                                          .at = ask->now,
                                          .domains = domains};
    GL_AUTO(gl_str_done) struct gl_str message = {0}, text = {0};
    GL_AUTO(gl_auto_json) json_t *content = NULL;

    if (message_read(ask->document, &message, err) != 0 ||
        gl_crypto_cms_chained((struct gl_view){gl_str_text(&message), message.length}, &chain,
                              &text, err) != 0)
        return -1;
    content = gl_json_parse(gl_str_text(&text), text.length, "content", err);
    return content != NULL ? content_read(ask, content, out, err) : -1;
}

/* http(s)://www.microsoft.com/..., nothing between scheme and host, no port. */
static bool is_of_issuer(const char *url)
{
    size_t host = strlen(ISSUER_HOST);

    if (strncasecmp(url, "http://", 7) == 0)
        url += 7;
    else if (strncasecmp(url, "https://", 8) == 0)
        url += 8;
    else
        return false;
    return strncasecmp(url, ISSUER_HOST, host) == 0 && url[host] == '/';
}

int gl_identity_azure_wants(struct gl_view document, struct gl_view intermediates,
                            char out_url[GL_CRYPTO_URL], struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str message = {0};
    char url[GL_CRYPTO_URL];

    if (document.length > GL_IDENTITY_MAX_DOCUMENT)
        return gl_fail(err, GL_E_TOO_LARGE, "identity of more than %zu bytes",
                       GL_IDENTITY_MAX_DOCUMENT);
    if (message_read(document, &message, err) != 0 ||
        gl_crypto_cms_issuer_url((struct gl_view){gl_str_text(&message), message.length},
                                 intermediates, url, err) != 0) {
        if (err->code != GL_E_TOO_LARGE && err->code != GL_E_NO_CREDENTIAL)
            err->code = GL_E_NOT_VERIFIED;
        return gl_wrap(err, "azure identity");
    }
    if (!is_of_issuer(url))
        return gl_fail(err, GL_E_NOT_VERIFIED,
                       "azure identity: the missing certificate is not on " ISSUER_HOST);
    memcpy(out_url, url, sizeof url);
    return 0;
}
