/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/reading.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static const struct gl_reading example = {
    .agent = "0123456789abcdef",
    .boot = "6f1c9a6e-1d2b",
    .launch = "gl-7",
    .model = "fedcba9876543210",
    .seq = 1,
    .gap_ms = 5,
    .boottime_ns = 123456789,
    .wall_ms = 1767225600000,
    .busy_ppm = 500000,
    .steal_ppm = 1000,
    .memory_mb = 64,
    .component_count = 2,
    .components = {{.kind = GL_COMP_CPU,
                    .tier = GL_TIER_E2,
                    .source = "model",
                    .flags = GL_FLAG_BOUNDED,
                    .delta_uj = 20,
                    .low_uj = 10,
                    .high_uj = 30,
                    .total_mj = 4},
                   {.kind = GL_COMP_DRAM,
                    .tier = GL_TIER_M1,
                    .source = "perf",
                    .delta_uj = 7,
                    .low_uj = 7,
                    .high_uj = 7}},
};

static const char example_text[] =
    "{\"a\":\"0123456789abcdef\",\"b\":\"6f1c9a6e-1d2b\",\"c\":["
    "{\"d\":20,\"e\":4,\"f\":2,\"h\":30,\"k\":\"cpu\",\"l\":10,\"s\":\"model\",\"t\":\"E2\"},"
    "{\"d\":7,\"e\":0,\"f\":0,\"h\":7,\"k\":\"dram\",\"l\":7,\"s\":\"perf\",\"t\":\"M1\"}],"
    "\"g\":5,\"i\":\"gl-7\",\"m\":\"fedcba9876543210\",\"n\":1,\"p\":\"" ZEROS "\","
    "\"tb\":123456789,\"tw\":1767225600000,"
    "\"u\":{\"busy_ppm\":500000,\"mem_mb\":64,\"steal_ppm\":1000},\"v\":1}";

static void the_canonical_text_is_as_documented(void **state)
{
    char text[GL_RECORD_MAX];

    (void)state;
    assert_int_equal(gl_reading_write(&example, text), strlen(example_text));
    assert_string_equal(text, example_text);
}

/* Our writer and the JSON library's canonical form must agree byte for byte. */
static void the_text_is_canonical_json(void **state)
{
    struct gl_error err = {0};
    struct gl_reading last = example;
    char text[GL_RECORD_MAX], *canonical;
    size_t length;
    json_t *value;

    (void)state;
    last.is_final = true;
    length = gl_reading_write(&last, text);
    assert_non_null(strstr(text, "],\"final\":true,\"g\":"));
    value = gl_json_parse(text, length, "record", &err);
    assert_non_null(value);
    canonical = gl_json_canonical(value, &err);
    assert_string_equal(canonical, text);
    free(canonical);
    json_decref(value);
}

static void assert_same(const struct gl_reading *a, const struct gl_reading *b)
{
    char one[GL_RECORD_MAX], two[GL_RECORD_MAX];

    assert_int_equal(gl_reading_write(a, one), gl_reading_write(b, two));
    assert_string_equal(one, two);
    assert_int_equal(a->seq, b->seq);
    assert_int_equal(a->is_final, b->is_final);
    assert_int_equal(a->component_count, b->component_count);
    assert_true(gl_hash_equal(&a->previous, &b->previous));
}

/* Everything at its largest must still fit into GL_RECORD_MAX, and come back. */
static void the_largest_record_survives(void **state)
{
    struct gl_error err = {0};
    struct gl_reading largest = example, back;
    char text[GL_RECORD_MAX];
    size_t length;

    (void)state;
    memset(largest.boot, 'b', sizeof largest.boot - 1);
    memset(largest.launch, 'l', sizeof largest.launch - 1);
    memset(largest.previous.bytes, 0xff, sizeof largest.previous.bytes);
    largest.seq = INT64_MAX;
    largest.gap_ms = largest.boottime_ns = largest.wall_ms = INT64_MAX;
    largest.busy_ppm = largest.steal_ppm = 1000000;
    largest.memory_mb = UINT32_MAX;
    largest.is_final = true;
    largest.component_count = GL_COMPONENTS_MAX;
    for (size_t i = 0; i < GL_COMPONENTS_MAX; i++) {
        largest.components[i] = (struct gl_component){.kind = GL_COMP_OTHER,
                                                      .tier = GL_TIER_E3,
                                                      .source = "fifteen-letters",
                                                      .flags = 31,
                                                      .delta_uj = INT64_MAX,
                                                      .low_uj = INT64_MAX,
                                                      .high_uj = INT64_MAX,
                                                      .total_mj = INT64_MAX};
    }
    length = gl_reading_write(&largest, text);
    assert_in_range(length, 1500, GL_RECORD_MAX - 1);
    assert_int_equal(strlen(text), length);
    if (gl_reading_parse(text, length, &back, &err) < 0)
        fail_msg("%s", err.text);
    assert_same(&largest, &back);
}

static void every_kind_and_tier_survives(void **state)
{
    (void)state;
    for (enum gl_component_kind kind = GL_COMP_CPU; kind <= GL_COMP_OTHER; kind++)
        for (enum gl_tier tier = GL_TIER_M1; tier <= GL_TIER_S; tier++) {
            struct gl_error err = {0};
            struct gl_reading reading = example, back;
            char text[GL_RECORD_MAX];

            reading.components[0].kind = kind;
            reading.components[0].tier = tier;
            assert_int_equal(gl_reading_parse(text, gl_reading_write(&reading, text), &back, &err),
                             0);
            assert_int_equal(back.components[0].kind, kind);
            assert_int_equal(back.components[0].tier, tier);
            assert_same(&reading, &back);
        }
}

/* Whatever a kernel calls its boot: the record stays one valid JSON line. */
static void foreign_bytes_cannot_break_the_form(void **state)
{
    struct gl_error err = {0};
    struct gl_reading reading = example, back;
    char text[GL_RECORD_MAX];

    (void)state;
    strcpy(reading.boot, "a\"b\\c\nd\xc3\xa9\x7f~");
    assert_int_equal(gl_reading_parse(text, gl_reading_write(&reading, text), &back, &err), 0);
    assert_string_equal(back.boot, "a_b_c_d___~");
}

/* The example with one text replaced by another must be refused. */
static void refuse(const char *old, const char *new)
{
    struct gl_error err = {0};
    struct gl_reading out = {.seq = 77};
    char text[4096];
    const char *at = strstr(example_text, old);
    size_t head;

    assert_non_null(at);
    head = (size_t)(at - example_text);
    memcpy(text, example_text, head);
    strcpy(text + head, new);
    strcat(text, at + strlen(old));
    if (gl_reading_parse(text, strlen(text), &out, &err) == 0)
        fail_msg("%s instead of %s was accepted", new, old);
    assert_int_equal(err.code, GL_E_BAD_REPLY);
    assert_int_equal(out.seq, 77);
}

static void other_forms_are_refused(void **state)
{
    static const char *const rows[][2] = {
        {"{\"a\"", " {\"a\""},
        {"\"v\":1}", "\"v\":1} "},
        {"\"v\":1}", "\"v\":1,\"w\":2}"},
        {"\"v\":1}", "\"v\":1"},
        {"\"v\":1}", "\"v\":2}"},
        {"\"g\":5", "\"final\":false,\"g\":5"},
        {"\"g\":5", "\"final\":1,\"g\":5"},
        {"\"g\":5", "\"g\":5.0"},
        {"\"g\":5", "\"g\":-0"},
        {"\"g\":5", "\"g\":05"},
        {"\"g\":5", "\"g\": 5"},
        {"\"g\":5,", ""},
        {"gl-7", "gl\\u002d7"},
        {"gl-7", "gl-\xc3\xa9"},
        {"\"g\":5,\"i\":\"gl-7\"", "\"i\":\"gl-7\",\"g\":5"},
        {"\"g\":5,", "\"g\":5,\"g\":5,"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refuse(rows[i][0], rows[i][1]);
}

static void values_out_of_range_are_refused(void **state)
{
    static const char *const rows[][2] = {
        {"\"d\":20", "\"d\":-1"},
        {"\"d\":20", "\"d\":31"},
        {"\"d\":20", "\"d\":9"},
        {"\"d\":20", "\"d\":\"20\""},
        {"\"e\":4", "\"e\":-4"},
        {"\"e\":4", "\"e\":9223372036854775808"},
        {"\"f\":2", "\"f\":64"},
        {"\"k\":\"cpu\"", "\"k\":\"moon\""},
        {"\"t\":\"E2\"", "\"t\":\"E9\""},
        {"\"s\":\"model\"", "\"s\":\"sixteen--letters\""},
        {"\"n\":1", "\"n\":0"},
        {"\"n\":1", "\"n\":-1"},
        {"\"tb\":1", "\"tb\":-1"},
        {"\"tw\":1", "\"tw\":-1"},
        {"\"g\":5", "\"g\":-5"},
        {"500000", "1000001"},
        {"\"steal_ppm\":1000", "\"steal_ppm\":1000001"},
        {"\"mem_mb\":64", "\"mem_mb\":4294967296"},
        {"0123456789abcdef", "0123456789ABCDEF"},
        {"0123456789abcdef", "0123"},
        {"fedcba9876543210", "fedcba987654321g"},
        {"6f1c9a6e-1d2b", ""},
        {"6f1c9a6e-1d2b", "6f1c9a6e-1d2b-4c3d-8e9f-0123456789abcdef"},
        {"\"p\":\"0000", "\"p\":\"00"},
        {"\"p\":\"0000", "\"p\":\"000g"},
        {"\"c\":[", "\"c\":[7,"},
        {"\"u\":{", "\"u\":[],\"z\":{"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refuse(rows[i][0], rows[i][1]);
}

static void too_many_components_are_refused(void **state)
{
    static const char ninth[] = "{\"d\":0,\"e\":0,\"f\":0,\"h\":0,\"k\":\"cpu\",\"l\":0,"
                                "\"s\":\"model\",\"t\":\"E2\"},";
    struct gl_error err = {0};
    struct gl_reading reading = example, back;
    struct gl_str longer = {0};
    char text[GL_RECORD_MAX];
    size_t head;

    (void)state;
    reading.component_count = GL_COMPONENTS_MAX;
    for (size_t i = 2; i < GL_COMPONENTS_MAX; i++)
        reading.components[i] = reading.components[1];
    gl_reading_write(&reading, text);
    assert_int_equal(gl_reading_parse(text, strlen(text), &back, &err), 0);
    head = (size_t)(strstr(text, "[{") + 1 - text);
    gl_str_add_bytes(&longer, text, head);
    gl_str_add(&longer, ninth);
    gl_str_add(&longer, text + head);
    assert_int_equal(gl_reading_parse(gl_str_text(&longer), longer.length, &back, &err), -1);
    assert_non_null(strstr(err.text, "more than 8 components"));
    gl_str_done(&longer);
}

static void no_end_of_the_text_is_enough(void **state)
{
    struct gl_reading out;

    (void)state;
    for (size_t length = 0; length < strlen(example_text); length++) {
        struct gl_error err = {0};

        assert_int_equal(gl_reading_parse(example_text, length, &out, &err), -1);
    }
}

static void a_longer_text_is_refused_unread(void **state)
{
    struct gl_error err = {0};
    struct gl_reading out;
    char *text = gl_alloc(GL_RECORD_MAX);

    (void)state;
    memset(text, ' ', GL_RECORD_MAX);
    assert_int_equal(gl_reading_parse(text, GL_RECORD_MAX, &out, &err), -1);
    assert_non_null(strstr(err.text, "longer"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_canonical_text_is_as_documented),
        cmocka_unit_test(the_text_is_canonical_json),
        cmocka_unit_test(the_largest_record_survives),
        cmocka_unit_test(every_kind_and_tier_survives),
        cmocka_unit_test(foreign_bytes_cannot_break_the_form),
        cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(values_out_of_range_are_refused),
        cmocka_unit_test(too_many_components_are_refused),
        cmocka_unit_test(no_end_of_the_text_is_enough),
        cmocka_unit_test(a_longer_text_is_refused_unread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
