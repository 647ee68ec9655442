/* SPDX-License-Identifier: Apache-2.0 */
/* The pure parts of Hetzner, DigitalOcean and Scaleway: credential files, money, errors, servers
 * and catalogues, and what is malformed. */
#include "providers/cloud/digitalocean.h"
#include "providers/cloud/hetzner.h"
#include "providers/cloud/scaleway.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_config_lines(void **state)
{
    const char *text =
        "# comment\n  key: value # more\r\nquoted = \"a # b\"\n'k': 'v'\n[[contexts]]\n"
        "broken\n\nopen: \"no end\nesc: a\\nb\nempty:\nlast=x";
    static const char *const rows[][2] = {
        {"key", "value"}, {"quoted", "a # b"}, {"[[contexts]]", ""}, {"empty", ""}, {"last", "x"}};
    struct gl_vps_line line;
    size_t seen = 0;

    (void)state;
    while (gl_vps_config_next(&text, &line)) {
        if (strcmp(line.key, "k") == 0)
            continue;
        assert_true(seen < sizeof rows / sizeof *rows);
        assert_string_equal(line.key, rows[seen][0]);
        assert_string_equal(line.value, rows[seen][1]);
        assert_int_equal(line.indent, seen == 0 ? 2 : 0);
        seen++;
    }
    assert_int_equal(seen, sizeof rows / sizeof *rows);
}

static void test_hcloud(void **state)
{
    static const char text[] = "active_context = \"two\"\n\n[[contexts]]\n  name = \"one\"\n"
                               "  token = \"t1\"\n\n[[contexts]]\n  name = \"two\"\n"
                               "  token = \"t2\"\n";
    char token[256] = "";

    (void)state;
    assert_true(gl_hetzner_config_token(text, NULL, token));
    assert_string_equal(token, "t2");
    assert_true(gl_hetzner_config_token(text, "one", token));
    assert_string_equal(token, "t1");
    assert_false(gl_hetzner_config_token(text, "three", token));
    assert_false(gl_hetzner_config_token("[[contexts]]\nname=\"a\"\ntoken=\"b\"\n", NULL, token));
    assert_false(gl_hetzner_config_token("", NULL, token));
}

static void test_doctl(void **state)
{
    static const char text[] = "access-token: d0\nauth-contexts:\n  work: d1\ncontext: work\n"
                               "output: text\n";
    char token[256] = "";

    (void)state;
    assert_true(gl_digitalocean_config_token(text, NULL, token));
    assert_string_equal(token, "d1");
    assert_true(gl_digitalocean_config_token(text, "default", token));
    assert_string_equal(token, "d0");
    assert_false(gl_digitalocean_config_token(text, "output", token));
    assert_true(gl_digitalocean_config_token("access-token: d9\n", NULL, token));
    assert_string_equal(token, "d9");
}

static void test_scw(void **state)
{
    static const char text[] =
        "access_key: SCW0\nsecret_key: s0\ndefault_project_id: p0\nactive_profile: green\n"
        "profiles:\n  grey:\n    secret_key: s1\n  green:\n    secret_key: s2\n"
        "    default_zone: fr-par-2\nother: x\n";
    struct gl_scaleway_profile got;

    (void)state;
    assert_true(gl_scaleway_config_read(text, NULL, &got));
    assert_string_equal(got.secret_key, "s2");
    assert_string_equal(got.project, "p0"); /* it has none of its own */
    assert_true(gl_scaleway_config_read(text, "grey", &got));
    assert_string_equal(got.secret_key, "s1");
    assert_true(gl_scaleway_config_read(text, "", &got));
    assert_string_equal(got.secret_key, "s0");
    assert_false(gl_scaleway_config_read("profiles:\n", NULL, &got));
}

static void test_money(void **state)
{
    static const struct {
        const char *json;
        int64_t micro;
    } rows[] = {
        {"\"0.0052000000000000\"", 5200},
        {"0.00893", 8930},
        {"\"1\"", 1000000},
        {"0.0000005", 1},
        {"12.5", 12500000},
        {"\"0.1234567\"", 123457},
        {"\"-1\"", GL_UNKNOWN},
        {"-1", GL_UNKNOWN},
        {"\"1e3\"", GL_UNKNOWN},
        {"\"1,5\"", GL_UNKNOWN},
        {"\"\"", GL_UNKNOWN},
        {"null", GL_UNKNOWN},
        {"\"1.2.3\"", GL_UNKNOWN},
        {"\".5\"", GL_UNKNOWN},
        {"\"99999999999999999999\"", GL_UNKNOWN},
        {"true", GL_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *value = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);

        if (gl_vps_money(value) != rows[i].micro)
            fail_msg("%s: %lld", rows[i].json, (long long)gl_vps_money(value));
        json_decref(value);
    }
}

static struct gl_http_reply reply_of(int status, const char *body)
{
    struct gl_http_reply reply = {.status = status, .retry_after_s = -1};

    reply.body = gl_strdup(body);
    reply.body_length = strlen(body);
    return reply;
}

typedef bool reader(const struct gl_http_reply *reply, struct gl_remote_word *out);

static void test_errors(void **state)
{
    static const struct {
        reader *read;
        const struct gl_remote_rule *rules;
        int status;
        const char *body;
        const char *word;
        enum gl_errc code;
    } rows[] = {
        {gl_hetzner_read_error, gl_hetzner_rules, 423,
         "{\"error\":{\"code\":\"locked\",\"message\":\"x\"}}", "locked", GL_E_BUSY},
        {gl_hetzner_read_error, gl_hetzner_rules, 403,
         "{\"error\":{\"code\":\"token_readonly\",\"message\":\"x\"}}", "token_readonly",
         GL_E_PERMISSION},
        {gl_hetzner_read_error, gl_hetzner_rules, 409,
         "{\"error\":{\"code\":\"uniqueness_error\",\"message\":\"x\"}}", "uniqueness_error",
         GL_E_TOKEN},
        {gl_hetzner_read_error, gl_hetzner_rules, 503,
         "{\"error\":{\"code\":\"maintenance\",\"message\":\"x\"}}", "maintenance", GL_E_PROVIDER},
        {gl_digitalocean_read_error, gl_digitalocean_rules, 422,
         "{\"id\":\"unprocessable_entity\",\"message\":\"will exceed your droplet limit\"}",
         "unprocessable_entity", GL_E_QUOTA},
        {gl_digitalocean_read_error, gl_digitalocean_rules, 422,
         "{\"id\":\"unprocessable_entity\",\"message\":\"Name is invalid\"}",
         "unprocessable_entity", GL_E_BAD_VALUE},
        {gl_digitalocean_read_error, gl_digitalocean_rules, 403,
         "{\"id\":\"forbidden\",\"message\":\"You do not have access\"}", "forbidden",
         GL_E_PERMISSION},
        {gl_scaleway_read_error, gl_scaleway_rules, 403,
         "{\"type\":\"quotas_exceeded\",\"message\":\"x\",\"details\":[{\"resource\":\"r\","
         "\"quota\":1,\"current\":1}]}",
         "quotas_exceeded", GL_E_QUOTA},
        {gl_scaleway_read_error, gl_scaleway_rules, 400,
         "{\"type\":\"invalid_request_error\",\"message\":\"V\",\"fields\":{\"image\":[\"bad\"]}}",
         "invalid_request_error", GL_E_BAD_VALUE},
        {gl_scaleway_read_error, gl_scaleway_rules, 400,
         "{\"type\":\"out_of_stock\",\"resource\":\"DEV1-S\"}", "out_of_stock", GL_E_CAPACITY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gl_http_reply reply = reply_of(rows[i].status, rows[i].body);
        struct gl_remote_word word = {0};
        enum gl_reach reach;

        assert_true(rows[i].read(&reply, &word));
        assert_string_equal(word.word, rows[i].word);
        assert_int_equal(gl_remote_code(rows[i].rules, reply.status, word.word, word.text, &reach),
                         rows[i].code);
        gl_http_reply_done(&reply);
    }
}

static void test_malformed_errors(void **state)
{
    static const char *const bodies[] = {"",
                                         "null",
                                         "[]",
                                         "{}",
                                         "{\"error\":3}",
                                         "{\"error\":{\"code\":7}}",
                                         "{\"id\":[]}",
                                         "{\"type\":{}}",
                                         "<html>",
                                         "{\"details\":[[]]}",
                                         "{\"fields\":{\"a\":3}}"};
    static reader *const readers[] = {gl_hetzner_read_error, gl_digitalocean_read_error,
                                      gl_scaleway_read_error};

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        for (size_t j = 0; j < 3; j++) {
            struct gl_http_reply reply = reply_of(500, bodies[i]);
            struct gl_remote_word word = {0};

            readers[j](&reply, &word);
            assert_string_equal(word.word, "");
            gl_http_reply_done(&reply);
        }
}

static void test_actions(void **state)
{
    json_t *failed = json_pack("{s:s,s:s,s:{s:s,s:s}}", "command", "create_server", "status",
                               "error", "error", "code", "resource_unavailable", "message", "m");
    json_t *empty = json_object();
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_hetzner_read_action(failed, &err), -1);
    assert_int_equal(err.code, GL_E_CAPACITY);
    gl_error_clear(&err);
    assert_int_equal(gl_hetzner_read_action(empty, &err), -1);
    assert_int_equal(err.code, GL_E_PROVIDER);
    gl_error_clear(&err);
    assert_int_equal(gl_digitalocean_read_action(empty, &err), -1);
    json_decref(failed);
    json_decref(empty);
}

static void test_not_ours(void **state)
{
    static const char *const texts[] = {"{}",
                                        "{\"id\":1}",
                                        "{\"id\":1,\"labels\":{},\"tags\":[]}",
                                        "{\"id\":\"x\"}",
                                        "{\"id\":-4,\"labels\":{\"greenlaunch-request\":\"gl-1\"}}",
                                        "{\"id\":1,\"tags\":[3,null,\"greenlaunch-request\"]}"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_t *value = json_loads(texts[i], 0, NULL);
        struct gl_instance seen;

        assert_false(gl_hetzner_read_server(value, &seen));
        assert_false(gl_digitalocean_read_droplet(value, &seen));
        assert_false(gl_scaleway_read_server(value, "fr-par-1", &seen));
        json_decref(value);
    }
}

static void test_zones(void **state)
{
    const char *zones[GL_SCALEWAY_ZONES];
    char region[40];

    (void)state;
    assert_int_equal(gl_scaleway_zones("fr-par", zones), 3);
    assert_int_equal(gl_scaleway_zones("fr-par-2", zones), 1);
    assert_string_equal(zones[0], "fr-par-2");
    assert_int_equal(gl_scaleway_zones(NULL, zones), 10);
    assert_int_equal(gl_scaleway_zones("mars", zones), 0);
    gl_scaleway_region_of("it-mil-1", region);
    assert_string_equal(region, "it-mil");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config_lines),
        cmocka_unit_test(test_hcloud),
        cmocka_unit_test(test_doctl),
        cmocka_unit_test(test_scw),
        cmocka_unit_test(test_money),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_malformed_errors),
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_not_ours),
        cmocka_unit_test(test_zones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
