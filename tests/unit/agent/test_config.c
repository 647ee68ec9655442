/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config.h"

#include "agent/scan.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

/* The whole object as the broker writes it; pieces of it are exchanged in the tests. */
#define HEX64   "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define BEFORE  "{\"command\":[\"openssl\",\"speed\"],\"disk\":\"vda\",\"enrol\":\"" HEX64 "\","
#define ENTROPY "\"entropy\":\"" HEX64 HEX64 "\","
#define MIDDLE  "\"interval_ms\":10000,\"launch\":\"gl-4k2p9x\",\"lease_ms\":3600000,"
#define MACHINE                                                                     \
    "\"machine\":{\"baseline_permille\":1000,\"family\":\"epyc3\",\"gpu_count\":0," \
    "\"gpu_watts\":0,\"memory_mb\":256,\"threads_milli\":1500},"
#define AFTER                                                                         \
    "\"network\":true,\"now_ms\":1789000000000,\"payload\":true,\"root\":\"/image\"," \
    "\"user_data\":\"#!/bin/sh\\necho \\u00e9 \\ud83d\\ude00\",\"v\":1}"
#define WHOLE BEFORE ENTROPY MIDDLE MACHINE AFTER

static int parse(const char *text, struct gl_config *out, struct gl_error *err)
{
    *err = (struct gl_error){0};
    return gl_config_parse(text, strlen(text), out, err);
}

static void test_whole(void **state)
{
    struct gl_config *config = gl_alloc(sizeof *config);
    struct gl_error err;

    (void)state;
    if (parse(WHOLE, config, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(config->argc, 2);
    assert_string_equal(config->argv[0], "openssl");
    assert_string_equal(config->argv[1], "speed");
    assert_null(config->argv[2]);
    assert_true(config->has_command && config->has_network && config->has_payload);
    assert_string_equal(config->disk, "vda");
    assert_string_equal(config->root, "/image");
    assert_string_equal(config->launch, "gl-4k2p9x");
    assert_string_equal(config->user_data, "#!/bin/sh\necho \xc3\xa9 \xf0\x9f\x98\x80");
    assert_int_equal(config->user_data_length, strlen(config->user_data));
    assert_int_equal(config->enrol[1], 0x11);
    assert_int_equal(config->entropy[63], 0xff);
    assert_int_equal(config->interval_ms, 10000);
    assert_int_equal(config->lease_ms, 3600000);
    assert_int_equal(config->now_ms, 1789000000000);
    assert_string_equal(config->machine.family, "epyc3");
    assert_int_equal(config->machine.threads_milli, 1500);
    assert_int_equal(config->machine.memory_mb, 256);
    free(config);
}

static void test_optional_members(void **state)
{
    struct gl_config *config = gl_alloc(sizeof *config);
    struct gl_error err;

    (void)state;
    if (parse("{\"command\":null,\"disk\":null,\"enrol\":\"" HEX64 "\"," ENTROPY MIDDLE
              "\"machine\":{\"baseline_permille\":1000,\"family\":null,\"gpu_count\":0,"
              "\"gpu_watts\":0,\"memory_mb\":256,\"threads_milli\":1000},"
              "\"now_ms\":0,\"root\":null,\"user_data\":null,\"v\":1}",
              config, &err) < 0)
        fail_msg("%s", err.text);
    assert_false(config->has_command || config->has_network || config->has_payload);
    assert_null(config->user_data);
    assert_string_equal(config->root, "");
    assert_string_equal(config->machine.family, "");
    if (parse("{\"enrol\":\"" HEX64 "\"," ENTROPY MIDDLE MACHINE "\"now_ms\":0,\"v\":1}", config,
              &err) < 0)
        fail_msg("%s", err.text);
    free(config);
}

/* Texts that must be refused, with a word of the reason. */
static const struct {
    const char *text, *reason;
} refused[] = {
    {"", "object"},
    {"[]", "object"},
    {"{}", "missing"},
    {"{\"v\":1}", "missing"},
    {WHOLE "x", "follows"},
    {WHOLE WHOLE, "follows"},
    {"{\"nonsense\":1}", "unknown key"},
    {"{\"v\":1,\"v\":1}", "twice"},
    {"{\"v\":2}", "range"},
    {"{\"v\":1.0}", "integer"},
    {"{\"v\":01}", "integer"},
    {"{\"v\":1e0}", "integer"},
    {"{\"v\":99999999999999999999}", "integer"},
    {"{\"v\":}", "integer"},
    {"{\"v\" 1}", "colon"},
    {"{\"v\":1 \"disk\":null}", "comma"},
    {"{,\"v\":1}", "string"},
    {"{\"launch\":\"\",\"v\":1}", "missing"},
    {"{\"launch\":\"a\\qb\"}", "escape"},
    {"{\"launch\":\"a\\u0000b\"}", "escape"},
    {"{\"launch\":\"a\\ud800b\"}", "escape"},
    {"{\"launch\":\"a\\udc00\"}", "escape"},
    {"{\"launch\":\"a\\u12\"}", "escape"},
    {"{\"launch\":\"\xc3\xa9\"}", "byte"},
    {"{\"launch\":\"a\nb\"}", "byte"},
    {"{\"launch\":\"open", "end"},
    {"{\"launch\":null}", "string"},
    {"{\"enrol\":\"00\"}", "hex"},
    {"{\"enrol\":\"" HEX64 "00\"}", "hex"},
    {"{\"entropy\":\"" HEX64 HEX64 HEX64 "\"}", "too long"},
    {"{\"command\":[]}", "empty command"},
    {"{\"command\":[\"\"]}", "empty command"},
    {"{\"command\":[1]}", "string"},
    {"{\"command\":[[\"a\"]]}", "string"},
    {"{\"command\":\"ls\"}", "array"},
    {"{\"payload\":1}", "true or false"},
    {"{\"lease_ms\":0}", "range"},
    {"{\"lease_ms\":-5}", "range"},
    {"{\"interval_ms\":1}", "range"},
    {"{\"machine\":{\"threads_milli\":0}}", "range"},
    {"{\"machine\":{\"threads_milli\":1}}", "missing"},
    {"{\"machine\":{\"machine\":{}}}", "unknown key"},
    {BEFORE ENTROPY "\"interval_ms\":10000,\"launch\":\"../etc\",\"lease_ms\":1," MACHINE AFTER,
     "launch"},
};

static void test_refused(void **state)
{
    struct gl_config *config = gl_alloc(sizeof *config);
    const struct gl_config *empty = gl_alloc(sizeof *config);
    struct gl_error err;

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (parse(refused[i].text, config, &err) == 0)
            fail_msg("taken: %s", refused[i].text);
        if (strstr(err.text, refused[i].reason) == NULL)
            fail_msg("%s: said \"%s\"", refused[i].text, err.text);
        assert_memory_equal(config, empty, sizeof *config);
    }
    free(config);
    free((void *)(uintptr_t)empty);
}

static void refuse_with(const char *member, const char *value, const char *reason)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_config *config = gl_alloc(sizeof *config);
    struct gl_error err;

    gl_str_addf(
        &text, "{\"%s\":%s,\"enrol\":\"" HEX64 "\"," ENTROPY MIDDLE MACHINE "\"now_ms\":0,\"v\":1}",
        member, value);
    if (parse(gl_str_text(&text), config, &err) == 0)
        fail_msg("taken: %s", value);
    assert_non_null(strstr(err.text, reason));
    free(config);
}

static void test_paths_cannot_climb(void **state)
{
    (void)state;
    refuse_with("root", "\"image\"", "root");
    refuse_with("root", "\"/image/../etc\"", "root");
    refuse_with("root", "\"/./image\"", "root");
    refuse_with("disk", "\"../sda\"", "disk");
    refuse_with("disk", "\"vda/x\"", "disk");
}

static void test_ceilings(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_config *config = gl_alloc(sizeof *config);
    struct gl_error err;

    (void)state;
    gl_str_add(&text, "{\"command\":[\"a\"");
    for (int i = 0; i < 256; i++)
        gl_str_add(&text, ",\"a\"");
    gl_str_add(&text, "]}");
    assert_int_equal(parse(gl_str_text(&text), config, &err), -1);
    assert_non_null(strstr(err.text, "256"));
    gl_str_clear(&text);
    gl_str_add(&text, WHOLE);
    while (text.length <= GL_CONFIG_MAX)
        gl_str_add_char(&text, ' ');
    assert_int_equal(parse(gl_str_text(&text), config, &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    /* user data as long as a config can be */
    gl_str_clear(&text);
    gl_str_add(&text, "{\"user_data\":\"");
    for (size_t i = 0; i < GL_CONFIG_MAX - 900; i++)
        gl_str_add_char(&text, 'u');
    gl_str_add(&text, "\",\"enrol\":\"" HEX64 "\"," ENTROPY MIDDLE MACHINE "\"now_ms\":0,\"v\":1}");
    if (parse(gl_str_text(&text), config, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(config->user_data_length, GL_CONFIG_MAX - 900);
    free(config);
}

static void test_every_truncation_is_refused(void **state)
{
    struct gl_config *config = gl_alloc(sizeof *config);
    struct gl_error err;
    size_t length = strlen(WHOLE);

    (void)state;
    for (size_t cut = 0; cut < length; cut++) {
        /* exactly sized, so that a sanitizer sees any read beyond it */
        char *piece = gl_alloc(cut);

        memcpy(piece, WHOLE, cut);
        err = (struct gl_error){0};
        if (gl_config_parse(piece, cut, config, &err) == 0)
            fail_msg("taken when cut at %zu", cut);
        free(piece);
    }
    free(config);
}

static void test_scan_depth(void **state)
{
    static const char deep[] = "[[[[[[";
    struct gl_scan scan;
    int entered = 0;

    (void)state;
    gl_scan_begin(&scan, deep, sizeof deep - 1);
    while (gl_scan_enter(&scan, '['))
        entered++;
    assert_int_equal(entered, GL_SCAN_DEPTH);
    assert_string_equal(scan.problem, "nested too deep");
    assert_false(gl_scan_done(&scan));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),      cmocka_unit_test(test_optional_members),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_paths_cannot_climb),
        cmocka_unit_test(test_ceilings),   cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_scan_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
