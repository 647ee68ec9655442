/* SPDX-License-Identifier: Apache-2.0 */
#include "base/csv.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Read all rows and write them as "line:a|b;" for comparison. */
static char *read_all(const char *text, struct gl_error *err)
{
    struct gl_str out = {0};
    char *bytes = gl_strdup(text);
    struct gl_csv csv;
    int got;

    gl_csv_init(&csv, bytes, "in.csv");
    while ((got = gl_csv_next(&csv, err)) == 1) {
        gl_str_addf(&out, "%u:", (unsigned)csv.line);
        for (size_t i = 0; i < csv.count; i++)
            gl_str_addf(&out, "%s%s", i ? "|" : "", csv.fields[i]);
        gl_str_add_char(&out, ';');
    }
    assert_int_equal(gl_csv_next(&csv, err), 0); /* the end stays the end */
    assert_int_equal(csv.count, 0);
    free(bytes);
    if (got == 0)
        return gl_str_take(&out);
    gl_str_done(&out);
    return NULL;
}

static void test_rows(void **state)
{
    static const struct {
        const char *text, *rows;
    } rows[] = {
        {"", ""},
        {"\n\r\n\n", ""},
        {"a", "1:a;"},
        {"a,b\nc,d\n", "1:a|b;2:c|d;"},
        {"a,b\r\nc,d\r\n", "1:a|b;2:c|d;"},
        {"\xef\xbb\xbf"
         "a,b\n",
         "1:a|b;"},
        {"a,,b\n,\n", "1:a||b;2:|;"},
        {"\n\na\n\nb", "3:a;5:b;"},
        {"\"a,b\",c\n", "1:a,b|c;"},
        {"\"a\"\"b\",\"\"\n", "1:a\"b|;"},
        {"\"a\nb\",c\nd\n", "1:a\nb|c;3:d;"},
        {"\"a\r\nb\"\r\nd", "1:a\r\nb;3:d;"},
        {"\"a\"", "1:a;"},
        {"\"\"\"\"", "1:\";"},
        {"a\rb,c", "1:a\rb|c;"},
        {" a , b \n", "1: a | b ;"},
        {"a,", "1:a|;"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_error err = {0};
        char *all = read_all(rows[i].text, &err);

        if (all == NULL)
            fail_msg("%s: %s", rows[i].text, err.text);
        assert_string_equal(all, rows[i].rows);
        free(all);
    }
}

static void test_refusals(void **state)
{
    static const struct {
        const char *text, *says;
        uint32_t line;
    } rows[] = {
        {"a\n\"b\nc\n", "does not end", 2},
        {"a,\"b\"c\n", "follows a closing quote", 1},
        {"x\n\"a\nb\"c", "follows a closing quote", 3},
        {"\"a\"\rb", "follows a closing quote", 1},
        {"a,b\"c\n", "inside an unquoted field", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_error err = {0};

        assert_null(read_all(rows[i].text, &err));
        assert_int_equal(err.code, GL_E_SYNTAX);
        assert_int_equal(err.pos.line, rows[i].line);
        assert_string_equal(err.pos.file, "in.csv");
        if (strstr(err.text, rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].text, err.text);
    }
}

static void test_field_ceiling(void **state)
{
    char text[2 * GL_CSV_MAX_FIELDS] = "";
    struct gl_error err = {0};
    struct gl_csv csv;

    (void)state;
    memset(text, ',', GL_CSV_MAX_FIELDS - 1);
    gl_csv_init(&csv, text, "in.csv");
    assert_int_equal(gl_csv_next(&csv, &err), 1);
    assert_int_equal(csv.count, GL_CSV_MAX_FIELDS);
    memset(text, ',', GL_CSV_MAX_FIELDS);
    gl_csv_init(&csv, text, "in.csv");
    assert_int_equal(gl_csv_next(&csv, &err), -1);
    assert_int_equal(err.code, GL_E_SYNTAX);
    assert_non_null(strstr(err.text, "too many fields"));
}

static void test_column(void **state)
{
    char text[] = "zone,year,\"g per kWh\"\n1,2,3\n";
    struct gl_error err = {0};
    struct gl_csv csv;

    (void)state;
    gl_csv_init(&csv, text, "in.csv");
    assert_int_equal(gl_csv_column(&csv, "zone"), -1);
    assert_int_equal(gl_csv_next(&csv, &err), 1);
    assert_int_equal(gl_csv_column(&csv, "zone"), 0);
    assert_int_equal(gl_csv_column(&csv, "g per kWh"), 2);
    assert_int_equal(gl_csv_column(&csv, "Zone"), -1);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Any table written with every field quoted reads back as it was. */
static void test_round_trip(void **state)
{
    static const char alphabet[] = "ab,\"\n\r ";
    uint32_t seed = 5;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        char fields[4][8];
        size_t count = 1 + next_random(&seed) % 4;
        struct gl_str text = {0};
        struct gl_error err = {0};
        struct gl_csv csv;
        char *bytes;

        for (size_t i = 0; i < count; i++) {
            size_t length = next_random(&seed) % 8;

            gl_str_add(&text, i ? ",\"" : "\"");
            for (size_t j = 0; j < length; j++) {
                fields[i][j] = alphabet[next_random(&seed) % (sizeof alphabet - 1)];
                gl_str_add(&text, fields[i][j] == '"' ? "\"" : "");
                gl_str_add_char(&text, fields[i][j]);
            }
            fields[i][length] = '\0';
            gl_str_add_char(&text, '"');
        }
        gl_str_add(&text, round % 2 ? "\r\n" : "\n");
        bytes = gl_str_take(&text);
        gl_csv_init(&csv, bytes, "in.csv");
        assert_int_equal(gl_csv_next(&csv, &err), 1);
        assert_int_equal(csv.count, count);
        for (size_t i = 0; i < count; i++)
            assert_string_equal(csv.fields[i], fields[i]);
        assert_int_equal(gl_csv_next(&csv, &err), 0);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),          cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_field_ceiling), cmocka_unit_test(test_column),
        cmocka_unit_test(test_round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
