/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/aws_credential.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct gl_aws_config *parse(const char *text)
{
    struct gl_aws_config *config = NULL;
    struct gl_error err = {0};

    if (gl_aws_config_parse(text, strlen(text), "file", &config, &err) < 0)
        fail_msg("%s", err.text);
    return config;
}

static void sections_and_keys(void **state)
{
    struct gl_aws_config *config =
        parse("\xef\xbb\xbf# a comment\n[default]\nregion = eu-north-1 # here\r\n; another\n"
              "  two = a line that goes on\n[profile   green ]\nREGION=eu-west-1\n"
              "credential_process = /bin/x --note \"a # b\"\n"
              "s3 =\n  addressing_style = path\n  max = 1\nempty =\nlast = 1\nlast = 2\n");

    (void)state;
    assert_true(gl_aws_config_has(config, "profile green"));
    assert_false(gl_aws_config_has(config, "green"));
    assert_string_equal(gl_aws_config_get(config, "default", "region"), "eu-north-1");
    assert_null(gl_aws_config_get(config, "default", "two"));
    assert_string_equal(gl_aws_config_get(config, "profile green", "region"), "eu-west-1");
    assert_string_equal(gl_aws_config_get(config, "profile green", "credential_process"),
                        "/bin/x --note \"a # b\"");
    assert_string_equal(gl_aws_config_get(config, "profile green", "s3.addressing_style"), "path");
    assert_string_equal(gl_aws_config_get(config, "profile green", "s3.max"), "1");
    assert_string_equal(gl_aws_config_get(config, "profile green", "empty"), "");
    assert_string_equal(gl_aws_config_get(config, "profile green", "last"), "2");
    assert_null(gl_aws_config_get(config, "profile green", "absent"));
    gl_aws_config_free(config);
}

/* As people write them: a section that is indented as a whole, names in quotes, tabs. */
static void odd_ones_are_read_as_the_tools_do(void **state)
{
    struct gl_aws_config *config =
        parse("[default]\n  aws_access_key_id = A\n  aws_secret_access_key = B\n"
              "    goes on\n  region=eu-west-1\n\n   ; a comment\n"
              "  [profile \"my dev\"]\nregion = r1\n[ profile 'x' ]\nregion=r2\n"
              "[profile it's]\nregion=r3\n[profile s3user]\n  s3 =\n    max = 1\n  region = r4\n");

    (void)state;
    assert_string_equal(gl_aws_config_get(config, "default", "aws_access_key_id"), "A");
    assert_string_equal(gl_aws_config_get(config, "default", "aws_secret_access_key"), "B");
    assert_null(gl_aws_config_get(config, "default", "goes on"));
    assert_string_equal(gl_aws_config_get(config, "default", "region"), "eu-west-1");
    assert_string_equal(gl_aws_config_get(config, "profile my dev", "region"), "r1");
    assert_string_equal(gl_aws_config_get(config, "profile x", "region"), "r2");
    assert_string_equal(gl_aws_config_get(config, "profile it's", "region"), "r3");
    assert_string_equal(gl_aws_config_get(config, "profile s3user", "s3.max"), "1");
    assert_string_equal(gl_aws_config_get(config, "profile s3user", "region"), "r4");
    gl_aws_config_free(config);
}

static void what_is_wrong_has_its_line_and_no_quote(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
    } cases[] = {{"[default]\nplanted-secret\n", 2},
                 {"planted=secret\n", 1},
                 {"\n\n[planted\n", 3},
                 {"[]\n", 1},
                 {"[a]\n=planted\n", 2}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gl_aws_config *config = NULL;
        struct gl_error err = {0};

        assert_int_equal(
            gl_aws_config_parse(cases[i].text, strlen(cases[i].text), "file", &config, &err), -1);
        assert_int_equal(err.code, GL_E_SYNTAX);
        assert_int_equal(err.pos.line, cases[i].line);
        assert_null(strstr(err.text, "planted"));
        assert_null(config);
    }
}

static void ceilings_hold(void **state)
{
    struct gl_aws_config *config = NULL;
    struct gl_error err = {0}, err_2 = {0};
    struct gl_str text = {0};

    (void)state;
    gl_str_add(&text, "[a]\n");
    for (unsigned i = 0; i <= GL_AWS_CONFIG_MAX_ENTRIES; i++)
        gl_str_addf(&text, "k%u=1\n", i);
    assert_int_equal(gl_aws_config_parse(text.text, text.length, "file", &config, &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    while (text.length <= GL_AWS_CONFIG_MAX_BYTES)
        gl_str_add(&text, "################################################################\n");
    assert_int_equal(gl_aws_config_parse(text.text, text.length, "file", &config, &err_2), -1);
    assert_int_equal(err_2.code, GL_E_TOO_LARGE);
    gl_str_done(&text);
}

/* As a POSIX shell splits them, without running one. */
static void words_are_split_as_a_shell_would(void **state)
{
    static const struct {
        const char *line, *words[6];
    } cases[] = {{"a b  c", {"a", "b", "c"}},
                 {"  'a b' \"c d\" e\\ f ", {"a b", "c d", "e f"}},
                 {"x\"y\"'z' ''", {"xyz", ""}},
                 {"\"a\\\"b\" 'c\\d' \"e\\f\"", {"a\"b", "c\\d", "e\\f"}},
                 {"$HOME `id` a|b;c", {"$HOME", "`id`", "a|b;c"}}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gl_error err = {0};
        char **words = gl_aws_words_split(cases[i].line, &err);
        size_t j = 0;

        assert_non_null(words);
        for (; cases[i].words[j] != NULL; j++) {
            assert_non_null(words[j]);
            assert_string_equal(words[j], cases[i].words[j]);
        }
        assert_null(words[j]);
        gl_aws_words_free(words);
    }
}

static void open_quotes_and_nothing_are_refused(void **state)
{
    static const char *const lines[] = {"", "   ", "a 'b", "a \"b", "a \\"};

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct gl_error err = {0};

        assert_null(gl_aws_words_split(lines[i], &err));
        assert_int_equal(err.code, GL_E_BAD_VALUE);
    }
}

static void regions_and_partitions(void **state)
{
    static const char *const good[] = {"eu-north-1",     "us-gov-west-1",   "cn-north-1",
                                       "us-isob-east-1", "ap-southeast-12", "eusc-de-east-1"};
    static const char *const bad[] = {"",           "eu-north",    "eu_north_1", "EU-NORTH-1",
                                      "1-2-3",      "eu--north-1", "a/../b-c-1", "no-such-place",
                                      "x.y-z-1.co", "eu-north-1 "};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!gl_aws_is_region(good[i]))
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (gl_aws_is_region(bad[i]))
            fail_msg("%s", bad[i]);
    assert_string_equal(gl_aws_domain("eu-north-1"), "amazonaws.com");
    assert_string_equal(gl_aws_domain("us-gov-west-1"), "amazonaws.com");
    assert_string_equal(gl_aws_domain("cn-northwest-1"), "amazonaws.com.cn");
    assert_string_equal(gl_aws_domain("us-iso-east-1"), "c2s.ic.gov");
    assert_string_equal(gl_aws_domain("us-isob-east-1"), "sc2s.sgov.gov");
    assert_string_equal(gl_aws_domain("eusc-de-east-1"), "amazonaws.eu");
}

static int read(const char *text, struct gl_aws_credential *out, struct gl_error *err)
{
    return gl_aws_credential_read(text, strlen(text), "SessionToken", 1, out, err);
}

static void answers_are_read_or_refused_without_a_quote(void **state)
{
    static const char *const bad[] = {
        "",
        "planted",
        "[]",
        "{\"Version\":2,\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"planted\"}",
        "{\"Version\":\"1\",\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"planted\"}",
        "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"planted\"}",
        "{\"Version\":1,\"AccessKeyId\":\"a\"}",
        "{\"Version\":1,\"SecretAccessKey\":\"planted\"}",
        "{\"Version\":1,\"AccessKeyId\":\"a b\",\"SecretAccessKey\":\"planted\"}",
        "{\"Version\":1,\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"planted\\r\\nX: y\"}",
        "{\"Version\":1,\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"Expiration\":\"x\"}",
        "{\"Version\":1,\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"planted\"} planted"};
    struct gl_aws_credential credential = {0};
    struct gl_error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gl_error_clear(&err);
        if (read(bad[i], &credential, &err) != -1)
            fail_msg("taken: %s", bad[i]);
        assert_int_not_equal(err.code, GL_OK);
        assert_null(strstr(err.text, "planted"));
    }
    gl_error_clear(&err);
    assert_int_equal(read("{\"Version\":1,\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s/+=\","
                          "\"SessionToken\":\"t\",\"Expiration\":\"2030-01-01T00:00:00Z\"}",
                          &credential, &err),
                     0);
    assert_string_equal(credential.keys.id, "AKID");
    assert_true(gl_secret_equal(&credential.keys.secret, "s/+=", 4));
    assert_true(gl_secret_equal(&credential.keys.token, "t", 1));
    assert_int_equal(credential.expires.unix_s, 1893456000);
    gl_aws_credential_done(&credential);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_and_keys),
        cmocka_unit_test(odd_ones_are_read_as_the_tools_do),
        cmocka_unit_test(what_is_wrong_has_its_line_and_no_quote),
        cmocka_unit_test(ceilings_hold),
        cmocka_unit_test(words_are_split_as_a_shell_would),
        cmocka_unit_test(open_quotes_and_nothing_are_refused),
        cmocka_unit_test(regions_and_partitions),
        cmocka_unit_test(answers_are_read_or_refused_without_a_quote),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
