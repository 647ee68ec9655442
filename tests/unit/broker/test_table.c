/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/render/table.h"
#include "broker/render/text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct gl_column columns[] = {
    {"NAME", false, 0},
    {"PLACE", false, 2},
    {"g/kWh", true, 0},
    {"NOTE", false, 1},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

static const char *const first[COLUMNS] = {"alpha", "eu-north-1", "9.5", "short"};
static const char *const second[COLUMNS] = {"beta", "eu", "1234567", NULL};

/* The table of both rows at a width, fresh. */
static char *at_width(unsigned width, bool is_accessible)
{
    struct gl_table *table = gl_table_new(columns, COLUMNS);
    struct gl_str out = {0};

    gl_table_row(table, first);
    gl_table_row(table, second);
    gl_table_text(table, width, is_accessible, &out);
    gl_table_free(table);
    return gl_str_take(&out);
}

static unsigned widest(const char *text)
{
    unsigned most = 0;

    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        struct gl_str line = {0};
        unsigned wide;

        gl_str_add_bytes(&line, text, length);
        wide = gl_text_columns(gl_str_text(&line));
        most = wide > most ? wide : most;
        gl_str_done(&line);
        text += length + (text[length] == '\n');
    }
    return most;
}

static void columns_line_up_and_numbers_stand_right(void **state)
{
    char *text = at_width(80, false);

    (void)state;
    assert_string_equal(text, "NAME   PLACE         g/kWh  NOTE\n"
                              "alpha  eu-north-1      9.5  short\n"
                              "beta   eu          1234567\n");
    free(text);
}

static void the_least_wanted_column_goes_first(void **state)
{
    struct gl_column three[] = {{"A", false, 0}, {"B", false, 5}, {"C", false, 3}};
    const char *const row[] = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbb",
                               "ccccccccccccccc"};
    struct gl_table *table = gl_table_new(three, 3);
    struct gl_str out = {0};

    (void)state;
    gl_table_row(table, row);
    gl_table_text(table, 62, false, &out);
    assert_null(strstr(gl_str_text(&out), "bbb"));
    assert_non_null(strstr(gl_str_text(&out), "ccc"));
    gl_table_free(table);
    gl_str_done(&out);
}

static void a_legend_may_ask_what_is_shown(void **state)
{
    struct gl_table *table = gl_table_new(columns, COLUMNS);
    char name[] = "a-name-that-takes-forty-columns-all-alone";

    (void)state;
    gl_table_row(table, first);
    assert_true(gl_table_shows(table, 80, false, 1));
    gl_table_row(table, (const char *const[]){name, "eu-north-1", "9.5", NULL});
    assert_false(gl_table_shows(table, 60, false, 1)); /* PLACE goes first */
    assert_true(gl_table_shows(table, 60, false, 0));
    assert_true(gl_table_shows(table, 40, false, 1)); /* blocks hold all of it */
    assert_true(gl_table_shows(table, 60, true, 1));
    assert_false(gl_table_shows(table, 80, false, COLUMNS));
    gl_table_free(table);
}

static void text_is_cut_and_numbers_never(void **state)
{
    struct gl_column two[] = {{"NAME", false, 0}, {"g", true, 0}};
    char name[101], number[41];
    struct gl_table *table = gl_table_new(two, 2);
    struct gl_str out = {0};

    (void)state;
    memset(name, 'n', 100);
    name[100] = '\0';
    memset(number, '7', 40);
    number[40] = '\0';
    gl_table_row(table, (const char *const[]){name, number});
    gl_table_text(table, 70, false, &out);
    assert_non_null(strstr(gl_str_text(&out), number));
    assert_non_null(strstr(gl_str_text(&out), "n~ "));
    assert_int_equal(widest(gl_str_text(&out)), 70);
    gl_table_free(table);
    gl_str_done(&out);
}

static void cutting_keeps_characters_whole(void **state)
{
    struct gl_column one[] = {{"N", false, 0}};
    struct gl_str wide = {0}, out = {0};
    struct gl_table *table = gl_table_new(one, 1);

    (void)state;
    for (int i = 0; i < 90; i++)
        gl_str_add(&wide, "\xe6\xb0\xb4"); /* two columns each */
    gl_table_row(table, (const char *const[]){gl_str_text(&wide)});
    gl_table_text(table, 60, false, &out);
    assert_true(widest(gl_str_text(&out)) <= 60);
    assert_null(strstr(gl_str_text(&out), "\\x"));
    assert_non_null(strstr(gl_str_text(&out), "\xe6\xb0\xb4~"));
    gl_table_free(table);
    gl_str_done(&wide);
    gl_str_done(&out);
}

static void narrow_and_accessible_are_blocks(void **state)
{
    static const char blocks[] = "NAME: alpha\nPLACE: eu-north-1\ng/kWh: 9.5\nNOTE: short\n\n"
                                 "NAME: beta\nPLACE: eu\ng/kWh: 1234567\n";
    char *narrow = at_width(40, false), *accessible = at_width(200, true);

    (void)state;
    assert_string_equal(narrow, blocks);
    assert_string_equal(accessible, blocks);
    free(narrow);
    free(accessible);
}

static void foreign_text_cannot_steer_the_terminal(void **state)
{
    struct gl_column one[] = {{"N", false, 0}};
    struct gl_table *table = gl_table_new(one, 1);
    struct gl_str out = {0};

    (void)state;
    gl_table_row(table, (const char *const[]){"a\033[31mb\nc"});
    gl_table_text(table, 80, false, &out);
    assert_null(strchr(gl_str_text(&out), '\033'));
    assert_non_null(strstr(gl_str_text(&out), "a\\x1b[31mb c"));
    gl_table_free(table);
    gl_str_done(&out);
}

/* ---- broker/render/text.h ---- */

static void wrapping_fills_lines_and_breaks_no_word(void **state)
{
    struct gl_str out = {0};

    (void)state;
    gl_render_wrap("one two three four\nnext averyveryverylongword end", 2, 12, &out);
    assert_string_equal(gl_str_text(&out),
                        "  one two\n  three four\n  next\n  averyveryverylongword\n  end\n");
    gl_str_clear(&out);
    gl_render_wrap("aa bb", 0, 5, &out);
    gl_render_wrap("aa bb", 0, 4, &out);
    assert_string_equal(gl_str_text(&out), "aa bb\naa\nbb\n");
    gl_str_clear(&out);
    gl_render_hang("one two three", 4, 12, &out);
    assert_string_equal(gl_str_text(&out), "one two\n    three\n");
    gl_str_done(&out);
}

static void bands_say_what_is_not_known(void **state)
{
    static const struct {
        struct gl_band band;
        const char *text;
    } rows[] = {
        {{33, 41, 49}, "41 (33..49)"},
        {{20, 20, 20}, "20"},
        {{NAN, 41, NAN}, "41"},
        {{0, -1, 0}, "?"},
        {{0, NAN, 0}, "?"},
        {{0, 0, 0}, "0"},
        {{0, 0.0430, 0.5}, "0.043 (0..0.5)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_str out = {0};

        gl_render_band(&rows[i].band, &out);
        assert_string_equal(gl_str_text(&out), rows[i].text);
        gl_str_done(&out);
    }
}

static void ages_and_unknowns(void **state)
{
    char text[GL_RENDER_NUMBER];

    (void)state;
    assert_string_equal(gl_render_age(GL_UNKNOWN, text), "?");
    assert_string_equal(gl_render_age(-5, text), "ahead");
    assert_string_equal(gl_render_age(0, text), "0 s");
    assert_string_equal(gl_render_age(420, text), "7 min");
    assert_string_equal(gl_render_age(3 * 3600, text), "3 h");
    assert_string_equal(gl_render_age(3 * 86400, text), "3 d");
    assert_string_equal(gl_render_number(GL_UNKNOWN, 1e-6, text), "?");
    assert_string_equal(gl_render_number(20000000, 1e-6, text), "20");
    assert_string_equal(gl_render_number(955000, 1e-4, text), "95.5");
    assert_true(isnan(gl_render_real(GL_UNKNOWN)));
}

static void colour_only_when_asked(void **state)
{
    struct gl_str plain = {0}, coloured = {0};

    (void)state;
    gl_render_tone(&plain, "REFUSED", GL_TONE_BAD, false);
    gl_render_tone(&coloured, "REFUSED", GL_TONE_BAD, true);
    assert_string_equal(gl_str_text(&plain), "REFUSED");
    assert_string_equal(gl_str_text(&coloured), "\033[1;31mREFUSED\033[0m");
    gl_str_done(&plain);
    gl_str_done(&coloured);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_line_up_and_numbers_stand_right),
        cmocka_unit_test(the_least_wanted_column_goes_first),
        cmocka_unit_test(a_legend_may_ask_what_is_shown),
        cmocka_unit_test(text_is_cut_and_numbers_never),
        cmocka_unit_test(cutting_keeps_characters_whole),
        cmocka_unit_test(narrow_and_accessible_are_blocks),
        cmocka_unit_test(foreign_text_cannot_steer_the_terminal),
        cmocka_unit_test(wrapping_fills_lines_and_breaks_no_word),
        cmocka_unit_test(bands_say_what_is_not_known),
        cmocka_unit_test(ages_and_unknowns),
        cmocka_unit_test(colour_only_when_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
