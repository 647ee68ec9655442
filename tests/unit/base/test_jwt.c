/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jwt.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define FOLDER "tests/vectors/identity"
#define NOW    1795213200

static char *read_file(const char *name, size_t *out_length)
{
    struct gl_error err = {0};
    char *path = gl_path_join(FOLDER, name), *text = NULL;

    assert_int_equal(gl_file_read(path, GL_JWT_MAX_KEYS_BYTES, &text, out_length, &err), 0);
    free(path);
    return text;
}

static struct gl_view view(const char *text)
{
    return (struct gl_view){text, strlen(text)};
}

static void test_base64url(void **state)
{
    /* RFC 4648 section 10, without padding. */
    static const char *const pairs[][2] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},      {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"\xfb\xff", "-_8"}};
    static const char *const wrong[] = {"Z", "Zg==", "Zh", "Zm9", "Zm9v\n", "+/8", "Zm 9"};
    struct gl_error err = {0};
    uint8_t bytes[16];
    size_t length;

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        GL_AUTO(gl_str_done) struct gl_str text = {0};

        gl_base64url_add(&text, pairs[i][0], strlen(pairs[i][0]));
        assert_string_equal(gl_str_text(&text), pairs[i][1]);
        assert_int_equal(gl_base64url_parse(view(pairs[i][1]), bytes, sizeof bytes, &length, &err),
                         0);
        assert_int_equal(length, strlen(pairs[i][0]));
        assert_memory_equal(bytes, pairs[i][0], length);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        gl_error_clear(&err);
        assert_int_equal(gl_base64url_parse(view(wrong[i]), bytes, sizeof bytes, &length, &err),
                         -1);
        assert_int_equal(err.code, GL_E_BAD_VALUE);
    }
    gl_error_clear(&err);
    assert_int_equal(gl_base64url_parse(view("Zm9vYmE"), bytes, 4, &length, &err), -1);
}

static json_t *claims_good(void)
{
    return json_pack("{s:s,s:s,s:I,s:I}", "iss", "https://issuer.example", "aud", "broker/nonce",
                     "iat", (json_int_t)NOW, "exp", (json_int_t)NOW + 3600);
}

/* A token signed by the key in `file`, in the caller's hands. */
static char *token_of(const char *file, enum gl_crypto_alg alg, const char *kid, json_t *claims)
{
    GL_AUTO(gl_auto_json) json_t *header = json_pack("{s:s}", "kid", kid);
    struct gl_error err = {0};
    struct gl_secret pem, token;
    struct gl_jwt_signer signer = {.alg = alg, .key = {.pem = &pem}};
    size_t length;
    char *text = read_file(file, &length), *out;

    gl_secret_init(&pem, text, length);
    free(text);
    assert_int_equal(gl_jwt_make(&signer, header, claims, &token, &err), 0);
    json_decref(claims);
    out = gl_strdup((const char *)token.bytes);
    assert_int_equal(strlen(out), token.length);
    gl_secret_done(&token);
    gl_secret_done(&pem);
    return out;
}

static int verify(const char *token, enum gl_crypto_alg alg, int64_t now_s, struct gl_error *err)
{
    size_t length;
    char *keys = read_file("jwks.json", &length);
    const struct gl_jwt_rules rules = {.alg = alg,
                                       .keys = {keys, length},
                                       .issuer = "https://issuer.example",
                                       .audience = "broker/nonce",
                                       .now = {now_s}};
    json_t *claims = NULL;
    int result = gl_jwt_verify(view(token), &rules, &claims, err);

    assert_int_equal(result == 0, claims != NULL);
    json_decref(claims);
    free(keys);
    return result;
}

static void accept(char *token, enum gl_crypto_alg alg, int64_t now_s)
{
    struct gl_error err = {0};

    if (verify(token, alg, now_s, &err) != 0)
        fail_msg("%s", err.text);
    free(token);
}

static void refuse(char *token, enum gl_crypto_alg alg, int64_t now_s, const char *why)
{
    struct gl_error err = {0};

    assert_int_equal(verify(token, alg, now_s, &err), -1);
    assert_int_equal(err.code, GL_E_NOT_VERIFIED);
    if (strstr(err.text, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
    free(token);
}

static void test_round(void **state)
{
    json_t *claims = claims_good();

    (void)state;
    accept(token_of("rsa.pem", GL_RS256, "r1", claims_good()), GL_RS256, NOW);
    accept(token_of("ec.pem", GL_ES256, "e1", claims_good()), GL_ES256, NOW);
    accept(token_of("rsa.pem", GL_RS256, "r1", claims_good()), GL_RS256, NOW - 60);
    accept(token_of("rsa.pem", GL_RS256, "r1", claims_good()), GL_RS256, NOW + 3660);
    json_object_set_new(claims, "aud", json_pack("[s]", "broker/nonce"));
    accept(token_of("rsa.pem", GL_RS256, "r1", claims), GL_RS256, NOW);
}

static json_t *with(const char *key, json_t *value)
{
    json_t *claims = claims_good();

    if (value != NULL)
        json_object_set_new(claims, key, value);
    else
        json_object_del(claims, key);
    return claims;
}

static void refuse_claim(const char *key, json_t *value, const char *why)
{
    refuse(token_of("rsa.pem", GL_RS256, "r1", with(key, value)), GL_RS256, NOW, why);
}

static void test_claims_refused(void **state)
{
    json_t *early = with("nbf", json_integer(NOW));

    (void)state;
    refuse_claim("aud", json_string("broker/other"), "audience");
    refuse_claim("aud", json_string("broker/nonce2"), "audience");
    refuse_claim("aud", json_pack("[s,s]", "broker/nonce", "other"), "audience");
    refuse_claim("aud", json_array(), "audience");
    refuse_claim("aud", NULL, "audience");
    refuse_claim("iss", json_string("https://issuer.example.evil"), "not from");
    refuse_claim("iss", NULL, "not from");
    refuse_claim("exp", NULL, "exp");
    refuse_claim("exp", json_string("1795216800"), "exp");
    refuse_claim("exp", json_integer(-5), "exp");
    refuse_claim("iat", NULL, "iat");
    refuse_claim("iat", json_integer(NOW + 61), "future");
    refuse_claim("nbf", json_integer(NOW + 61), "future");
    refuse_claim("nbf", json_true(), "nbf");
    refuse(token_of("rsa.pem", GL_RS256, "r1", claims_good()), GL_RS256, NOW + 3661, "expired");
    json_object_set_new(early, "iat", json_integer(NOW + 61));
    refuse(token_of("rsa.pem", GL_RS256, "r1", early), GL_RS256, NOW, "future");
}

static void test_keys_refused(void **state)
{
    (void)state;
    refuse(token_of("rsa.pem", GL_RS256, "unknown", claims_good()), GL_RS256, NOW, "does not have");
    refuse(token_of("rsa.pem", GL_RS256, "twice", claims_good()), GL_RS256, NOW, "two keys");
    refuse(token_of("rsa.pem", GL_RS256, "enc", claims_good()), GL_RS256, NOW, "not one for");
    refuse(token_of("rsa.pem", GL_RS256, "oct", claims_good()), GL_RS256, NOW, "not one for");
    refuse(token_of("rsa.pem", GL_RS256, "e1", claims_good()), GL_RS256, NOW, "not one for");
    refuse(token_of("ec.pem", GL_ES256, "e1", claims_good()), GL_RS256, NOW, "RS256 is wanted");
    refuse(token_of("rsa.pem", GL_RS256, "r1", claims_good()), GL_ES256, NOW, "ES256 is wanted");
}

/* A token of these very parts; the signature is made of bytes, not by a key. */
static char *token_by_hand(const char *header, const char *claims, const void *signature,
                           size_t length)
{
    struct gl_str token = {0};

    gl_base64url_add(&token, header, strlen(header));
    gl_str_add_char(&token, '.');
    gl_base64url_add(&token, claims, strlen(claims));
    gl_str_add_char(&token, '.');
    gl_base64url_add(&token, signature, length);
    return gl_str_take(&token);
}

static void test_confusions_refused(void **state)
{
    GL_AUTO(gl_auto_json) json_t *claims = claims_good();
    GL_AUTO(gl_auto_free) char *text = json_dumps(claims, JSON_COMPACT), *public = NULL;
    GL_AUTO(gl_auto_free) char *unsigned_token = NULL;
    struct gl_hash mac;
    size_t length;
    char *dot;

    (void)state;
    refuse(token_by_hand("{\"alg\":\"none\",\"kid\":\"r1\"}", text, "", 0), GL_RS256, NOW,
           "RS256 is wanted");
    refuse(token_by_hand("{\"alg\":\"RS256\",\"kid\":\"r1\"}", text, "", 0), GL_RS256, NOW,
           "not that key's");
    /* HS256 with the public key as the shared secret: rightly made, never asked for. */
    public = read_file("rsa-public.pem", &length);
    unsigned_token = token_by_hand("{\"alg\":\"HS256\",\"kid\":\"r1\"}", text, "", 0);
    dot = strrchr(unsigned_token, '.');
    gl_hmac_sha256(public, length, unsigned_token, (size_t)(dot - unsigned_token), &mac);
    refuse(token_by_hand("{\"alg\":\"HS256\",\"kid\":\"r1\"}", text, mac.bytes, sizeof mac.bytes),
           GL_RS256, NOW, "RS256 is wanted");
    refuse(token_by_hand("{\"alg\":\"RS256\",\"kid\":\"r1\"}", text, mac.bytes, sizeof mac.bytes),
           GL_RS256, NOW, "not that key's");
    refuse(token_by_hand("{\"alg\":\"RS256\"}", text, "x", 1), GL_RS256, NOW, "kid");
    refuse(token_by_hand("{\"alg\":\"RS256\",\"kid\":7}", text, "x", 1), GL_RS256, NOW, "kid");
    refuse(token_by_hand("{\"alg\":\"RS256\",\"kid\":\"r1\",\"crit\":[\"b64\"]}", text, "x", 1),
           GL_RS256, NOW, "extension");
    refuse(token_by_hand("{\"alg\":\"RS256\",\"alg\":\"none\",\"kid\":\"r1\"}", text, "x", 1),
           GL_RS256, NOW, "token");
    refuse(token_by_hand("[\"RS256\"]", text, "x", 1), GL_RS256, NOW, "not an object");
}

/* The claims of one token under the signature of another, and every cut of a good one. */
static void test_altered_refused(void **state)
{
    char *good = token_of("rsa.pem", GL_RS256, "r1", claims_good());
    char *other = token_of("rsa.pem", GL_RS256, "r1", with("sub", json_string("root")));
    GL_AUTO(gl_str_done) struct gl_str mixed = {0};
    struct gl_error err = {0};
    size_t length = strlen(good);

    (void)state;
    gl_str_add_bytes(&mixed, other, (size_t)(strrchr(other, '.') - other));
    gl_str_add(&mixed, strrchr(good, '.'));
    assert_int_equal(verify(gl_str_text(&mixed), GL_RS256, NOW, &err), -1);
    assert_non_null(strstr(err.text, "not that key's"));
    for (size_t i = 0; i < length; i += i + 8 < length ? 7 : 1) {
        char kept = good[i];

        good[i] = '\0';
        gl_error_clear(&err);
        assert_int_equal(verify(good, GL_RS256, NOW, &err), -1);
        assert_int_equal(err.code, GL_E_NOT_VERIFIED);
        good[i] = kept == 'A' ? 'B' : 'A';
        gl_error_clear(&err);
        assert_int_equal(verify(good, GL_RS256, NOW, &err), -1);
        assert_int_equal(err.code, GL_E_NOT_VERIFIED);
        good[i] = kept;
    }
    gl_error_clear(&err);
    assert_int_equal(verify(good, GL_RS256, NOW, &err), 0);
    free(good);
    free(other);
}

static void test_ceilings(void **state)
{
    GL_AUTO(gl_auto_free) char *huge = gl_alloc(GL_JWT_MAX_KEYS_BYTES + 2);
    GL_AUTO(gl_auto_json) json_t *claims = NULL;
    char *good = token_of("rsa.pem", GL_RS256, "r1", claims_good());
    struct gl_jwt_rules rules = {
        .keys = {huge, GL_JWT_MAX_KEYS_BYTES + 1}, .issuer = "i", .audience = "a", .now = {NOW}};
    struct gl_error err = {0};
    struct gl_str many = {0};

    (void)state;
    memset(huge, 'a', GL_JWT_MAX_KEYS_BYTES + 1);
    assert_int_equal(
        gl_jwt_verify((struct gl_view){huge, GL_JWT_MAX_BYTES + 1}, &rules, &claims, &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    gl_error_clear(&err);
    assert_int_equal(gl_jwt_verify(view(good), &rules, &claims, &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    gl_error_clear(&err);
    gl_str_add(&many, "{\"keys\":[");
    for (int i = 0; i <= GL_JWT_MAX_KEYS; i++)
        gl_str_addf(&many, "%s{\"kid\":\"%d\"}", i > 0 ? "," : "", i);
    gl_str_add(&many, "]}");
    rules.keys = (struct gl_view){gl_str_text(&many), many.length};
    assert_int_equal(gl_jwt_verify(view(good), &rules, &claims, &err), -1);
    assert_non_null(strstr(err.text, "more than 64"));
    gl_str_done(&many);
    free(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64url),          cmocka_unit_test(test_round),
        cmocka_unit_test(test_claims_refused),     cmocka_unit_test(test_keys_refused),
        cmocka_unit_test(test_confusions_refused), cmocka_unit_test(test_altered_refused),
        cmocka_unit_test(test_ceilings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
