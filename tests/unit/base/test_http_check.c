/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum gl_errc check(const char *url, bool carries_secret)
{
    struct gl_http_request request = {
        .method = "GET", .url = url, .carries_secret = carries_secret};
    struct gl_error err = {0};
    int rc = gl_http_check(&request, &err);

    assert_int_equal(rc, err.code == GL_OK ? 0 : -1);
    assert_null(strstr(err.text, "hidden"));
    return err.code;
}

static void secrets_stay_on_the_machine_over_plain_http(void **state)
{
    static const char *const near[] = {
        "http://127.0.0.1/",
        "http://127.9.8.7:80/x",
        "http://[::1]:8080/",
        "http://localhost:1/",
        "http://LOCALHOST",
        "http://169.254.169.254/latest/api/token",
        "http://169.254.170.2/v2",
        "http://[fd00:ec2::254]/latest/api/token",
        "http://127.0.0.1?x",
        "http://metadata.google.internal/computeMetadata/v1/",
        "https://example.org/",
        "https://10.0.0.1/",
        "http://[fd00:ec2::23]/v1/credentials",
    };
    static const char *const far[] = {
        "http://example.org/?k=hidden",
        "http://10.0.0.1/",
        "http://127.0.0.1.example.org",
        "http://localhost.example.org/",
        "http://128.0.0.1/",
        "http://169.253.169.254/",
        "http://169.255.0.1/",
        "http://[::2]/",
        "http://[fd00:ec2::255]/",
        "http://[fd00:ec2::24]/v1/credentials",
        "http://[::ffff:10.0.0.1]/",
        "http://127.1/",
        "http://2130706433/",
        "http:///x",
        "http://[::1",
        "http://example.org#@localhost",
        "http://example.org\\@127.0.0.1/",
        "http://metadata.google.internal.example.org/",
        "http://a-name-that-is-a-good-deal-longer-than-any-that-could-be-looked-for.example/",
    };

    (void)state;
    for (size_t i = 0; i < sizeof near / sizeof near[0]; i++)
        if (check(near[i], true) != GL_OK)
            fail_msg("%s", near[i]);
    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++)
        if (check(far[i], true) != GL_E_BAD_VALUE)
            fail_msg("%s", far[i]);
    assert_int_equal(check("http://example.org/", false), GL_OK);
}

static void user_names_in_addresses_are_refused(void **state)
{
    (void)state;
    assert_int_equal(check("https://me:hidden@example.org/", false), GL_E_BAD_VALUE);
    assert_int_equal(check("https://hidden@example.org", false), GL_E_BAD_VALUE);
    assert_int_equal(check("http://hidden@hidden@127.0.0.1:1", false), GL_E_BAD_VALUE);
    assert_int_equal(check("https://example.org/a@b?c@d", false), GL_OK);
}

static void an_origin_is_scheme_host_and_port(void **state)
{
    (void)state;
    assert_int_equal(gl_http_origin("https://a:1/b"), 11);
    assert_int_equal(gl_http_origin("https://a?b"), 9);
    assert_int_equal(gl_http_origin("http://a"), 8);
}

/* ---- header text ---- */

static void add_line(struct gl_http_headers *headers, const char *line)
{
    gl_http_headers_line(headers, line, strlen(line));
}

static void all_headers_can_be_asked_for(void **state)
{
    struct gl_http_headers headers = {0};
    struct gl_http_reply reply;
    char value[20];

    (void)state;
    gl_http_headers_init(&headers, &reply, 100);
    add_line(&headers, "X-Interim: gone");
    gl_http_headers_init(&headers, &reply, 200);
    add_line(&headers, "X-Subject-TOKEN:\t some value \t");
    add_line(&headers, "X-Empty:");
    add_line(&headers, "x-twice: 1");
    add_line(&headers, "X-Twice: 2");
    add_line(&headers, " folded: dropped");
    add_line(&headers, "no colon");
    add_line(&headers, ": no name");
    add_line(&headers, "X-Return: a\rX-Smuggled: b");
    gl_http_headers_line(&headers, "X-Nul: a\0b", 10);
    gl_http_headers_line(&headers, "", 0);
    add_line(&headers, "X-Long: 12345678901234567890");
    gl_http_headers_end(&headers);
    gl_http_headers_done(&headers);
    assert_string_equal(reply.header_text, "x-subject-token: some value\nx-empty: \nx-twice: 1\n"
                                           "x-twice: 2\nx-long: 12345678901234567890\n");
    assert_true(gl_http_reply_header(&reply, "X-Subject-Token", value, sizeof value));
    assert_string_equal(value, "some value");
    assert_true(gl_http_reply_header(&reply, "x-twice", value, sizeof value));
    assert_string_equal(value, "1");
    assert_true(gl_http_reply_header(&reply, "X-Empty", value, sizeof value));
    assert_string_equal(value, "");
    assert_false(gl_http_reply_header(&reply, "X-Long", value, sizeof value));
    assert_false(gl_http_reply_header(&reply, "X-Sub", value, sizeof value));
    assert_false(gl_http_reply_header(&reply, "Token", value, sizeof value));
    assert_string_equal(value, "");
    reply.is_secret = true;
    gl_http_reply_done(&reply);
    assert_null(reply.header_text);
    assert_false(gl_http_reply_header(&reply, "x-twice", value, sizeof value));
}

static void headers_over_the_ceiling_are_marked(void **state)
{
    struct gl_http_headers headers = {0};
    struct gl_http_reply reply;

    (void)state;
    gl_http_headers_init(&headers, &reply, 200);
    for (int i = 0; i < 2048; i++)
        add_line(&headers, "X-Sixteen: 4567");
    assert_false(headers.text.is_cut); /* 16 bytes each: just full */
    add_line(&headers, "X: y");
    assert_true(headers.text.is_cut);
    gl_http_headers_done(&headers);
    gl_http_reply_done(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_stay_on_the_machine_over_plain_http),
        cmocka_unit_test(user_names_in_addresses_are_refused),
        cmocka_unit_test(an_origin_is_scheme_host_and_port),
        cmocka_unit_test(all_headers_can_be_asked_for),
        cmocka_unit_test(headers_over_the_ceiling_are_marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
