/* SPDX-License-Identifier: Apache-2.0 */
#include "base/identity_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define CHALLENGE "0123456789abcdef0123456789ABCDEF"

static void url_is(const char *provider, const char *endpoint, const char *challenge,
                   const char *expected)
{
    GL_AUTO(gl_str_done) struct gl_str url = {0};
    struct gl_error err = {0};
    int result = gl_identity_url(gl_identity_source(provider), endpoint, challenge, &url, &err);

    if (expected == NULL) {
        assert_int_equal(result, -1);
        assert_int_equal(err.code, GL_E_BAD_VALUE);
        assert_int_equal(url.length, 0);
        return;
    }
    assert_int_equal(result, 0);
    assert_string_equal(gl_str_text(&url), expected);
}

static void test_urls(void **state)
{
    (void)state;
    url_is("aws", NULL, NULL, "http://169.254.169.254/latest/dynamic/instance-identity/rsa2048");
    url_is("aws", "http://127.0.0.1:8123", NULL,
           "http://127.0.0.1:8123/latest/dynamic/instance-identity/rsa2048");
    url_is("gcp", "", "greenlaunch/me/" CHALLENGE,
           "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/"
           "identity?audience=greenlaunch/me/" CHALLENGE "&format=full");
    url_is("gcp", "localhost:81", "a",
           "http://localhost:81/computeMetadata/v1/instance/service-accounts/default/"
           "identity?audience=a&format=full");
    url_is("azure", NULL, CHALLENGE,
           "http://169.254.169.254/metadata/attested/"
           "document?api-version=2025-04-07&nonce=" CHALLENGE);
}

static void test_urls_refused(void **state)
{
    (void)state;
    url_is("aws", "ftp://host", NULL, NULL);
    url_is("aws", "http://host/path", NULL, NULL);
    url_is("aws", "http://user@host", NULL, NULL);
    url_is("aws", "http://", NULL, NULL);
    url_is("azure", NULL, NULL, NULL);
    url_is("azure", NULL, "", NULL);
    url_is("azure", NULL, "a&resource=x", NULL);
    url_is("gcp", NULL, "a b", NULL);
}

static void test_sources(void **state)
{
    size_t count;
    const struct gl_identity_source *rows = gl_identity_sources(&count);

    (void)state;
    assert_int_equal(count, 3);
    assert_null(gl_identity_source("hetzner"));
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(gl_identity_source(rows[i].provider), &rows[i]);
        assert_int_equal(rows[i].has_challenge, strstr(rows[i].path, "%s") != NULL);
        /* A metadata service is asked with its header or with a session token. */
        assert_true((rows[i].header != NULL) != (rows[i].session != NULL));
        assert_int_equal(rows[i].session != NULL, rows[i].token_header != NULL);
    }
}

static void test_audience(void **state)
{
    char out[GL_IDENTITY_AUDIENCE] = "untouched", longest[128];
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_identity_audience("lab-1.example", CHALLENGE, out, &err), 0);
    assert_string_equal(out, "greenlaunch/lab-1.example/" CHALLENGE);
    memset(longest, 'a', sizeof longest);
    longest[GL_IDENTITY_AUDIENCE - 12 - 1 - GL_IDENTITY_CHALLENGE] = '\0';
    assert_int_equal(gl_identity_audience(longest, CHALLENGE, out, &err), 0);
    assert_int_equal(strlen(out), GL_IDENTITY_AUDIENCE - 1);
    longest[GL_IDENTITY_AUDIENCE - 12 - 1 - GL_IDENTITY_CHALLENGE] = 'a';
    longest[GL_IDENTITY_AUDIENCE - 12 - GL_IDENTITY_CHALLENGE] = '\0';
    assert_int_equal(gl_identity_audience(longest, CHALLENGE, out, &err), -1);
    assert_int_equal(gl_identity_audience("", CHALLENGE, out, &err), -1);
    assert_int_equal(gl_identity_audience("a/b", CHALLENGE, out, &err), -1);
    assert_int_equal(gl_identity_audience("a", "short", out, &err), -1);
    assert_int_equal(gl_identity_audience("a", "0123456789abcdef0123456789ABCDE-", out, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_urls_refused),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_audience),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
