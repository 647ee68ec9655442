/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jwt.h"

#include "base/sign.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Instants beyond are nonsense, and sums with the skew stay far from overflow. */
#define LAST_INSTANT ((int64_t)1 << 40)

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void gl_base64url_add(struct gl_str *str, const void *bytes, size_t length)
{
    const uint8_t *in = bytes;

    for (size_t i = 0; i < length; i += 3) {
        char group[5];

        gl_base64_text(in + i, length - i < 3 ? length - i : 3, group);
        for (const char *at = group; *at != '\0' && *at != '='; at++)
            gl_str_add_char(str, *at == '+' ? '-' : *at == '/' ? '_' : *at);
    }
}

static int digit_of(char c)
{
    const char *at = c != '\0' ? strchr(alphabet, c) : NULL;

    return at != NULL ? (int)(at - alphabet) : -1;
}

int gl_base64url_parse(struct gl_view text, void *out, size_t capacity, size_t *out_length,
                       struct gl_error *err)
{
    uint8_t *bytes = out;
    size_t length = 0;
    uint32_t bits = 0;

    if (text.length % 4 == 1)
        return gl_fail(err, GL_E_BAD_VALUE, "not base64url");
    if (text.length > GL_JWT_MAX_KEYS_BYTES || text.length * 3 / 4 > capacity)
        return gl_fail(err, GL_E_BAD_VALUE, "base64url of more than %zu bytes", capacity);
    for (size_t i = 0; i < text.length; i++) {
        int digit = digit_of(text.text[i]);

        if (digit < 0)
            return gl_fail(err, GL_E_BAD_VALUE, "not base64url");
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 != 0)
            bytes[length++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    /* One value has one text: what the last character says beyond the bytes must be zero. */
    if ((text.length % 4 == 2 && (bits & 15) != 0) || (text.length % 4 == 3 && (bits & 3) != 0))
        return gl_fail(err, GL_E_BAD_VALUE, "not base64url");
    *out_length = length;
    return 0;
}

static int add_part(struct gl_str *token, const json_t *value, struct gl_error *err)
{
    char *text = gl_json_canonical(value, err);

    if (text == NULL)
        return -1;
    gl_base64url_add(token, text, strlen(text));
    gl_wipe(text, strlen(text));
    free(text);
    return 0;
}

static json_t *header_of(enum gl_crypto_alg alg, const json_t *more)
{
    json_t *header = more != NULL ? json_deep_copy(more) : json_object();

    json_object_set_new(header, "alg", json_string(alg == GL_RS256 ? "RS256" : "ES256"));
    json_object_set_new(header, "typ", json_string("JWT"));
    return header;
}

int gl_jwt_make(const struct gl_jwt_signer *signer, const json_t *header, const json_t *claims,
                struct gl_secret *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *full = header_of(signer->alg, header);
    GL_AUTO(gl_str_done) struct gl_str token = {.ceiling = GL_JWT_MAX_BYTES};
    struct gl_crypto_signature signature;
    int result = add_part(&token, full, err);

    gl_str_add_char(&token, '.');
    if (result == 0)
        result = add_part(&token, claims, err);
    if (result == 0)
        result =
            gl_crypto_sign(signer->alg, &signer->key,
                           (struct gl_view){gl_str_text(&token), token.length}, &signature, err);
    if (result == 0) {
        gl_str_add_char(&token, '.');
        gl_base64url_add(&token, signature.bytes, signature.length);
    }
    if (result == 0 && token.is_cut)
        result = gl_fail(err, GL_E_TOO_LARGE, "a token of more than %zu bytes", GL_JWT_MAX_BYTES);
    if (result == 0) {
        gl_secret_init(out, token.text, token.length + 1);
        out->length--;
    }
    gl_wipe(token.text, token.length);
    return result;
}

/* ---- verification ---- */

struct parts {
    struct gl_view header, claims, signature, signed_text;
};

static bool split(struct gl_view token, struct parts *out)
{
    const char *first = memchr(token.text, '.', token.length);
    const char *end = token.text + token.length, *second;

    if (first == NULL)
        return false;
    second = memchr(first + 1, '.', (size_t)(end - first - 1));
    if (second == NULL || memchr(second + 1, '.', (size_t)(end - second - 1)) != NULL)
        return false;
    out->header = (struct gl_view){token.text, (size_t)(first - token.text)};
    out->claims = (struct gl_view){first + 1, (size_t)(second - first - 1)};
    out->signature = (struct gl_view){second + 1, (size_t)(end - second - 1)};
    out->signed_text = (struct gl_view){token.text, (size_t)(second - token.text)};
    return true;
}

/* A part as a JSON object; NULL on failure. */
static json_t *part_parse(struct gl_view part, const char *name, struct gl_error *err)
{
    char bytes[GL_JWT_MAX_BYTES];
    size_t length;
    json_t *value;

    if (gl_base64url_parse(part, bytes, sizeof bytes, &length, err) != 0)
        return NULL;
    value = gl_json_parse(bytes, length, name, err);
    if (value != NULL && !json_is_object(value)) {
        json_decref(value);
        gl_fail(err, GL_E_SYNTAX, "%s is not an object", name);
        return NULL;
    }
    return value;
}

static int header_check(const json_t *header, enum gl_crypto_alg alg, const char **out_kid,
                        struct gl_error *err)
{
    const char *said, *wanted = alg == GL_RS256 ? "RS256" : "ES256";
    char shown[GL_TEXT_SHOWN];

    if (gl_json_string(header, "alg", &said, err) != 0 ||
        gl_json_string(header, "kid", out_kid, err) != 0)
        return -1;
    if (strcmp(said, wanted) != 0)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the token says algorithm %s, %s is wanted",
                       gl_text_show(said, shown), wanted);
    if (json_object_get(header, "crit") != NULL)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the token demands an extension");
    return 0;
}

static bool is_text(const json_t *object, const char *key, const char *wanted, bool if_absent)
{
    const json_t *value = json_object_get(object, key);

    if (value == NULL)
        return if_absent;
    return json_is_string(value) && strcmp(json_string_value(value), wanted) == 0;
}

/* The one key of the set that the token names; two of one name would leave the choice to chance. */
static int key_choose(const json_t *set, const char *kid, const json_t **out, struct gl_error *err)
{
    const json_t *keys = json_object_get(set, "keys"), *found = NULL, *key;
    size_t i;

    if (!json_is_array(keys) || json_array_size(keys) > GL_JWT_MAX_KEYS)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the key set has no keys, or more than %d",
                       GL_JWT_MAX_KEYS);
    json_array_foreach(keys, i, key)
    {
        if (!is_text(key, "kid", kid, false))
            continue;
        if (found != NULL)
            return gl_fail(err, GL_E_NOT_VERIFIED, "the key set has two keys of one name");
        found = key;
    }
    if (found == NULL)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the key set does not have the token's key");
    *out = found;
    return 0;
}

static int number_read(const json_t *key, const char *name, uint8_t out[GL_CRYPTO_MAX_RSA],
                       struct gl_view *out_view, struct gl_error *err)
{
    const char *text;
    size_t length;

    if (gl_json_string(key, name, &text, err) != 0 ||
        gl_base64url_parse((struct gl_view){text, strlen(text)}, out, GL_CRYPTO_MAX_RSA, &length,
                           err) != 0)
        return gl_wrap(err, "key set, %s", name);
    *out_view = (struct gl_view){(const char *)out, length};
    return 0;
}

static int key_check(const json_t *key, enum gl_crypto_alg alg, struct gl_view message,
                     struct gl_view signature, struct gl_error *err)
{
    bool is_rsa = alg == GL_RS256;
    struct gl_crypto_public public = {.alg = alg};
    uint8_t first[GL_CRYPTO_MAX_RSA], second[GL_CRYPTO_MAX_RSA];
    struct gl_view *views[2] = {is_rsa ? &public.n : &public.x, is_rsa ? &public.e : &public.y};

    if (!is_text(key, "kty", is_rsa ? "RSA" : "EC", false) || !is_text(key, "use", "sig", true) ||
        !is_text(key, "alg", is_rsa ? "RS256" : "ES256", true) ||
        !is_text(key, "crv", "P-256", is_rsa))
        return gl_fail(err, GL_E_NOT_VERIFIED, "the token's key is not one for %s signatures",
                       is_rsa ? "RS256" : "ES256");
    if (number_read(key, is_rsa ? "n" : "x", first, views[0], err) != 0 ||
        number_read(key, is_rsa ? "e" : "y", second, views[1], err) != 0)
        return -1;
    return gl_crypto_verify(&public, message, signature, err);
}

static int signature_check(const struct parts *parts, const struct gl_jwt_rules *rules,
                           const char *kid, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *set = NULL;
    uint8_t signature[GL_CRYPTO_MAX_RSA];
    const json_t *key = NULL;
    size_t length;

    if (rules->keys.length > GL_JWT_MAX_KEYS_BYTES)
        return gl_fail(err, GL_E_TOO_LARGE, "a key set of more than %zu bytes",
                       GL_JWT_MAX_KEYS_BYTES);
    set = gl_json_parse(rules->keys.text, rules->keys.length, "key set", err);
    if (set == NULL ||
        gl_base64url_parse(parts->signature, signature, sizeof signature, &length, err) != 0 ||
        key_choose(set, kid, &key, err) != 0)
        return -1;
    return key_check(key, rules->alg, parts->signed_text,
                     (struct gl_view){(const char *)signature, length}, err);
}

static int times_check(const json_t *claims, int64_t now_s, struct gl_error *err)
{
    int64_t expires_s, issued_s, begins_s;

    if (gl_json_int(claims, "exp", 0, LAST_INSTANT, &expires_s, err) != 0 ||
        gl_json_int(claims, "iat", 0, LAST_INSTANT, &issued_s, err) != 0)
        return -1;
    begins_s = issued_s;
    if (json_object_get(claims, "nbf") != NULL &&
        gl_json_int(claims, "nbf", 0, LAST_INSTANT, &begins_s, err) != 0)
        return -1;
    if (now_s > expires_s + GL_JWT_SKEW_S)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the token expired %lld s ago",
                       (long long)(now_s - expires_s));
    if (issued_s > now_s + GL_JWT_SKEW_S || begins_s > now_s + GL_JWT_SKEW_S)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the token is from the future");
    return 0;
}

static int claims_check(const json_t *claims, const struct gl_jwt_rules *rules,
                        struct gl_error *err)
{
    const json_t *audience = json_object_get(claims, "aud");

    if (!is_text(claims, "iss", rules->issuer, false))
        return gl_fail(err, GL_E_NOT_VERIFIED, "the token is not from %s", rules->issuer);
    if (json_is_array(audience) && json_array_size(audience) == 1)
        audience = json_array_get(audience, 0);
    if (!json_is_string(audience) || strcmp(json_string_value(audience), rules->audience) != 0)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the token is not for this audience");
    return times_check(claims, rules->now.unix_s, err);
}

static int verify(struct gl_view token, const struct gl_jwt_rules *rules, json_t **out_claims,
                  struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *header = NULL;
    json_t *claims;
    struct parts parts;
    const char *kid;

    if (!split(token, &parts))
        return gl_fail(err, GL_E_NOT_VERIFIED, "not three parts");
    header = part_parse(parts.header, "header", err);
    /* Nothing of the claims is read before the signature holds. */
    if (header == NULL || header_check(header, rules->alg, &kid, err) != 0 ||
        signature_check(&parts, rules, kid, err) != 0)
        return -1;
    claims = part_parse(parts.claims, "claims", err);
    if (claims == NULL)
        return -1;
    if (claims_check(claims, rules, err) != 0) {
        json_decref(claims);
        return -1;
    }
    *out_claims = claims;
    return 0;
}

int gl_jwt_verify(struct gl_view token, const struct gl_jwt_rules *rules, json_t **out_claims,
                  struct gl_error *err)
{
    if (token.length > GL_JWT_MAX_BYTES)
        return gl_fail(err, GL_E_TOO_LARGE, "a token of more than %zu bytes", GL_JWT_MAX_BYTES);
    if (verify(token, rules, out_claims, err) == 0)
        return 0;
    /* Whatever was wrong with its text, the token proves nothing. */
    if (err->code != GL_E_TOO_LARGE && err->code != GL_E_NO_CREDENTIAL)
        err->code = GL_E_NOT_VERIFIED;
    return gl_wrap(err, "token");
}
