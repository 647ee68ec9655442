/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crypto.h"

#include "base/file.h"
#include "base/jwt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define FOLDER "tests/vectors/identity"

static char *read_file(const char *name, size_t *out_length)
{
    struct gl_error err = {0};
    char *path = gl_path_join(FOLDER, name), *text = NULL;

    assert_int_equal(gl_file_read(path, GL_CRYPTO_MAX_PEM, &text, out_length, &err), 0);
    free(path);
    return text;
}

static struct gl_view view(const char *text)
{
    return (struct gl_view){text, strlen(text)};
}

static void read_secret(const char *name, struct gl_secret *out)
{
    size_t length;
    char *text = read_file(name, &length);

    gl_secret_init(out, text, length);
    free(text);
}

/* RFC 7515 appendices A.2 and A.3 sign the same claims. */
#define CLAIMS                                                                                     \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl" \
    "fQ"

static size_t from_base64url(const char *text, uint8_t out[256])
{
    struct gl_error err = {0};
    size_t length;

    assert_int_equal(gl_base64url_parse(view(text), out, 256, &length, &err), 0);
    return length;
}

static void is_verified(const struct gl_crypto_public *key, const char *message,
                        const uint8_t *signature, size_t length)
{
    struct gl_error err = {0};

    assert_int_equal(gl_crypto_verify(key, view(message),
                                      (struct gl_view){(const char *)signature, length}, &err),
                     0);
}

static void is_not(const struct gl_crypto_public *key, const char *message,
                   const uint8_t *signature, size_t length, const char *why)
{
    struct gl_error err = {0};

    assert_int_equal(gl_crypto_verify(key, view(message),
                                      (struct gl_view){(const char *)signature, length}, &err),
                     -1);
    assert_int_equal(err.code, GL_E_NOT_VERIFIED);
    assert_non_null(strstr(err.text, why));
}

static void test_published_rs256(void **state)
{
    static const char message[] = "eyJhbGciOiJSUzI1NiJ9." CLAIMS;
    static const char modulus[] =
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1"
        "Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaS"
        "HSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4L"
        "T6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    static const char signed_by[] =
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O"
        "8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARN"
        "PvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ"
        "1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    uint8_t n[256], signature[256];
    size_t length = from_base64url(signed_by, signature);
    struct gl_crypto_public key = {.alg = GL_RS256, .e = {"\x01\x00\x01", 3}};

    (void)state;
    key.n = (struct gl_view){(const char *)n, from_base64url(modulus, n)};
    is_verified(&key, message, signature, length);
    is_not(&key, CLAIMS, signature, length, "not that key's");
    signature[100] ^= 1;
    is_not(&key, message, signature, length, "not that key's");
    signature[100] ^= 1;
    is_not(&key, message, signature, 0, "not that key's");
    /* With an exponent of 1 any message would have a signature. */
    key.e = (struct gl_view){"\x01", 1};
    is_not(&key, message, signature, length, "the public key is not RSA");
    key.e = (struct gl_view){"\x01\x00\x01", 3};
    key.n.length = 128;
    is_not(&key, message, signature, 128, "the public key is not RSA");
}

static void test_published_es256(void **state)
{
    static const char message[] = "eyJhbGciOiJFUzI1NiJ9." CLAIMS;
    uint8_t x[256], y[256], signature[256];
    size_t length = from_base64url("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISl"
                                   "SApmWQxfKTUJqPP3-Kg6NU1Q",
                                   signature);
    struct gl_crypto_public key = {.alg = GL_ES256};

    (void)state;
    key.x = (struct gl_view){(const char *)x,
                             from_base64url("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", x)};
    key.y = (struct gl_view){(const char *)y,
                             from_base64url("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", y)};
    is_verified(&key, message, signature, length);
    signature[40] ^= 1;
    is_not(&key, message, signature, length, "not that key's");
    signature[40] ^= 1;
    is_not(&key, message, signature, 63, "not that key's");
    is_not(&key, message, signature, 0, "not that key's");
    /* A point that is not on the curve is no key, nor is a short coordinate. */
    y[31] ^= 1;
    is_not(&key, message, signature, length, "not a point of P-256");
    y[31] ^= 1;
    key.x.length = 31;
    is_not(&key, message, signature, length, "not a point of P-256");
}

/* Every form of the same key gives the same signature: PKCS#1 v1.5 has no randomness. */
static void test_key_forms(void **state)
{
    static const char *const files[] = {"rsa.pem", "rsa-pkcs1.pem", "rsa-locked.pem"};
    struct gl_crypto_signature first = {.length = 0}, made;
    struct gl_error err = {0};
    struct gl_secret passphrase;

    (void)state;
    gl_secret_init(&passphrase, "correct-horse", 13);
    for (size_t i = 0; i < 3; i++) {
        struct gl_secret pem;
        struct gl_crypto_key key = {.pem = &pem, .passphrase = &passphrase};

        read_secret(files[i], &pem);
        assert_int_equal(gl_crypto_sign(GL_RS256, &key, view("message"), &made, &err), 0);
        assert_int_equal(made.length, 256);
        if (i == 0)
            first = made;
        assert_memory_equal(made.bytes, first.bytes, 256);
        gl_secret_done(&pem);
    }
    gl_secret_done(&passphrase);
}

static void refuse_key(const char *file, enum gl_crypto_alg alg, const struct gl_secret *passphrase,
                       const char *why)
{
    struct gl_secret pem;
    struct gl_crypto_key key = {.pem = &pem, .passphrase = passphrase};
    struct gl_crypto_signature made;
    struct gl_error err = {0};

    read_secret(file, &pem);
    assert_int_equal(gl_crypto_sign(alg, &key, view("message"), &made, &err), -1);
    assert_int_equal(err.code, GL_E_NO_CREDENTIAL);
    assert_non_null(strstr(err.text, why));
    /* Nothing of key or passphrase in the message. */
    assert_null(strstr(err.text, "wrong-horse"));
    assert_null(strstr(err.text, "MII"));
    gl_secret_done(&pem);
}

static void test_keys_refused(void **state)
{
    struct gl_secret wrong, empty = {0};
    struct gl_crypto_key none = {.pem = &empty};
    struct gl_crypto_signature made;
    struct gl_error err = {0};

    (void)state;
    gl_secret_init(&wrong, "wrong-horse", 11);
    refuse_key("rsa-locked.pem", GL_RS256, NULL,
               "cannot be read"); /* nothing asks at the terminal */
    refuse_key("rsa-locked.pem", GL_RS256, &wrong, "cannot be read");
    refuse_key("rsa-1024.pem", GL_RS256, NULL, "RSA of 2048");
    refuse_key("rsa-public.pem", GL_RS256, NULL, "cannot be read");
    refuse_key("ec.pem", GL_RS256, NULL, "RSA of 2048");
    refuse_key("rsa.pem", GL_ES256, NULL, "P-256");
    refuse_key("ec-p384.pem", GL_ES256, NULL, "is not on the curve P-256");
    refuse_key("jwks.json", GL_RS256, NULL, "cannot be read");
    assert_int_equal(gl_crypto_sign(GL_RS256, &none, view("message"), &made, &err), -1);
    assert_int_equal(err.code, GL_E_NO_CREDENTIAL);
    gl_secret_done(&wrong);
}

/* As the openssl program and coreutils saw it when the fixture was made. */
static void test_thumbprint(void **state)
{
    struct gl_crypto_thumbprint thumbprint;
    struct gl_error err = {0};
    char hex[80] = "";
    size_t length, expected_length;
    char *pem = read_file("aws-here.pem", &length);
    char *expected = read_file("aws-here.thumbprints", &expected_length);

    (void)state;
    assert_int_equal(gl_crypto_thumbprint((struct gl_view){pem, length}, &thumbprint, &err), 0);
    assert_int_equal(expected_length, 106);
    gl_hex_text(thumbprint.sha1, 20, hex);
    assert_memory_equal(hex, expected, 40);
    gl_hex_text(thumbprint.sha256.bytes, 32, hex);
    assert_memory_equal(hex, expected + 41, 64);
    free(expected);
    free(pem);
    assert_int_equal(gl_crypto_thumbprint(view("no certificate"), &thumbprint, &err), -1);
    assert_int_equal(err.code, GL_E_CONFIG);
    gl_error_clear(&err);
    assert_int_equal(gl_crypto_thumbprint(view(""), &thumbprint, &err), -1);
}

/* What providers/cloud/identity.c cannot bring about, because base64 stands before it. */
static void test_message_frame(void **state)
{
    GL_AUTO(gl_auto_free) char *pinned = NULL, *text = NULL, *packed = NULL, *both = NULL;
    GL_AUTO(gl_auto_free) char *large = gl_alloc(GL_CRYPTO_MAX_CMS + 1);
    GL_AUTO(gl_str_done) struct gl_str content = {0};
    char der[4096] = "";
    struct gl_error err = {0};
    size_t pinned_length, length, count = 0;

    (void)state;
    pinned = read_file("aws-here.pem", &pinned_length);
    text = read_file("aws-good.b64", &length);
    packed = gl_alloc(length + 1);
    for (size_t i = 0; i < length; i++)
        if (text[i] != '\n')
            packed[count++] = text[i];
    assert_int_equal(gl_base64_parse(packed, der, sizeof der, &length, &err), 0);
    assert_int_equal(gl_crypto_cms_pinned((struct gl_view){der, length},
                                          (struct gl_view){pinned, pinned_length}, &content, &err),
                     0);
    assert_int_equal(content.text[0], '{');
    /* A byte too many, a message too long, two certificates to choose from, none. */
    assert_int_equal(gl_crypto_cms_pinned((struct gl_view){der, length + 1},
                                          (struct gl_view){pinned, pinned_length}, &content, &err),
                     -1);
    assert_int_equal(err.code, GL_E_NOT_VERIFIED);
    gl_error_clear(&err);
    assert_int_equal(gl_crypto_cms_pinned((struct gl_view){large, GL_CRYPTO_MAX_CMS + 1},
                                          (struct gl_view){pinned, pinned_length}, &content, &err),
                     -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    both = gl_alloc(2 * pinned_length + 1);
    memcpy(both, pinned, pinned_length);
    memcpy(both + pinned_length, pinned, pinned_length);
    gl_error_clear(&err);
    assert_int_equal(gl_crypto_cms_pinned((struct gl_view){der, length},
                                          (struct gl_view){both, 2 * pinned_length}, &content,
                                          &err),
                     -1);
    assert_non_null(strstr(err.text, "exactly one certificate"));
    gl_error_clear(&err);
    assert_int_equal(gl_crypto_cms_pinned((struct gl_view){der, length}, view(""), &content, &err),
                     -1);
    assert_int_equal(err.code, GL_E_NOT_VERIFIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_rs256), cmocka_unit_test(test_published_es256),
        cmocka_unit_test(test_key_forms),       cmocka_unit_test(test_keys_refused),
        cmocka_unit_test(test_thumbprint),      cmocka_unit_test(test_message_frame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
