/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/providers/identity_bench.h"

#define AUDIENCE "greenlaunch/lab/" CHALLENGE

static const char *const aws_accounts[] = {"111122223333", "123456789012", NULL};
static const char *const gcp_accounts[] = {"my-project", NULL};

/* ---- AWS ---- */

struct aws {
    struct gl_view document, pinned;
    struct gl_identity_ask ask;
};

static void aws_init(struct aws *aws, const char *document)
{
    aws->document = read_file(document);
    aws->pinned = read_file("aws-here.pem");
    aws->ask = (struct gl_identity_ask){.kind = GL_IDENTITY_AWS,
                                        .document = aws->document,
                                        .accounts = aws_accounts,
                                        .now = {NOW},
                                        .region = "eu-west-1",
                                        .pinned = aws->pinned};
}

static void aws_done(struct aws *aws)
{
    free_view(&aws->document);
    free_view(&aws->pinned);
}

static void test_aws_accepted(void **state)
{
    static const char *const names[] = {"aws-good.b64", "aws-plain.b64"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        GL_AUTO(aws_done) struct aws aws;
        struct gl_identity out;
        struct gl_hash hash;

        aws_init(&aws, names[i]);
        accepted(&aws.ask, &out);
        assert_int_equal(out.grade, GL_IDENTITY_B); /* it could be replayed */
        assert_string_equal(out.provider, "aws");
        assert_string_equal(out.account, "123456789012");
        assert_string_equal(out.region, "eu-west-1");
        assert_string_equal(out.zone, "eu-west-1b");
        assert_string_equal(out.instance, "i-1234567890abcdef0");
        assert_string_equal(out.type, "m7g.large");
        assert_int_equal(out.issued_at.unix_s, 1795105931);
        gl_hash_of(aws.document.text, aws.document.length, &hash);
        assert_true(gl_hash_equal(&hash, &out.document));
    }
}

/* A blob signed by a stranger's certificate that comes inside it must fail. */
static void test_aws_forged(void **state)
{
    GL_AUTO(aws_done) struct aws aws;

    (void)state;
    aws_init(&aws, "aws-forged.b64");
    refused(&aws.ask, "signer certificate not found");
}

/* What stands on AWS's own page accepts the very same blob, and refuses it with -nointern: that is
 * what the test above is about. */
static int openssl_smime(const char *option)
{
    char command[512];

    snprintf(command, sizeof command,
             "openssl base64 -d -in " FOLDER "/aws-forged.b64 2>&1 | openssl smime -verify"
             " -inform DER -certfile " FOLDER "/aws-here.pem -noverify %s >/dev/null 2>&1",
             option);
    return system(command);
}

static void test_published_recipe_is_fooled(void **state)
{
    (void)state;
    if (system("openssl version >/dev/null 2>&1") != 0)
        skip();
    assert_int_equal(openssl_smime(""), 0);
    assert_int_not_equal(openssl_smime("-nointern"), 0);
}

static void aws_refused(const char *document, const char *why)
{
    GL_AUTO(aws_done) struct aws aws;

    aws_init(&aws, document);
    refused(&aws.ask, why);
}

static void test_aws_refused(void **state)
{
    GL_AUTO(aws_done) struct aws aws;
    AUTO_VIEW there = read_file("aws-there.pem");

    (void)state;
    aws_refused("aws-other-region.b64", "signer certificate not found");
    aws_refused("aws-other-content.b64", "it says region eu-central-1");
    aws_refused("aws-other-zone.b64", "is not in region eu-west-1");
    aws_refused("aws-two-signers.b64", "2 signers");
    aws_refused("aws-sha1.b64", "weaker than SHA-256");
    aws_refused("aws-detached.b64", "does not hold what it signs");
    aws_refused("aws-unsigned.b64", "not signed data");
    aws_refused("azure-root.pem", "base64");
    aws_init(&aws, "aws-good.b64");
    aws.ask.pinned = there;
    refused(&aws.ask, "signer certificate not found");
    aws.ask.pinned = aws.pinned;
    aws.ask.now.unix_s = 1795105931 - 61;
    refused(&aws.ask, "future");
    aws.ask.now.unix_s = NOW;
    aws.ask.accounts = gcp_accounts;
    refused(&aws.ask, "not one of ours");
    aws.ask.accounts = NULL;
    refused(&aws.ask, "not one of ours");
}

/* The very same document pins nothing when the region's own certificate is asked. */
static void test_aws_built_in(void **state)
{
    GL_AUTO(aws_done) struct aws aws;
    struct gl_identity out;
    struct gl_error err = {0};

    (void)state;
    aws_init(&aws, "aws-good.b64");
    aws.ask.pinned = (struct gl_view){NULL, 0};
    refused(&aws.ask, "signer certificate not found");
    aws.ask.region = "xx-nowhere-9";
    assert_int_equal(gl_identity_verify(&aws.ask, &out, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_DATA);
    assert_non_null(strstr(err.text, "xx-nowhere-9"));
}

/* Flip each byte of the message once: no change of it may be accepted with another content. */
static void test_aws_altered(void **state)
{
    GL_AUTO(aws_done) struct aws aws;
    uint8_t der[4096];
    char text[8192], packed[8192];
    size_t length, count = 0;
    struct gl_error err = {0};
    unsigned passed = 0;

    (void)state;
    aws_init(&aws, "aws-plain.b64");
    for (size_t i = 0; i < aws.document.length; i++)
        if (aws.document.text[i] != '\n')
            packed[count++] = aws.document.text[i];
    packed[count] = '\0';
    assert_int_equal(gl_base64_parse(packed, der, sizeof der, &length, &err), 0);
    for (size_t i = 0; i < length; i++) {
        struct gl_identity out = {0};

        der[i] ^= 0x04;
        gl_base64_text(der, length, text);
        aws.ask.document = (struct gl_view){text, strlen(text)};
        gl_error_clear(&err);
        if (gl_identity_verify(&aws.ask, &out, &err) == 0) {
            passed++; /* a version number, the unsigned list of digests: nothing that is signed */
            assert_string_equal(out.instance, "i-1234567890abcdef0");
            assert_string_equal(out.zone, "eu-west-1b");
            assert_string_equal(out.type, "m7g.large");
        }
        der[i] ^= 0x04;
    }
    assert_in_range(passed, 0, 24);
}

static void test_aws_cut(void **state)
{
    GL_AUTO(aws_done) struct aws aws;
    GL_AUTO(gl_auto_free) char *huge = gl_alloc(GL_IDENTITY_MAX_DOCUMENT + 1);
    struct gl_identity out;
    struct gl_error err = {0};

    (void)state;
    aws_init(&aws, "aws-good.b64");
    for (size_t length = 0; length + 1 < aws.document.length; length += 13) {
        aws.ask.document.length = length;
        gl_error_clear(&err);
        assert_int_equal(gl_identity_verify(&aws.ask, &out, &err), -1);
        assert_int_equal(err.code, GL_E_NOT_VERIFIED);
    }
    memset(huge, 'A', GL_IDENTITY_MAX_DOCUMENT + 1);
    aws.ask.document = (struct gl_view){huge, GL_IDENTITY_MAX_DOCUMENT + 1};
    gl_error_clear(&err);
    assert_int_equal(gl_identity_verify(&aws.ask, &out, &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    aws.ask.document.length--;
    gl_error_clear(&err);
    assert_int_equal(gl_identity_verify(&aws.ask, &out, &err), -1);
    /* Bytes after the message. */
    memcpy(huge, aws.document.text, aws.document.length);
    aws.ask.document.length = aws.document.length;
    gl_error_clear(&err);
    assert_int_equal(gl_identity_verify(&aws.ask, &out, &err), 0);
    huge[aws.document.length] = 'A';
    aws.ask.document.length = aws.document.length + 4;
    memset(huge + aws.document.length, 'A', 4);
    assert_int_equal(gl_identity_verify(&aws.ask, &out, &err), -1);
}

static size_t der_of(const char *pem, uint8_t out[2048])
{
    GL_AUTO(gl_str_done) struct gl_str packed = {0};
    const char *at = strchr(pem, '\n'), *end = strstr(pem, "-----END");
    struct gl_error err = {0};
    size_t length;

    assert_true(at != NULL && end != NULL);
    for (; at < end; at++)
        if (*at != '\n')
            gl_str_add_char(&packed, *at);
    assert_int_equal(gl_base64_parse(gl_str_text(&packed), out, 2048, &length, &err), 0);
    return length;
}

/* SEQUENCE { what is signed, sha256WithRSAEncryption, BIT STRING of 256 bytes }, by its own key:
 * one wrong character anywhere would break that. */
static void is_self_signed(const char *pem)
{
    static const uint8_t modulus[] = {0x02, 0x82, 0x01, 0x01, 0x00};
    static const uint8_t tail[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
                                   0x01, 0x01, 0x0b, 0x05, 0x00, 0x03, 0x82, 0x01, 0x01, 0x00};
    uint8_t der[2048], *n;
    size_t length = der_of(pem, der), body = length - 4 - sizeof tail - 256;
    const uint8_t *signature = der + length - 256;
    struct gl_crypto_public key = {.alg = GL_RS256, .e = {"\x01\x00\x01", 3}};
    struct gl_error err = {0};

    assert_memory_equal(signature - sizeof tail, tail, sizeof tail);
    n = memmem(der, length, modulus, sizeof modulus);
    assert_non_null(n);
    key.n = (struct gl_view){(const char *)n + sizeof modulus, 256};
    assert_int_equal(gl_crypto_verify(&key, (struct gl_view){(const char *)der + 4, body},
                                      (struct gl_view){(const char *)signature, 256}, &err),
                     0);
}

/* Every row is whole, for one region, and another certificate than all others. */
static void test_aws_table(void **state)
{
    size_t count;
    const struct gl_identity_cert *rows = gl_identity_aws_certs(&count);

    (void)state;
    assert_in_range(count, 38, 200);
    for (size_t i = 0; i < count; i++) {
        struct gl_crypto_thumbprint one, other;
        struct gl_error err = {0};

        assert_ptr_equal(gl_identity_aws_cert(rows[i].region), rows[i].pem);
        assert_int_equal(
            gl_crypto_thumbprint((struct gl_view){rows[i].pem, strlen(rows[i].pem)}, &one, &err),
            0);
        is_self_signed(rows[i].pem);
        if (i > 0)
            assert_true(strcmp(rows[i - 1].region, rows[i].region) < 0);
        for (size_t k = 0; k < i; k++) {
            gl_crypto_thumbprint((struct gl_view){rows[k].pem, strlen(rows[k].pem)}, &other, &err);
            assert_false(gl_hash_equal(&one.sha256, &other.sha256));
        }
    }
    assert_null(gl_identity_aws_cert(""));
    assert_null(gl_identity_aws_cert("eu-west-11"));
}

/* ---- Google ---- */

static json_t *google_claims(void)
{
    return json_pack("{s:s,s:s,s:I,s:I,s:s,s:{s:{s:s,s:s,s:s,s:s,s:I}}}", "iss",
                     "https://accounts.google.com", "aud", AUDIENCE, "iat", (json_int_t)NOW - 5,
                     "exp", (json_int_t)NOW + 3595, "email", "x@developer.gserviceaccount.com",
                     "google", "compute_engine", "project_id", "my-project", "zone",
                     "europe-north1-a", "instance_id", "152986662232938449", "instance_name",
                     "gl-1-1", "instance_creation_timestamp", (json_int_t)NOW - 60);
}

static struct gl_view token_of(const json_t *claims)
{
    GL_AUTO(gl_auto_json) json_t *header = json_pack("{s:s}", "kid", "r1");
    AUTO_VIEW file = read_file("rsa.pem");
    struct gl_error err = {0};
    struct gl_secret pem, token;
    struct gl_jwt_signer signer = {.alg = GL_RS256, .key = {.pem = &pem}};
    struct gl_view out;

    gl_secret_init(&pem, file.text, file.length);
    assert_int_equal(gl_jwt_make(&signer, header, claims, &token, &err), 0);
    out = (struct gl_view){gl_strdup((const char *)token.bytes), token.length};
    gl_secret_done(&token);
    gl_secret_done(&pem);
    return out;
}

static struct gl_identity_ask google_ask(struct gl_view token, struct gl_view keys)
{
    return (struct gl_identity_ask){.kind = GL_IDENTITY_GCP,
                                    .document = token,
                                    .accounts = gcp_accounts,
                                    .now = {NOW},
                                    .audience = AUDIENCE,
                                    .keys = keys};
}

static void test_google_accepted(void **state)
{
    AUTO_VIEW keys = read_file("jwks.json");
    static const char *const zones[] = {"europe-north1-a", "projects/1/zones/europe-north1-a"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        GL_AUTO(gl_auto_json) json_t *claims = google_claims();
        AUTO_VIEW token = {NULL, 0};
        struct gl_identity_ask ask;
        struct gl_identity out;

        json_object_set_new(json_object_get(json_object_get(claims, "google"), "compute_engine"),
                            "zone", json_string(zones[i]));
        token = token_of(claims);
        ask = google_ask(token, keys);
        accepted(&ask, &out);
        assert_int_equal(out.grade, GL_IDENTITY_A);
        assert_string_equal(out.provider, "gcp");
        assert_string_equal(out.account, "my-project");
        assert_string_equal(out.region, "europe-north1");
        assert_string_equal(out.zone, "europe-north1-a");
        assert_string_equal(out.instance, "gl-1-1"); /* as ids of Google are made of */
        assert_string_equal(out.type, "");
        assert_int_equal(out.issued_at.unix_s, NOW - 5);
    }
}

static void google_refused(const char *object, const char *key, json_t *value, const char *why)
{
    AUTO_VIEW keys = read_file("jwks.json");
    AUTO_VIEW token = {NULL, 0};
    GL_AUTO(gl_auto_json) json_t *claims = google_claims();
    json_t *at = claims;
    struct gl_identity_ask ask;

    if (object != NULL)
        at = json_object_get(json_object_get(claims, "google"), "compute_engine");
    if (value != NULL)
        json_object_set_new(at, key, value);
    else
        json_object_del(at, key);
    token = token_of(claims);
    ask = google_ask(token, keys);
    refused(&ask, why);
}

static void test_google_refused(void **state)
{
    (void)state;
    google_refused(NULL, "google", NULL, "not given to a machine");
    google_refused(NULL, "google", json_object(), "not given to a machine");
    google_refused(NULL, "google", json_pack("{s:s}", "compute_engine", "yes"),
                   "not given to a machine");
    google_refused(NULL, "aud", json_string("greenlaunch/lab/another"), "audience");
    google_refused(NULL, "iss", json_string("https://accounts.google.com.example"), "not from");
    google_refused(NULL, "exp", json_integer(NOW - 61), "expired");
    google_refused("ce", "project_id", json_string("their-project"), "not one of ours");
    google_refused("ce", "zone", json_string("nowhere"), "no zone");
    google_refused("ce", "zone", json_string("a b"), "no name");
    google_refused("ce", "instance_name", NULL, "instance_name");
    google_refused("ce", "instance_name", json_integer(5), "instance_name");
    google_refused("ce", "instance_name", json_string("\x1b[31m"), "no name");
}

static void test_kinds(void **state)
{
    enum gl_identity_kind kind;
    struct gl_identity_ask ask = {.kind = GL_IDENTITY_GCP};
    struct gl_identity out;
    struct gl_error err = {0};

    (void)state;
    assert_true(gl_identity_kind_of("azure", &kind));
    assert_int_equal(kind, GL_IDENTITY_AZURE);
    assert_false(gl_identity_kind_of("openstack", &kind));
    assert_string_equal(gl_identity_grade_text(GL_IDENTITY_D), "D");
    /* An empty challenge would match an empty one: the caller forgot it. */
    assert_int_equal(gl_identity_verify(&ask, &out, &err), -1);
    assert_int_equal(err.code, GL_E_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aws_accepted),
        cmocka_unit_test(test_aws_forged),
        cmocka_unit_test(test_published_recipe_is_fooled),
        cmocka_unit_test(test_aws_refused),
        cmocka_unit_test(test_aws_built_in),
        cmocka_unit_test(test_aws_altered),
        cmocka_unit_test(test_aws_cut),
        cmocka_unit_test(test_aws_table),
        cmocka_unit_test(test_google_accepted),
        cmocka_unit_test(test_google_refused),
        cmocka_unit_test(test_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
