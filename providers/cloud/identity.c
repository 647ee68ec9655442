/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/jwt.h"
#include "base/time.h"
#include "providers/cloud/identity_part.h"

#define GOOGLE_ISSUER "https://accounts.google.com"

static const struct {
    const char *name;
    enum gl_identity_kind kind;
} kinds[] = {{"aws", GL_IDENTITY_AWS}, {"gcp", GL_IDENTITY_GCP}, {"azure", GL_IDENTITY_AZURE}};

bool gl_identity_kind_of(const char *provider, enum gl_identity_kind *out)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, provider) == 0) {
            *out = kinds[i].kind;
            return true;
        }
    }
    return false;
}

const struct gl_identity_cert *gl_identity_aws_certs(size_t *out_count)
{
    *out_count = gl_identity_cert_count;
    return gl_identity_cert_rows;
}

static int compare_region(const void *region, const void *row)
{
    return strcmp(region, ((const struct gl_identity_cert *)row)->region);
}

const char *gl_identity_aws_cert(const char *region)
{
    const struct gl_identity_cert *row =
        bsearch(region, gl_identity_cert_rows, gl_identity_cert_count,
                sizeof gl_identity_cert_rows[0], compare_region);

    return row != NULL ? row->pem : NULL;
}

const char *gl_identity_grade_text(enum gl_identity_grade grade)
{
    static const char *const texts[] = {"A", "B", "C", "D"};

    return texts[grade];
}

int gl_identity_text(const json_t *object, const char *key, char *out, size_t size,
                     struct gl_error *err)
{
    const char *text;
    size_t length;

    if (gl_json_string(object, key, &text, err) != 0)
        return -1;
    length = strlen(text);
    /* Ids and names of clouds have no others; so no text of a stranger reaches a terminal. */
    if (length == 0 || length >= size ||
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:/") !=
            length)
        return gl_fail(err, GL_E_NOT_VERIFIED, "%s is empty, too long or no name", key);
    memcpy(out, text, length + 1);
    return 0;
}

int gl_identity_ours(const struct gl_identity_ask *ask, const char *account, struct gl_error *err)
{
    for (const char *const *ours = ask->accounts; ours != NULL && *ours != NULL; ours++)
        if (strcmp(*ours, account) == 0)
            return 0;
    return gl_fail(err, GL_E_NOT_VERIFIED, "account %s is not one of ours", account);
}

int gl_identity_base64(struct gl_view text, struct gl_str *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *packed = gl_alloc(text.length + 1);
    GL_AUTO(gl_auto_free) char *bytes = gl_alloc(text.length + 1);
    size_t count = 0, length;

    for (size_t i = 0; i < text.length; i++)
        if (text.text[i] == '\0')
            return gl_fail(err, GL_E_NOT_VERIFIED, "not base64");
        else if (strchr(" \t\r\n", text.text[i]) == NULL)
            packed[count++] = text.text[i];
    if (gl_base64_parse(packed, bytes, text.length, &length, err) != 0)
        return -1;
    gl_str_add_bytes(out, bytes, length);
    return 0;
}

/* ---- AWS ---- */

static int aws_read(const struct gl_identity_ask *ask, const json_t *content,
                    struct gl_identity *out, struct gl_error *err)
{
    char started[GL_INSTANT_TEXT];
    size_t region;

    if (gl_identity_text(content, "accountId", out->account, sizeof out->account, err) != 0 ||
        gl_identity_text(content, "region", out->region, sizeof out->region, err) != 0 ||
        gl_identity_text(content, "availabilityZone", out->zone, sizeof out->zone, err) != 0 ||
        gl_identity_text(content, "instanceId", out->instance, sizeof out->instance, err) != 0 ||
        gl_identity_text(content, "instanceType", out->type, sizeof out->type, err) != 0 ||
        gl_identity_text(content, "pendingTime", started, sizeof started, err) != 0 ||
        gl_instant_parse(started, &out->issued_at, err) != 0)
        return -1;
    region = strlen(out->region);
    if (strcmp(out->region, ask->region) != 0)
        return gl_fail(err, GL_E_NOT_VERIFIED, "it says region %s, signed by the key of %s",
                       out->region, ask->region);
    if (strncmp(out->zone, out->region, region) != 0)
        return gl_fail(err, GL_E_NOT_VERIFIED, "zone %s is not in region %s", out->zone,
                       out->region);
    if (out->issued_at.unix_s > ask->now.unix_s + GL_JWT_SKEW_S)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the machine starts in the future");
    return gl_identity_ours(ask, out->account, err);
}

/* The content comes from inside the signature only: a document sent beside it is never looked at.
 */
static int aws_verify(const struct gl_identity_ask *ask, struct gl_identity *out,
                      struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str message = {0}, content = {0};
    GL_AUTO(gl_auto_json) json_t *document = NULL;
    struct gl_view pinned = ask->pinned;
    const char *pem = gl_identity_aws_cert(ask->region);

    if (pinned.length == 0 && pem != NULL)
        pinned = (struct gl_view){pem, strlen(pem)};
    if (pinned.length == 0)
        return gl_fail(err, GL_E_UNKNOWN_DATA, "no certificate of AWS is known for region %s",
                       ask->region);
    if (gl_identity_base64(ask->document, &message, err) != 0 ||
        gl_crypto_cms_pinned((struct gl_view){gl_str_text(&message), message.length}, pinned,
                             &content, err) != 0)
        return -1;
    document = gl_json_parse(gl_str_text(&content), content.length, "document", err);
    out->grade = GL_IDENTITY_B; /* there is no challenge in it */
    return document != NULL ? aws_read(ask, document, out, err) : -1;
}

/* ---- Google ---- */

/* "us-central1-a", or a path that ends with it. */
static int google_zone(struct gl_identity *out, struct gl_error *err)
{
    char *slash = strrchr(out->zone, '/'), *dash;

    if (slash != NULL)
        memmove(out->zone, slash + 1, strlen(slash + 1) + 1);
    dash = strrchr(out->zone, '-');
    if (dash == NULL || dash == out->zone || (size_t)(dash - out->zone) >= sizeof out->region)
        return gl_fail(err, GL_E_NOT_VERIFIED, "%s is no zone", out->zone);
    snprintf(out->region, sizeof out->region, "%.*s", (int)(dash - out->zone), out->zone);
    return 0;
}

static int google_verify(const struct gl_identity_ask *ask, struct gl_identity *out,
                         struct gl_error *err)
{
    const struct gl_jwt_rules rules = {.alg = GL_RS256,
                                       .keys = ask->keys,
                                       .issuer = GOOGLE_ISSUER,
                                       .audience = ask->audience,
                                       .now = ask->now};
    GL_AUTO(gl_auto_json) json_t *claims = NULL;
    json_t *outer, *machine;

    if (gl_jwt_verify(ask->document, &rules, &claims, err) != 0 ||
        gl_json_int(claims, "iat", 0, INT64_MAX, &out->issued_at.unix_s, err) != 0)
        return -1;
    /* A service account's token made elsewhere has none: it proves an account, not a machine. */
    if (gl_json_object(claims, "google", &outer, err) != 0 ||
        gl_json_object(outer, "compute_engine", &machine, err) != 0)
        return gl_wrap(err, "the token was not given to a machine");
    if (gl_identity_text(machine, "project_id", out->account, sizeof out->account, err) != 0 ||
        gl_identity_text(machine, "zone", out->zone, sizeof out->zone, err) != 0 ||
        gl_identity_text(machine, "instance_name", out->instance, sizeof out->instance, err) != 0 ||
        google_zone(out, err) != 0)
        return -1;
    out->grade = GL_IDENTITY_A;
    return gl_identity_ours(ask, out->account, err);
}

/* ---- all ---- */

static bool has_all(const struct gl_identity_ask *ask)
{
    switch (ask->kind) {
    case GL_IDENTITY_AWS:
        return ask->region != NULL && ask->region[0] != '\0';
    case GL_IDENTITY_GCP:
        return ask->audience != NULL && ask->audience[0] != '\0';
    case GL_IDENTITY_AZURE:
        return ask->nonce != NULL && ask->nonce[0] != '\0';
    }
    return false;
}

static int verify(const struct gl_identity_ask *ask, struct gl_identity *out, struct gl_error *err)
{
    switch (ask->kind) {
    case GL_IDENTITY_AWS:
        return aws_verify(ask, out, err);
    case GL_IDENTITY_GCP:
        return google_verify(ask, out, err);
    case GL_IDENTITY_AZURE:
        return gl_identity_azure_verify(ask, out, err);
    }
    return gl_fail(err, GL_E_INTERNAL, "no such kind of identity");
}

int gl_identity_verify(const struct gl_identity_ask *ask, struct gl_identity *out,
                       struct gl_error *err)
{
    const char *provider = ask->kind == GL_IDENTITY_AWS   ? "aws"
                           : ask->kind == GL_IDENTITY_GCP ? "gcp"
                                                          : "azure";
    struct gl_identity made = {.provider = provider};

    if (!has_all(ask))
        return gl_fail(err, GL_E_INTERNAL, "identity: region, audience or nonce is not given");
    if (ask->document.length > GL_IDENTITY_MAX_DOCUMENT)
        return gl_fail(err, GL_E_TOO_LARGE, "identity of more than %zu bytes",
                       GL_IDENTITY_MAX_DOCUMENT);
    if (verify(ask, &made, err) == 0) {
        gl_hash_of(ask->document.text, ask->document.length, &made.document);
        *out = made;
        return 0;
    }
    /* Whatever was wrong with its text, the document proves nothing. */
    if (err->code == GL_E_BAD_VALUE || err->code == GL_E_BAD_REPLY || err->code == GL_E_SYNTAX ||
        err->code == GL_E_DUPLICATE_KEY)
        err->code = GL_E_NOT_VERIFIED;
    return gl_wrap(err, "%s identity", provider);
}
