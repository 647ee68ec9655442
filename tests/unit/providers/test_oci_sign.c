/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/oci_sign.h"

#include "base/crypto_part.h" /* signs with the published key, which is too short for us */
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define VECTORS   "tests/vectors/oci/"
#define RSA_KEY   "tests/vectors/identity/rsa.pem"
#define PUBLISHED "Thu, 05 Jan 2014 21:31:40 GMT"

/* Fresh, with a NUL behind. */
static char *read_file(const char *path)
{
    struct gl_error err = {0};
    char *text = NULL;
    size_t length;

    if (gl_file_read(path, GL_CRYPTO_MAX_PEM, &text, &length, &err) != 0)
        fail_msg("%s", err.text);
    return text;
}

static struct gl_view view(const char *text)
{
    return (struct gl_view){text, strlen(text)};
}

/* ---- the published example ---- */

static void test_published_text(void **state)
{
    char *url = read_file(VECTORS "get.url"), *wanted = read_file(VECTORS "get.signed");
    struct gl_str text = {0};
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_oci_signing_string(url, PUBLISHED, &text, &err), 0);
    assert_string_equal(gl_str_text(&text), wanted);
    gl_str_done(&text);
    free(url);
    free(wanted);
}

static void sign_as_the_library(const char *pem, const char *text, struct gl_crypto_signature *out)
{
    struct gl_crypto_api api;
    struct gl_error err = {0};
    EVP_PKEY *key;
    EVP_MD_CTX *context;
    BIO *bio;

    assert_int_equal(gl_crypto_load(&api, &err), 0);
    bio = api.BIO_new_mem_buf(pem, (int)strlen(pem));
    key = api.PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    assert_non_null(key);
    context = api.EVP_MD_CTX_new();
    out->length = sizeof out->bytes;
    assert_int_equal(api.EVP_DigestSignInit(context, NULL, api.EVP_sha256(), NULL, key), 1);
    assert_int_equal(
        api.EVP_DigestSign(context, out->bytes, &out->length, (const uint8_t *)text, strlen(text)),
        1);
    api.EVP_MD_CTX_free(context);
    api.EVP_PKEY_free(key);
    api.BIO_free(bio);
}

/* Our text and our header around a signature of the published key are the published header. */
static void test_published_header(void **state)
{
    char *url = read_file(VECTORS "get.url"), *pem = read_file(VECTORS "key.pem");
    char *wanted = read_file(VECTORS "get.header");
    const char *name = strstr(wanted, "keyId=\"") + strlen("keyId=\"");
    struct gl_crypto_signature signature;
    struct gl_str text = {0};
    struct gl_error err = {0};
    char *header;

    (void)state;
    assert_int_equal(gl_oci_signing_string(url, PUBLISHED, &text, &err), 0);
    sign_as_the_library(pem, gl_str_text(&text), &signature);
    header = gl_oci_header((struct gl_view){name, strcspn(name, "\"")}, &signature);
    assert_string_equal(header, wanted);
    free(header);
    gl_str_done(&text);
    free(url);
    free(pem);
    free(wanted);
}

static void test_a_short_key_is_refused(void **state)
{
    char *pem = read_file(VECTORS "key.pem"), *header = NULL;
    struct gl_secret secret = {0};
    const struct gl_crypto_key key = {&secret, NULL};
    struct gl_error err = {0};

    (void)state;
    gl_secret_init(&secret, pem, strlen(pem));
    assert_int_equal(gl_oci_authorize(&key, view("t/u/f"), "https://h/x", PUBLISHED, &header, &err),
                     -1);
    assert_int_equal(err.code, GL_E_NO_CREDENTIAL);
    assert_non_null(strstr(err.text, "2048"));
    assert_null(header);
    gl_secret_done(&secret);
    free(pem);
}

/* ---- our own ---- */

static void test_a_whole_header_verifies(void **state)
{
    static const char signed_text[] =
        "date: " PUBLISHED "\n(request-target): get /20200107/cleanEnergyUsages/eu-frankfurt-1\n"
        "host: 127.0.0.1:8080";
    char *pem = read_file(RSA_KEY), *header = NULL, *wanted;
    struct gl_secret secret = {0};
    const struct gl_crypto_key key = {&secret, NULL};
    struct gl_crypto_signature signature;
    struct gl_error err = {0};

    (void)state;
    gl_secret_init(&secret, pem, strlen(pem));
    assert_int_equal(
        gl_oci_authorize(&key, view("t/u/f"),
                         "http://127.0.0.1:8080/20200107/cleanEnergyUsages/eu-frankfurt-1",
                         PUBLISHED, &header, &err),
        0);
    sign_as_the_library(pem, signed_text, &signature);
    wanted = gl_oci_header(view("t/u/f"), &signature);
    assert_string_equal(header, wanted);
    free(wanted);
    free(header);
    gl_secret_done(&secret);
    free(pem);
}

static void test_hosts_and_targets(void **state)
{
    static const struct {
        const char *url, *tail;
    } cases[] = {
        {"https://h.example/a?b=c", "get /a?b=c\nhost: h.example"},
        {"https://h.example", "get /\nhost: h.example"},
        {"https://h.example?b", "get /?b\nhost: h.example"},
        {"https://h.example/a#part", "get /a\nhost: h.example"},
        {"https://h.example:443/a", "get /a\nhost: h.example"},
        {"https://h.example:80/a", "get /a\nhost: h.example:80"},
        {"https://h.example:8443/a", "get /a\nhost: h.example:8443"},
        {"http://[::1]:80/a", "get /a\nhost: [::1]"},
        {"http://127.0.0.1:4431/a", "get /a\nhost: 127.0.0.1:4431"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gl_str text = {0}, wanted = {0};
        struct gl_error err = {0};

        gl_str_addf(&wanted, "date: d\n(request-target): %s", cases[i].tail);
        assert_int_equal(gl_oci_signing_string(cases[i].url, "d", &text, &err), 0);
        assert_string_equal(gl_str_text(&text), gl_str_text(&wanted));
        gl_str_done(&wanted);
        gl_str_done(&text);
    }
}

static void test_what_is_no_address(void **state)
{
    static const char *const urls[] = {"", "ftp://h/x", "h/x", "HTTPS://h/x"};

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct gl_str text = {0};
        struct gl_error err = {0};

        assert_int_equal(gl_oci_signing_string(urls[i], "d", &text, &err), -1);
        assert_int_equal(err.code, GL_E_BAD_VALUE);
        assert_int_equal(text.length, 0);
    }
}

/* Against dates worked out by hand and by RFC 9110's own example. */
static void test_dates(void **state)
{
    static const struct {
        int64_t at_s;
        const char *text;
    } cases[] = {
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
        {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
        {1388957500, "Sun, 05 Jan 2014 21:31:40 GMT"},
        {1768046400, "Sat, 10 Jan 2026 12:00:00 GMT"},
        {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
    };
    char text[GL_OCI_DATE];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(gl_oci_date((struct gl_instant){cases[i].at_s}, text), cases[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_text),
        cmocka_unit_test(test_published_header),
        cmocka_unit_test(test_a_short_key_is_refused),
        cmocka_unit_test(test_a_whole_header_verifies),
        cmocka_unit_test(test_hosts_and_targets),
        cmocka_unit_test(test_what_is_no_address),
        cmocka_unit_test(test_dates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
