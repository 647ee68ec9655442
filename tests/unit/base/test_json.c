/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/str.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *parse(const char *text)
{
    struct gl_error err = {0};
    json_t *value = gl_json_parse(text, strlen(text), "test", &err);

    if (value == NULL)
        fail_msg("%s: %s", text, err.text);
    return value;
}

static void assert_refused(const char *text, size_t length, enum gl_errc code, const char *says)
{
    struct gl_error err = {0};

    if (gl_json_parse(text, length, "in.json", &err) != NULL)
        fail_msg("\"%.40s\" was taken", text);
    assert_int_equal(err.code, code);
    if (strstr(err.text, says) == NULL || strstr(err.text, "in.json") == NULL)
        fail_msg("\"%.40s\": %s", text, err.text);
}

static void test_parse(void **state)
{
    json_t *value = parse(" {\"a\": [1, 2.5, \"x\", null, true]} ");

    (void)state;
    assert_int_equal(json_array_size(json_object_get(value, "a")), 5);
    gl_auto_json(&value);
    assert_null(value);
    value = parse("\"scalar\"");
    assert_string_equal(json_string_value(value), "scalar");
    json_decref(value);
}

static void test_parse_refusals(void **state)
{
    static const char *const broken[] = {
        "",
        "{",
        "[1,]",
        "{\"a\":1} x",
        "nul",
        "{'a':1}",
        "\"open",
        "\"open\\",
        "[1e999]",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "[01]",
        "]",
        "\"\xff\"",
        "[99999999999999999999]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        assert_refused(broken[i], strlen(broken[i]), GL_E_SYNTAX, "not valid JSON");
    assert_refused("{\"a\":1,\"a\":2}", 13, GL_E_SYNTAX, "duplicate");
    assert_refused("[1]\0", 4, GL_E_SYNTAX, "not valid JSON");
    /* The parser alone takes the first two: it drops a zero byte right after a number. */
    assert_refused("[0\0]", 4, GL_E_SYNTAX, "zero byte");
    assert_refused("{\"a\":1.5\0}", 10, GL_E_SYNTAX, "zero byte");
    assert_refused("[\"a\0b\"]", 7, GL_E_SYNTAX, "zero byte");
    assert_refused("[\x1b]", 3, GL_E_SYNTAX, "x1b");
}

static void test_zero_position(void **state)
{
    struct gl_error err = {0};

    (void)state;
    assert_null(gl_json_parse("{\n \"a\": 1\0\n}", 12, "in.json", &err));
    assert_int_equal(err.pos.line, 2);
    assert_int_equal(err.pos.column, 8);
}

static void test_position(void **state)
{
    static const char text[] = "{\n  \"a\": 1,\n  oops\n}";
    struct gl_error err = {0};

    (void)state;
    assert_null(gl_json_parse(text, strlen(text), "in.json", &err));
    assert_int_equal(err.pos.line, 3);
    assert_string_equal(err.pos.file, "in.json");
}

static void test_depth(void **state)
{
    char text[2 * (GL_JSON_MAX_DEPTH + 1) + 1] = "";
    json_t *value;
    struct gl_error err = {0};

    (void)state;
    memset(text, '[', GL_JSON_MAX_DEPTH);
    memset(text + GL_JSON_MAX_DEPTH, ']', GL_JSON_MAX_DEPTH);
    value = gl_json_parse(text, 2 * GL_JSON_MAX_DEPTH, "in.json", &err);
    assert_non_null(value);
    json_decref(value);
    memset(text, '[', GL_JSON_MAX_DEPTH + 1);
    memset(text + GL_JSON_MAX_DEPTH + 1, ']', GL_JSON_MAX_DEPTH + 1);
    assert_refused(text, 2 * (GL_JSON_MAX_DEPTH + 1), GL_E_TOO_LARGE, "deeper than 64");
    memset(text, '{', GL_JSON_MAX_DEPTH + 1);
    assert_refused(text, GL_JSON_MAX_DEPTH + 1, GL_E_TOO_LARGE, "deeper than 64");
    /* brackets inside strings are no nesting, and an escaped quote does not end a string */
    memset(text, '[', sizeof text - 1);
    memcpy(text, "[\"\\\"", 4);
    memcpy(text + sizeof text - 3, "\"]", 2);
    value = gl_json_parse(text, sizeof text - 1, "in.json", &err);
    assert_non_null(value);
    json_decref(value);
}

/* Many values side by side are not deep. */
static void test_breadth(void **state)
{
    static const char *const items[] = {"[]", "{}", "[\"x\"]", "{\"a\":\"\"}"};

    (void)state;
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        struct gl_str text = {0};
        json_t *value;

        for (int j = 0; j < 200; j++)
            gl_str_addf(&text, "%s%s", j ? "," : "[", items[i]);
        gl_str_add(&text, "]");
        value = parse(gl_str_text(&text));
        assert_int_equal(json_array_size(value), 200);
        json_decref(value);
        gl_str_done(&text);
    }
}

static void test_size(void **state)
{
    char *text = gl_alloc(GL_JSON_MAX_BYTES + 2);
    struct gl_error err = {0};
    json_t *value;

    (void)state;
    memset(text, ' ', GL_JSON_MAX_BYTES + 1);
    text[0] = '1';
    assert_refused(text, GL_JSON_MAX_BYTES + 1, GL_E_TOO_LARGE, "larger than 8 MiB");
    value = gl_json_parse(text, GL_JSON_MAX_BYTES, "in.json", &err);
    assert_int_equal(json_integer_value(value), 1);
    json_decref(value);
    free(text);
}

static void assert_canonical(const char *text, const char *expected)
{
    struct gl_error err = {0};
    json_t *value = parse(text);
    char *canonical = gl_json_canonical(value, &err);

    assert_non_null(canonical);
    assert_string_equal(canonical, expected);
    free(canonical);
    json_decref(value);
}

static void test_canonical(void **state)
{
    (void)state;
    assert_canonical("{ \"b\" : 1, \"a\" : [ true , null, \"x\" ] }",
                     "{\"a\":[true,null,\"x\"],\"b\":1}");
    assert_canonical("{\"a\":[true,null,\"x\"],\"b\":1}", "{\"a\":[true,null,\"x\"],\"b\":1}");
    assert_canonical("\"CO\xe2\x82\x82\"", "\"CO\\u2082\"");
    assert_canonical("-7", "-7");
    assert_canonical("{}", "{}");
}

static void test_canonical_refusals(void **state)
{
    static const char *const real[] = {"1.5", "[1.0]", "{\"a\":{\"b\":[1,2,1e3]}}"};
    struct gl_error err = {0};
    json_t *deep = json_array();

    (void)state;
    for (size_t i = 0; i < sizeof real / sizeof real[0]; i++) {
        json_t *value = parse(real[i]);

        assert_null(gl_json_canonical(value, &err));
        assert_int_equal(err.code, GL_E_INTERNAL);
        gl_error_clear(&err);
        json_decref(value);
    }
    for (int i = 0; i < 100; i++) {
        json_t *outer = json_array();

        json_array_append_new(outer, deep);
        deep = outer;
    }
    assert_null(gl_json_canonical(deep, &err));
    json_decref(deep);
    gl_error_clear(&err);
    assert_null(gl_json_canonical(NULL, &err));
}

/* The members of an object in any order are the same bytes. */
static void test_canonical_order(void **state)
{
    static const char *const names[] = {"a", "b", "aa", "B", "z1", "\xc3\xa9"};
    char *first = NULL;
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < 200; round++) {
        json_t *object = json_object();
        struct gl_error err = {0};
        char *text;

        while (json_object_size(object) < 6) {
            seed = seed * 1664525u + 1013904223u;
            json_object_set_new(object, names[(seed >> 16) % 6], json_integer((seed >> 16) % 6));
        }
        text = gl_json_canonical(object, &err);
        if (first == NULL)
            first = text;
        assert_string_equal(text, first);
        if (text != first)
            free(text);
        json_decref(object);
    }
    free(first);
}

static void test_pretty(void **state)
{
    json_t *value = parse("{\"b\":0.1,\"a\":[1]}");
    char *text = gl_json_pretty(value);

    (void)state;
    assert_string_equal(text, "{\n  \"b\": 0.1,\n  \"a\": [\n    1\n  ]\n}");
    free(text);
    json_decref(value);
    value = json_real(1.0 / 3);
    text = gl_json_pretty(value);
    assert_string_equal(text, "0.3333333333");
    free(text);
    json_decref(value);
    text = gl_json_pretty(NULL);
    assert_string_equal(text, "null");
    free(text);
}

static void assert_bad_reply(struct gl_error *err, const char *says)
{
    assert_int_equal(err->code, GL_E_BAD_REPLY);
    if (strstr(err->text, says) == NULL)
        fail_msg("%s", err->text);
    gl_error_clear(err);
}

static void test_members(void **state)
{
    json_t *object = parse("{\"s\":\"text\",\"i\":5,\"r\":1.5,\"o\":{},\"a\":[],\"n\":null}");
    struct gl_error err = {0};
    const char *text = NULL;
    json_t *member = NULL;
    int64_t number = -1;

    (void)state;
    assert_int_equal(gl_json_string(object, "s", &text, &err), 0);
    assert_string_equal(text, "text");
    assert_int_equal(gl_json_string(object, "i", &text, &err), -1);
    assert_bad_reply(&err, "\"i\" is not a string");
    assert_int_equal(gl_json_string(object, "x", &text, &err), -1);
    assert_bad_reply(&err, "\"x\" is missing");
    assert_int_equal(gl_json_int(object, "i", 0, 5, &number, &err), 0);
    assert_int_equal(number, 5);
    assert_int_equal(gl_json_int(object, "i", 5, 9, &number, &err), 0);
    assert_int_equal(gl_json_int(object, "i", 6, 9, &number, &err), -1);
    assert_bad_reply(&err, "\"i\" is 5, outside 6 to 9");
    assert_int_equal(gl_json_int(object, "i", 0, 4, &number, &err), -1);
    assert_bad_reply(&err, "outside");
    assert_int_equal(gl_json_int(object, "r", 0, 5, &number, &err), -1);
    assert_bad_reply(&err, "\"r\" is not an integer");
    assert_int_equal(number, 5);
    assert_int_equal(gl_json_object(object, "o", &member, &err), 0);
    assert_true(json_is_object(member));
    assert_int_equal(gl_json_object(object, "a", &member, &err), -1);
    assert_bad_reply(&err, "\"a\" is not an object");
    assert_int_equal(gl_json_array(object, "a", &member, &err), 0);
    assert_true(json_is_array(member));
    assert_int_equal(gl_json_array(object, "n", &member, &err), -1);
    assert_bad_reply(&err, "\"n\" is not an array");
    assert_int_equal(gl_json_array(member, "a", &member, &err), -1); /* not an object at all */
    assert_bad_reply(&err, "missing");
    json_decref(object);
}

static bool is_near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

static void test_numbers(void **state)
{
    json_t *object = parse("{\"i\":5,\"r\":1.5,\"t\":\"0.0104000000\",\"u\":\"7\",\"n\":null,"
                           "\"e\":\"\",\"x\":\"12 USD\",\"nan\":\"NaN\",\"inf\":\"1e999\","
                           "\"hex\":\"0x10\",\"b\":true,\"big\":\"99999999999999999999\"}");
    static const char *const refused[] = {"x", "nan", "inf", "hex", "b", "absent"};
    struct gl_error err = {0};
    double number = -1;
    bool is_known = false;

    (void)state;
    assert_int_equal(gl_json_number(object, "i", &number, &is_known, &err), 0);
    assert_true(is_known && is_near(number, 5));
    assert_int_equal(gl_json_number(object, "r", &number, &is_known, &err), 0);
    assert_true(is_near(number, 1.5));
    assert_int_equal(gl_json_number(object, "t", &number, &is_known, &err), 0);
    assert_true(is_near(number, 0.0104));
    assert_int_equal(gl_json_number(object, "big", &number, &is_known, &err), 0);
    assert_true(is_near(number / 1e20, 1));
    assert_int_equal(gl_json_number(object, "u", &number, &is_known, &err), 0);
    assert_true(is_known && is_near(number, 7));
    assert_int_equal(gl_json_number(object, "n", &number, &is_known, &err), 0);
    assert_false(is_known);
    is_known = true;
    assert_int_equal(gl_json_number(object, "e", &number, &is_known, &err), 0);
    assert_false(is_known);
    is_known = true;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_int_equal(gl_json_number(object, refused[i], &number, &is_known, &err), -1);
        assert_bad_reply(&err, refused[i]);
    }
    assert_true(is_known && is_near(number, 7)); /* untouched */
    json_decref(object);
}

/* A ceiling cuts anywhere: what is left of a character goes, a whole one stays. */
static void test_text(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"gr\xc3\xbc", "gr\xc3\xbc"},
        {"gr\xc3", "gr"},
        {"\xe2\x82", ""},
        {"a\xf0\x9f\x8c", "a"},
        {"\xff in the midst", "(not UTF-8)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        GL_AUTO(gl_auto_json) json_t *json = gl_json_text(rows[i].text, strlen(rows[i].text));

        assert_string_equal(json_string_value(json), rows[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_refusals),
        cmocka_unit_test(test_position),
        cmocka_unit_test(test_zero_position),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_breadth),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_canonical_refusals),
        cmocka_unit_test(test_canonical_order),
        cmocka_unit_test(test_pretty),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
